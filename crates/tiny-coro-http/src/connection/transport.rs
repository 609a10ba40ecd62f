//! What a connection needs from the world.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;

/// Carries the bytes of one connection, and knows the time: all that the state machine needs from the world.
///
/// `tiny_coro_net::TcpStream` is one implementation, a script of reads with a virtual clock in the tests another.
/// The poll methods register the task's waker for their direction when they return `Pending`.
pub trait Transport: Unpin {
    /// Waits until a read is worth trying. Needs no buffer, so that an idle connection can give its own back.
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads into the spare capacity of `buffer`, which is not empty. 0 is the end.
    fn poll_read_buf(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Writes the beginning of `slices`.
    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Tells the peer that nothing more will be sent, and goes on reading.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Makes the coming close a reset, so that the peer can't take it for a clean end.
    fn abort(&mut self);

    /// Reads the clock. Called once a poll.
    fn now(&self) -> Instant;

    /// Waits for `deadline`, where `now` is what [`now`](Self::now) has said in this poll. Each call replaces the deadline of the one before. Deadlines mostly move into the future before
    /// they are reached: an implementation should keep the timer that it has armed, and look again when that fires.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Instant, now: Instant) -> Poll<()>;
}
