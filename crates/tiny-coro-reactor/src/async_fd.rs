//! Any descriptor, with the interface that users of other runtimes know.

use crate::reactor::Reactor;
use crate::readiness::Direction;
use crate::ready_guard::ReadyGuard;
use crate::source::Source;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};
use tiny_coro_poller::Interest;

/// Makes any descriptor that the operating system can watch awaitable: a pipe, a terminal or serial port, a socket of a kind
/// that has no type of its own, an `eventfd`, `timerfd`, `inotify`, `pidfd`, a queue of a driver.
///
/// The descriptor should be in non-blocking mode, which is the caller's to set: its operations are tried on a thread that has
/// other tasks. (It is not checked here: of some descriptors one wants to know when they are ready and nothing else.) Regular
/// files are always ready for the operating system, which refuses to watch them.
///
/// Operations are edge-triggered: having been handed out, a readiness stays until somebody says that it no longer holds, which
/// [`ReadyGuard::try_io`], [`async_io`](AsyncFd::async_io) and [`try_io`](AsyncFd::try_io) do when the operation answers
/// `WouldBlock`. Any number of tasks may await it; of those that call the `poll_` methods, one for each direction is woken.
///
/// Dropping it deregisters the descriptor, then drops the `T`.
///
/// # Examples
///
/// A datagram socket of the local machine:
///
/// ```
/// use std::os::unix::net::UnixDatagram;
/// use tiny_coro_reactor::{AsyncFd, Interest};
///
/// async fn receive(socket: &AsyncFd<UnixDatagram>, buffer: &mut [u8]) -> std::io::Result<usize> {
///     loop {
///         let mut guard = socket.readable().await?;
///         match guard.try_io(|socket| socket.get_ref().recv(buffer)) {
///             Ok(result) => return result,
///             Err(_would_block) => continue,
///         }
///     }
/// }
///
/// // The same in one line:
/// async fn receive_too(socket: &AsyncFd<UnixDatagram>, buffer: &mut [u8]) -> std::io::Result<usize> {
///     socket.async_io(Interest::READABLE, |socket| socket.recv(buffer)).await
/// }
///
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # let reactor = tiny_coro_reactor::Reactor::new()?;
/// # let _entered = reactor.enter();
/// let (here, there) = UnixDatagram::pair()?;
/// here.set_nonblocking(true)?;
/// let socket = AsyncFd::new(here)?;
/// # let mut buffer = [0; 8];
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut received = pin!(async { (receive(&socket, &mut buffer).await, receive_too(&socket, &mut buffer).await) });
/// # assert!(received.as_mut().poll(&mut cx).is_pending());
/// # there.send(b"ping")?;
/// # there.send(b"pong")?;
/// # reactor.turn(None)?;
/// # assert!(matches!(received.as_mut().poll(&mut cx), Poll::Ready((Ok(4), Ok(4)))));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct AsyncFd<T: AsFd> {
    source: Source<T>,
}

impl<T: AsFd> AsyncFd<T> {
    /// Registers `inner` with the current thread's reactor, for both directions.
    ///
    /// # Errors
    ///
    /// `NotConnected` outside a runtime; the operating system's, for a descriptor that it can't watch or has no room for.
    pub fn new(inner: T) -> io::Result<Self> {
        Self::with_interest(inner, Interest::BOTH)
    }

    /// Registers `inner` with the current thread's reactor, for the directions in `interest`. To wait for another is an error.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new).
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<Self> {
        Self::with_reactor(inner, interest, &Reactor::current()?)
    }

    /// Registers `inner` with the given reactor.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new); `NotConnected` if the reactor was shut down.
    pub fn with_reactor(inner: T, interest: Interest, reactor: &Reactor) -> io::Result<Self> {
        Self::register(inner, interest, reactor).map_err(|error| error.error)
    }

    /// As [`new`](AsyncFd::new), and gives `inner` back with the error.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new).
    pub fn try_new(inner: T) -> Result<Self, TryNewError<T>> {
        Self::try_with_interest(inner, Interest::BOTH)
    }

    /// As [`with_interest`](AsyncFd::with_interest), and gives `inner` back with the error.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new).
    pub fn try_with_interest(inner: T, interest: Interest) -> Result<Self, TryNewError<T>> {
        match Reactor::current() {
            Ok(reactor) => Self::register(inner, interest, &reactor),
            Err(error) => Err(TryNewError { inner, error }),
        }
    }

    fn register(inner: T, interest: Interest, reactor: &Reactor) -> Result<Self, TryNewError<T>> {
        match Source::register(inner, reactor, interest) {
            Ok(source) => Ok(Self { source }),
            Err((inner, error)) => Err(TryNewError { inner, error }),
        }
    }

    /// The descriptor's owner.
    pub fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    /// The descriptor's owner, to change it. It must stay the owner of the same descriptor.
    pub fn get_mut(&mut self) -> &mut T {
        self.source.get_mut()
    }

    /// Deregisters the descriptor and returns its owner.
    pub fn into_inner(self) -> T {
        self.source.into_inner_anyway()
    }

