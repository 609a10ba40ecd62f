//! A descriptor whose readiness can be awaited.

use crate::budget;
use crate::reactor::{Reactor, gone};
use crate::readiness::{Direction, Ready};
use crate::registry::IoState;
use crate::slot::Slot;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};
use tiny_coro_poller::{Interest, Token};
use tiny_coro_prim::sync::Arc;

/// A non-blocking descriptor that is registered with a [`Reactor`] for as long as this value lives.
///
/// Each direction has one waiter: a reader and a writer in two tasks do not disturb each other, but two readers do (the
/// later one is woken). Dropping the source deregisters the descriptor before it is closed.
pub struct Source<T: AsFd> {
    reactor: Reactor,
    state: Arc<IoState>,
    token: Token,
    /// `None` only after [`into_inner`](Source::into_inner), which consumes the source.
    io: Option<T>,
}

impl<T: AsFd> Source<T> {
    /// Registers `io`, which must be in non-blocking mode, with the current thread's reactor, for both directions.
    ///
    /// # Errors
    ///
    /// `NotConnected` without a current reactor; the poller's, for example for a regular file.
    pub fn new(io: T) -> io::Result<Self> {
        Self::with_reactor(io, &Reactor::current()?)
    }

    /// Registers `io` with the given reactor, for both directions.
    ///
    /// # Errors
    ///
    /// The poller's; `NotConnected` if the reactor was shut down.
    pub fn with_reactor(io: T, reactor: &Reactor) -> io::Result<Self> {
        Self::with_interest(io, reactor, Interest::READABLE | Interest::WRITABLE)
    }

    /// Registers `io` for the directions in `interest` only: a listener has no use for the other.
    ///
    /// # Errors
    ///
    /// As [`with_reactor`](Source::with_reactor).
    pub fn with_interest(io: T, reactor: &Reactor, interest: Interest) -> io::Result<Self> {
        let (token, state) = reactor.add(io.as_fd(), interest)?;
        Ok(Self { reactor: reactor.clone(), state, token, io: Some(io) })
    }

    /// The descriptor's owner.
    pub fn get_ref(&self) -> &T {
        self.io.as_ref().expect("a source has its descriptor until it is consumed")
    }

    /// The reactor it is registered with.
    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// Deregisters the descriptor and returns it.
    ///
    /// # Errors
    ///
    /// The poller's; the descriptor is then closed.
    pub fn into_inner(mut self) -> io::Result<T> {
        self.deregister()?;
        Ok(self.io.take().expect("a source has its descriptor until it is consumed"))
    }

    /// Takes the descriptor out of the reactor now. Waiters of both directions, present and future, get an error.
    ///
    /// # Errors
    ///
    /// The poller's. The waiters are woken all the same.
    pub fn deregister(&self) -> io::Result<()> {
        self.reactor.remove(self.get_ref().as_fd(), self.token)
    }

    fn slot(&self, direction: Direction) -> &Slot {
        match direction {
            Direction::Read => &self.state.reader,
            Direction::Write => &self.state.writer,
        }
    }

    /// Waits until an operation in `direction` is worth trying.
    ///
    /// When it then answers `WouldBlock`, pass the [`Ready`] to [`clear_ready`](Source::clear_ready) and poll again.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the source was deregistered or its reactor shut down.
    #[inline]
    pub fn poll_ready(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        if let Some(ready) = self.state.readiness.get(direction) {
            return budget::poll_proceed(cx).map(|()| checked(ready));
        }
        // ORDERING R3: the slot's mutex. Register, then look again: `collect` sets the readiness, then takes the slot.
        self.slot(direction).register(cx.waker());
        match self.state.readiness.get(direction) {
            Some(ready) => Poll::Ready(checked(ready)),
            None => Poll::Pending,
        }
    }

    /// Says that `direction` is no longer ready. Has no effect if an event has come since `ready` was handed out.
    #[inline]
    pub fn clear_ready(&self, direction: Direction, ready: Ready) {
        self.state.readiness.clear(direction, ready);
    }

    /// Calls `operation` until it answers something other than `WouldBlock`, waiting for readiness in between.
    ///
    /// # Errors
    ///
    /// The operation's (`Interrupted` is tried again), or as [`poll_ready`](Source::poll_ready).
    #[inline]
    pub fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let ready = match self.poll_ready(direction, cx) {
                Poll::Ready(Ok(ready)) => ready,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            };
            match operation(self.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.clear_ready(direction, ready),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Calls `operation` once, if the source is ready.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not ready or the operation says so; the operation's; `NotConnected` once deregistered.
    pub fn try_io<R>(&self, direction: Direction, operation: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        let Some(ready) = self.state.readiness.get(direction) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        checked(ready)?;
        let result = operation(self.get_ref());
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.clear_ready(direction, ready);
        }
        result
    }

    /// Waits until reading will not block.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the source was deregistered or its reactor shut down.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the readiness.
    pub async fn readable(&self) -> io::Result<Ready> {
        poll_fn(|cx| self.poll_ready(Direction::Read, cx)).await
    }

    /// Waits until writing will not block.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the source was deregistered or its reactor shut down.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the readiness.
    pub async fn writable(&self) -> io::Result<Ready> {
        poll_fn(|cx| self.poll_ready(Direction::Write, cx)).await
    }
}

fn checked(ready: Ready) -> io::Result<Ready> {
    if ready.is_gone() { Err(gone()) } else { Ok(ready) }
}

impl<T: AsFd> AsFd for Source<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        if let Some(io) = &self.io {
            // The descriptor is closed next, which takes it out of the poller in any case.
            let _ = self.reactor.remove(io.as_fd(), self.token);
        }
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("io", &self.io).field("readiness", &self.state.readiness).finish()
    }
}
