//! A readiness that was handed out, and the way to take it back.

use crate::async_fd::AsyncFd;
use crate::readiness::Ready;
use std::fmt;
use std::io;
use std::os::fd::AsFd;

/// Says what a descriptor is ready for, as far as is known.
///
/// The readiness stays with the descriptor when the guard is dropped. Whoever finds that it no longer holds says so with
/// [`clear_ready`](ReadyGuard::clear_ready), or lets [`try_io`](ReadyGuard::try_io) do it. Forgetting that is a loop that spins; doing
/// it without having seen `WouldBlock`, or its like, is a task that sleeps on its data.
#[must_use = "a readiness that is not cleared when an operation would block is handed out again at once"]
pub struct ReadyGuard<'a, T: AsFd> {
    fd: &'a AsyncFd<T>,
    ready: Ready,
}

impl<'a, T: AsFd> ReadyGuard<'a, T> {
    pub(crate) fn new(fd: &'a AsyncFd<T>, ready: Ready) -> Self {
        Self { fd, ready }
    }

    /// Calls `operation`, and clears the readiness, in all the directions that the guard was handed out for, if that answers `WouldBlock`.
    ///
    /// # Errors
    ///
    /// [`TryIoError`] if the operation would block: wait again. Every other result of the operation, good or bad, is in the `Ok`.
    pub fn try_io<R>(
        &mut self,
        operation: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        let result = operation(self.fd);
        if self.fd.source().refute(self.ready, self.ready, &result) {
            self.ready = Ready::EMPTY;
            return Err(TryIoError(()));
        }
        Ok(result)
    }

    /// Says that what this guard was handed out for probably no longer holds. Has no effect if an event has come since.
    ///
    /// That a stream has ended is not cleared, but by a `WouldBlock` in [`try_io`](ReadyGuard::try_io).
    pub fn clear_ready(&mut self) {
        self.clear_ready_matching(self.ready);
    }

    /// As [`clear_ready`](ReadyGuard::clear_ready), for those parts of it that `ready` names.
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        self.fd.source().clear(self.ready.only(ready), self.ready);
        self.ready = self.ready.without(ready);
    }

    /// Leaves the readiness as it is: for operations that know that there is more. Does nothing, and says so.
    pub fn retain_ready(&mut self) {}

    /// What the descriptor is ready for, of what was waited for.
    pub fn ready(&self) -> Ready {
        self.ready
    }

    /// The `AsyncFd` that is ready.
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.fd
    }

    /// The descriptor's owner.
    pub fn get_inner(&self) -> &'a T {
        self.fd.get_ref()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for ReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyGuard").field("fd", self.fd).field("ready", &self.ready).finish()
    }
}

/// The error of [`ReadyGuard::try_io`]: the operation would block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryIoError(());

impl fmt::Display for TryIoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operation would block")
    }
}

impl std::error::Error for TryIoError {}

impl From<TryIoError> for io::Error {
    fn from(error: TryIoError) -> Self {
        io::Error::new(io::ErrorKind::WouldBlock, error)
    }
}
