//! A descriptor whose readiness can be awaited.

use crate::nonblocking;
use crate::reactor::{Reactor, gone};
use crate::readiness::{Direction, Ready, Wanted};
use crate::registry::IoState;
use crate::wait::{Wait, watched};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll, ready};
use tiny_coro_poller::{Interest, Token};
use tiny_coro_prim::budget;
use tiny_coro_prim::sync::Arc;

/// A non-blocking descriptor that is registered with a [`Reactor`] for as long as this value lives.
///
/// For each direction any number of futures ([`readable`](Source::readable), [`writable`](Source::writable),
/// [`async_io`](Source::async_io)) may wait, and besides them one task that calls the `poll_` methods: of two, the later is woken.
/// A reader and a writer do not disturb each other. Dropping the source deregisters the descriptor before it is closed.
///
/// The descriptor must be in non-blocking mode, which is the caller's to set: an operation that blocks would hold up the thread
/// with all its other tasks. Builds with debug assertions check it.
///
/// [`AsyncFd`](crate::AsyncFd) is the same with the interface that users of other runtimes know.
pub struct Source<T: AsFd> {
    reactor: Reactor,
    state: Arc<IoState>,
    token: Token,
    /// `None` only after [`into_inner`](Source::into_inner), which consumes the source.
    io: Option<T>,
}

impl<T: AsFd> Source<T> {
    /// Registers `io` with the current thread's reactor, for both directions.
    ///
    /// # Errors
    ///
    /// `NotConnected` without a current reactor; the poller's, for example for a regular file.
    ///
    /// # Panics
    ///
    /// With debug assertions, if `io` is in blocking mode.
    #[track_caller]
    pub fn new(io: T) -> io::Result<Self> {
        Self::with_reactor(io, &Reactor::current()?)
    }

    /// Registers `io` with the given reactor, for both directions.
    ///
    /// # Errors
    ///
    /// The poller's; `NotConnected` if the reactor was shut down.
    ///
    /// # Panics
    ///
    /// With debug assertions, if `io` is in blocking mode.
    #[track_caller]
    pub fn with_reactor(io: T, reactor: &Reactor) -> io::Result<Self> {
        Self::with_interest(io, reactor, Interest::BOTH)
    }

    /// Registers `io` for the directions in `interest` only: a listener has no use for the other.
    ///
    /// # Errors
    ///
    /// As [`with_reactor`](Source::with_reactor).
    ///
    /// # Panics
    ///
    /// With debug assertions, if `io` is in blocking mode.
    #[track_caller]
    pub fn with_interest(io: T, reactor: &Reactor, interest: Interest) -> io::Result<Self> {
        debug_assert!(
            !nonblocking::is_blocking(io.as_fd()),
            "the descriptor is in blocking mode: set it to non-blocking before it is registered"
        );
        Self::register(io, reactor, interest).map_err(|(_, error)| error)
    }

    /// As [`with_interest`](Source::with_interest), for any mode, and gives `io` back on failure.
    pub(crate) fn register(io: T, reactor: &Reactor, interest: Interest) -> Result<Self, (T, io::Error)> {
        match reactor.add(io.as_fd(), interest) {
            Ok((token, state)) => Ok(Self { reactor: reactor.clone(), state, token, io: Some(io) }),
            Err(error) => Err((io, error)),
        }
    }

    /// The descriptor's owner.
    pub fn get_ref(&self) -> &T {
        self.io.as_ref().expect("a source has its descriptor until it is consumed")
    }

    /// The descriptor's owner, to change it. It must stay the owner of the same descriptor: the events of this source are those
    /// of the descriptor it was made with.
    pub fn get_mut(&mut self) -> &mut T {
        self.io.as_mut().expect("a source has its descriptor until it is consumed")
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

    /// Deregisters the descriptor and returns it, whatever the poller says.
    pub(crate) fn into_inner_anyway(mut self) -> T {
        // What the poller has to say of a descriptor that was closed behind its back concerns nobody any more.
        let _ = self.deregister();
        self.io.take().expect("a source has its descriptor until it is consumed")
    }

    /// Takes the descriptor out of the reactor now. Waiters of both directions, present and future, get an error.
    ///
    /// # Errors
    ///
    /// The poller's. The waiters are woken all the same.
    pub fn deregister(&self) -> io::Result<()> {
        self.reactor.remove(self.get_ref().as_fd(), self.token)
    }

    /// Waits until an operation in `direction` is worth trying. Wakes one task for each direction: the last that called.
    ///
    /// When it then answers `WouldBlock`, the readiness must be cleared before the next poll: [`try_io`](Source::try_io),
    /// [`poll_io`](Source::poll_io) and [`async_io`](Source::async_io) do so, and else
    /// [`clear_ready`](Source::clear_ready) does, with the [`Ready`] that was handed out.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the source was deregistered or its reactor shut down; `InvalidInput` for a direction that it was not
    /// registered for.
    #[inline]
    pub fn poll_ready(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        if let Some(ready) = self.state.readiness.get(direction) {
            return budget::poll_proceed(cx).map(|()| checked(ready));
        }
        self.poll_ready_slow(direction, cx)
    }

    fn poll_ready_slow(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        watched(&self.state, direction.interest())?;
        self.state.wait(direction, cx.waker()).map_or(Poll::Pending, |ready| Poll::Ready(checked(ready)))
    }

    /// [`poll_ready`](Source::poll_ready) for reading.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Source::poll_ready).
    #[inline]
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.poll_ready(Direction::Read, cx)
    }