    /// Takes the descriptor out of the reactor now. Who waits for it, in whichever direction, gets an error, now and later.
    ///
    /// # Errors
    ///
    /// The operating system's; who waits is woken all the same.
    pub fn deregister(&self) -> io::Result<()> {
        self.source.deregister()
    }

    /// Waits until reading will not block.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the descriptor was deregistered or the runtime has ended; `InvalidInput` for a direction that it was
    /// not registered for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the readiness, nor on others that wait.
    pub async fn readable(&self) -> io::Result<ReadyGuard<'_, T>> {
        self.ready(Interest::READABLE).await
    }

    /// Waits until writing will not block.
    ///
    /// # Errors
    ///
    /// As [`readable`](AsyncFd::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](AsyncFd::readable).
    pub async fn writable(&self) -> io::Result<ReadyGuard<'_, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// Waits until one of the directions in `interest` will not block; [`ReadyGuard::ready`] says which.
    ///
    /// # Errors
    ///
    /// As [`readable`](AsyncFd::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](AsyncFd::readable).
    pub async fn ready(&self, interest: Interest) -> io::Result<ReadyGuard<'_, T>> {
        let ready = self.source.ready(interest).await?;
        Ok(ReadyGuard::new(self, ready.only(interest)))
    }

    /// As [`readable`](AsyncFd::readable), for hand-written futures: of several tasks the last that called is woken.
    ///
    /// # Errors
    ///
    /// As [`readable`](AsyncFd::readable).
    pub fn poll_read_ready<'a>(&'a self, cx: &mut Context<'_>) -> Poll<io::Result<ReadyGuard<'a, T>>> {
        self.poll_ready(Direction::Read, cx)
    }

    /// As [`writable`](AsyncFd::writable), for hand-written futures: of several tasks the last that called is woken.
    ///
    /// # Errors
    ///
    /// As [`readable`](AsyncFd::readable).
    pub fn poll_write_ready<'a>(&'a self, cx: &mut Context<'_>) -> Poll<io::Result<ReadyGuard<'a, T>>> {
        self.poll_ready(Direction::Write, cx)
    }

    fn poll_ready<'a>(&'a self, direction: Direction, cx: &mut Context<'_>) -> Poll<io::Result<ReadyGuard<'a, T>>> {
        let ready = ready!(self.source.poll_ready(direction, cx))?;
        Poll::Ready(Ok(ReadyGuard::new(self, ready.only(direction))))
    }

    /// Calls `operation` until it answers something other than `WouldBlock`, waiting for readiness in between.
    ///
    /// `interest` is what `operation` needs. `WouldBlock` says of all of it that was ready that it no longer is: with both directions around a
    /// read, who waits to write waits for the next time that space comes.
    ///
    /// # Errors
    ///
    /// The operation's (`Interrupted` is tried again), or as [`readable`](AsyncFd::readable).
    ///
    /// # Cancel safety
    ///
    /// It waits only between two calls of `operation`: if dropping the future loses nothing of that, it loses nothing.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let ready = self.source.ready(interest).await?;
            if let Some(result) = self.source.attempt(interest, ready, || operation(self.get_ref())) {
                return result;
            }
        }
    }

    /// As [`async_io`](AsyncFd::async_io), for an operation that needs `&mut T`.
    ///
    /// # Errors
    ///
    /// As [`async_io`](AsyncFd::async_io).
    ///
    /// # Cancel safety
    ///
    /// As [`async_io`](AsyncFd::async_io).
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut operation: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let ready = self.source.ready(interest).await?;
            let result = operation(self.source.get_mut());
            if let Some(result) = self.source.attempt(interest, ready, || result) {
                return result;
            }
        }
    }

    /// Calls `operation` once, if one of the directions in `interest` is ready.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not ready or the operation says so, which then counts for all of `interest`; the operation's; `NotConnected` once
    /// deregistered; `InvalidInput` if it is not ready and was not registered for all of `interest`.
    pub fn try_io<R>(&self, interest: Interest, operation: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        let ready = self.source.look(interest)?;
        let result = operation(self.get_ref());
        self.source.refute(interest, ready, &result);
        result
    }

    /// As [`try_io`](AsyncFd::try_io), for an operation that needs `&mut T`.
    ///
    /// # Errors
    ///
    /// As [`try_io`](AsyncFd::try_io).
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        operation: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let ready = self.source.look(interest)?;
        let result = operation(self.source.get_mut());
        self.source.refute(interest, ready, &result);
        result
    }

    /// For [`ReadyGuard`].
    pub(crate) fn source(&self) -> &Source<T> {
        &self.source
    }
}

impl<T: AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd").field("source", &self.source).finish()
    }
}

/// The error of [`AsyncFd::try_new`] and [`AsyncFd::try_with_interest`], with what could not be registered.
pub struct TryNewError<T> {
    inner: T,
    error: io::Error,
}

impl<T> TryNewError<T> {
    /// What could not be registered, and why.
    pub fn into_parts(self) -> (T, io::Error) {
        (self.inner, self.error)
    }
}

impl<T> fmt::Display for TryNewError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for TryNewError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryNewError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> std::error::Error for TryNewError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<T> From<TryNewError<T>> for io::Error {
    fn from(error: TryNewError<T>) -> Self {
        error.error
    }
}
