//! What a failed registration says.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::RawFd;

/// Why [`Poller::add`](crate::Poller::add), [`modify`](crate::Poller::modify) or [`delete`](crate::Poller::delete) failed,
/// with what the OS said.
///
/// These functions return an [`io::Error`] with the OS error's `kind()`, and this value inside: the text names the operation
/// and the descriptor, [`RegistrationError::raw_os_error`] still has the number (an `io::Error` that carries a value has
/// none of its own).
///
/// # Examples
///
/// ```
/// use std::os::fd::AsFd;
/// use tiny_coro_poller::{Poller, RegistrationError};
/// let (socket, _peer) = std::os::unix::net::UnixStream::pair()?;
/// let error = Poller::new()?.delete(socket.as_fd()).unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
/// let inside = error.get_ref().and_then(|e| e.downcast_ref::<RegistrationError>()).unwrap();
/// assert!(inside.raw_os_error().is_some());
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct RegistrationError {
    operation: &'static str,
    fd: RawFd,
    source: io::Error,
}

impl RegistrationError {
    pub(crate) fn wrap(operation: &'static str, fd: RawFd, source: io::Error) -> io::Error {
        io::Error::new(source.kind(), Self { operation, fd, source })
    }

    /// Returns the operation: `"add"`, `"modify"` or `"delete"`; with `mio` also `"re-arm"`, which a wait does for level
    /// mode.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Returns the descriptor that it was about.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Returns the OS's error number; `None` where the poller itself refused.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    fn advice(&self) -> &'static str {
        match self.raw_os_error() {
            Some(libc::EPERM) => "; this kind of file has no readiness: use a thread for regular files and directories",
            Some(libc::EEXIST) => "; it is registered already: use modify",
            Some(libc::ENOENT) => "; it is not registered: use add",
            Some(libc::EBADF) => "; it is not open",
            Some(libc::EPIPE) => "; nobody reads the other end any more",
            Some(libc::ENOSPC) => "; raise fs.epoll.max_user_watches",
            _ => "",
        }
    }
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "poller cannot {} fd {}: {}{}", self.operation, self.fd, self.source, self.advice())
    }
}

impl Error for RegistrationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