    /// [`poll_ready`](Source::poll_ready) for writing.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Source::poll_ready).
    #[inline]
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.poll_ready(Direction::Write, cx)
    }

    /// Says that `direction` is probably no longer ready: an operation did less than it could have. Has no effect if an event
    /// has come since `ready` was handed out, and none on the end of a stream, which then still has to be read.
    #[inline]
    pub fn clear_ready(&self, direction: Direction, ready: Ready) {
        self.clear(direction, ready);
    }

    pub(crate) fn clear(&self, wanted: impl Into<Wanted>, ready: Ready) {
        self.state.readiness.clear(wanted, ready);
    }

    /// Clears the readiness if an operation would have blocked, and returns whether it would.
    #[inline]
    pub(crate) fn refute<R>(&self, wanted: impl Into<Wanted>, ready: Ready, result: &io::Result<R>) -> bool {
        let blocked = matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if blocked {
            self.state.readiness.refute(wanted, ready);
        }
        blocked
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
            let ready = ready!(self.poll_ready(direction, cx))?;
            if let Some(result) = self.attempt(direction, ready, || operation(self.get_ref())) {
                return Poll::Ready(result);
            }
        }
    }

    /// One try of an operation; `None` if it is to be tried again, at once or when the source is ready again.
    #[inline]
    pub(crate) fn attempt<R>(
        &self,
        wanted: impl Into<Wanted>,
        ready: Ready,
        operation: impl FnOnce() -> io::Result<R>,
    ) -> Option<io::Result<R>> {
        let result = operation();
        let again = self.refute(wanted, ready, &result)
            || matches!(&result, Err(error) if error.kind() == io::ErrorKind::Interrupted);
        (!again).then_some(result)
    }

    /// Calls `operation` once, if the source is ready.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not ready or the operation says so; the operation's; `NotConnected` once deregistered; `InvalidInput` if
    /// it is not ready and was not registered for that direction.
    pub fn try_io<R>(&self, direction: Direction, operation: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        let ready = self.look(direction.interest())?;
        let result = operation(self.get_ref());
        self.refute(direction, ready, &result);
        result
    }

    /// What is ready now, or `WouldBlock`.
    pub(crate) fn look(&self, interest: Interest) -> io::Result<Ready> {
        if let Some(ready) = self.state.readiness.get(interest) {
            return checked(ready);
        }
        watched(&self.state, interest)?;
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Waits until reading will not block.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Source::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the readiness, nor on others that wait.
    pub async fn readable(&self) -> io::Result<Ready> {
        self.ready(Interest::READABLE).await
    }

    /// Waits until writing will not block.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Source::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the readiness, nor on others that wait.
    pub async fn writable(&self) -> io::Result<Ready> {
        self.ready(Interest::WRITABLE).await
    }

    /// Waits until one of the directions in `interest` will not block, and says which.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Source::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the readiness, nor on others that wait.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Wait::new(&self.state, interest).await
    }

    /// Calls `operation` until it answers something other than `WouldBlock`, waiting for readiness in between.
    ///
    /// # Errors
    ///
    /// The operation's (`Interrupted` is tried again), or as [`poll_ready`](Source::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// It waits only between two calls of `operation`: if dropping the future loses nothing of that, it loses nothing.
    pub async fn async_io<R>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let ready = self.ready(direction.interest()).await?;
            if let Some(result) = self.attempt(direction, ready, || operation(self.get_ref())) {
                return result;
            }
        }
    }
}

/// Turns the readiness of a source that has left into its error.
pub(crate) fn checked(ready: Ready) -> io::Result<Ready> {
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
