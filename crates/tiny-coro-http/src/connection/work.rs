//! The buffers of a connection that has something to do.

use std::cell::RefCell;

use bytes::BytesMut;

use super::incoming::Incoming;
use super::output::Output;
use super::sending::Sending;
use crate::date::DateCache;
use crate::handler::Slots;

/// How much is read at once, and the capacity a receive buffer has.
pub(super) const READ_SIZE: usize = 16 * 1024;
/// The same while a large body comes in: a quarter as many hand-overs to the disk.
pub(super) const BODY_READ_SIZE: usize = 32 * 1024;
/// How many sets of buffers a thread keeps.
const POOLED: usize = 16;

/// Says what the connection is about.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// The next request head.
    #[default]
    Head,
    /// The handler's future.
    Handler,
    /// The body of the answer.
    Sending(Sending),
    /// What the handler left of the request's body, up to so many bytes.
    Drain { left: u64 },
    /// Writing the rest, then the end of the connection. With `linger`, input that the peer may still be sending is
    /// taken first, lest the kernel answer it with a reset that destroys our last words on their way. Only a peer that
    /// has sent its end needs none.
    Close { linger: bool },
    /// Waiting for the peer to see the end, up to so many bytes.
    Linger { left: usize },
}

/// What a connection needs only while it has something to do: buffers, the handler's future, the state of an exchange.
///
/// An idle connection gives it back to its thread, and the next one with input takes it, warm in the cache. So ten
/// thousand idle connections cost ten thousand sockets and no buffers.
pub(super) struct Work {
    pub(super) input: BytesMut,
    /// How much of `input` was seen by the head parser and is not a whole head.
    pub(super) scanned: usize,
    pub(super) output: Output,
    pub(super) slots: Slots,
    pub(super) incoming: Incoming,
    pub(super) phase: Phase,
    pub(super) exchange: Exchange,
    /// The peer has sent its last byte.
    pub(super) read_closed: bool,
    pub(super) date: DateCache,
}

/// What has to be remembered of a request while it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) head_only: bool,
    pub(super) http10: bool,
    pub(super) keep_alive: bool,
}

thread_local! {
    #[expect(clippy::vec_box, reason = "a set moves between pool and connection as one word, not as half a KiB")]
    static POOL: RefCell<Vec<Box<Work>>> = const { RefCell::new(Vec::new()) };
}

impl Work {
    fn new() -> Self {
        Self {
            input: BytesMut::new(),
            scanned: 0,
            output: Output::default(),
            slots: Slots::default(),
            incoming: Incoming::default(),
            phase: Phase::Head,
            exchange: Exchange { head_only: false, http10: false, keep_alive: false },
            read_closed: false,
            date: DateCache::new(),
        }
    }

    /// Takes a set from this thread's pool.
    pub(super) fn take() -> Box<Self> {
        let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        pooled.unwrap_or_else(|| Box::new(Self::new()))
    }

    /// Cleans the set and puts it into this thread's pool.
    pub(super) fn recycle(mut self: Box<Self>) {
        // User code (the future, the body) is dropped here, before the pool is borrowed.
        self.slots.clear();
        self.phase = Phase::Head;
        self.incoming = Incoming::default();
        if self.output.pending() > 0 {
            self.output.reset();
        }
        self.input.clear();
        self.scanned = 0;
        self.read_closed = false;
        if self.input.capacity() > BODY_READ_SIZE {
            self.input = BytesMut::new();
        }
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOLED {
                pool.push(self);
            }
        });
    }

    /// Whether nothing is left of any request.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Head) && self.input.is_empty() && self.output.pending() == 0 && !self.read_closed
    }

    /// Whether an answer is on its way and not whole.
    pub(super) fn is_answering(&self) -> bool {
        matches!(self.phase, Phase::Sending(_)) || self.output.pending() > 0
    }

    /// Makes room for the next read.
    pub(super) fn make_room(&mut self) {
        let want = if self.incoming.read_hint() > READ_SIZE { BODY_READ_SIZE } else { READ_SIZE };
        if self.input.capacity() - self.input.len() < want / 2 {
            self.input.reserve(want.saturating_sub(self.input.len()).max(want / 2));
        }
    }
}
