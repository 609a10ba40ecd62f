//! The poller: registrations and waits, for every backend.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use crate::sys;
use crate::{Events, Interest, Mode, RegistrationError, Token, Waker};

/// Watches file descriptors for readiness.
///
/// All methods take `&self`: any thread may register while another waits, and what it registers takes effect at once.
/// Several threads may wait at the same time; in [`Mode::Edge`] and [`Mode::Oneshot`] an event goes to one of them.
///
/// A registration is not an owner. It ends with [`Poller::delete`], or when the last descriptor of the same open file is
/// closed: a descriptor that was duplicated (`try_clone`, `fork`) must be deleted before it is closed.
#[derive(Debug)]
pub struct Poller {
    selector: sys::Selector,
    waker: Waker,
}

impl Poller {
    /// Opens a poller, with its waker.
    ///
    /// # Errors
    ///
    /// What the OS reports, as when the process has too many descriptors open (a poller takes two on Linux, one elsewhere).
    pub fn new() -> io::Result<Self> {
        let selector = sys::Selector::new()?;
        let waker = Waker::new(selector.signal(Token::WAKER)?);
        Ok(Self { selector, waker })
    }

    /// Starts to watch `fd`.
    ///
    /// # Errors
    ///
    /// Each carries a [`RegistrationError`]: `AlreadyExists` (Linux only; kqueue replaces the registration),
    /// `PermissionDenied` for a kind of file that has no readiness, such as a regular file on Linux,
    /// `StorageFull` and `OutOfMemory` when the system's limits are reached, and `InvalidInput` for a token with
    /// [`Token::RESERVED_INDEX`].
    pub fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        user_token(token)
            .and_then(|token| self.selector.add(fd, token, interest, mode))
            .map_err(|error| RegistrationError::wrap("add", fd.as_raw_fd(), error))
    }

    /// Replaces token, interest and mode of a registered `fd`, and arms it anew: a condition that holds now is reported,
    /// even if it was before.
    ///
    /// # Errors
    ///
    /// As for [`Poller::add`]; `NotFound` when `fd` is not registered.
    pub fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        user_token(token)
            .and_then(|token| self.selector.modify(fd, token, interest, mode))
            .map_err(|error| RegistrationError::wrap("modify", fd.as_raw_fd(), error))
    }

    /// Stops watching `fd`.
    ///
    /// Events that a wait has already fetched stay in its buffer: the token's generation tells them from later ones.
    ///
    /// # Errors
    ///
    /// `NotFound` when `fd` is not registered; it carries a [`RegistrationError`].
    pub fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.selector.delete(fd).map_err(|error| RegistrationError::wrap("delete", fd.as_raw_fd(), error))
    }

    /// Waits until something is ready, the waker is used, or `timeout` is over, and replaces the content of `events`.
    ///
    /// `None` waits as long as it takes, zero does not block. A timeout is rounded up to what the OS can measure (a nanosecond,
    /// a millisecond before Linux 5.11), never down. A wait may return before its time with no events, as when a signal
    /// handler ran on this thread or `timeout` is beyond the range of the OS: look at the clock, and wait again.
    ///
    /// # Errors
    ///
    /// What the OS reports; none is known for a poller that is open. `events` is empty then.
    pub fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        match self.selector.wait(&mut events.buffer, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        events.woken = events.buffer.remove(Token::WAKER);
        if events.woken {
            self.waker.consumed();
        }
        Ok(())
    }

    /// Returns a handle that makes waits on this poller return.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

/// Refuses the tokens that could be taken for the poller's own (P1).
fn user_token(token: Token) -> io::Result<Token> {
    if token.index() == Token::RESERVED_INDEX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "token index u32::MAX is reserved for the poller's waker",
        ));
    }
    Ok(token)
}

/// For nesting: the descriptor is readable when a wait would return events. Do not wait on it by other means.
impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.selector.as_fd()
    }
}

impl AsRawFd for Poller {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
