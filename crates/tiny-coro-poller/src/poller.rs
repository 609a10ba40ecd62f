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
/// # Deleting and closing
///
/// A registration is not an owner: the descriptor stays the caller's, who may close it at any time. **Delete before
/// closing**, and there is nothing to think about. Without the delete:
///
/// - On kqueue the registration ends with the close.
/// - On epoll it ends when the last descriptor of the same open file is closed. If there are duplicates (`try_clone`,
///   `dup`, a child after `fork`), it lives on: its events come with the old token, and nobody can delete it any more.
/// - With `mio` it ends as on the system below; one that is one-shot and was reported stays in the adapter's table until a
///   descriptor with the same number is added.
///
/// The generation in the token is what makes late events harmless in each of these cases.
///
/// # Examples
///
/// Two threads share a poller; a one-shot is served by one of them, which arms it anew.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};
///
/// let (here, mut there) = UnixStream::pair()?;
/// let (poller, token) = (Poller::new()?, Token::new(0, 0));
/// poller.add(&here, token, Interest::READABLE, Mode::Oneshot)?;
/// let serve = || {
///     let mut events = Events::with_capacity(64);
///     while !events.woken() {
///         poller.wait(&mut events, None)?;
///         for _ in &events {
///             let mut byte = [0];
///             (&here).read_exact(&mut byte)?;
///             poller.modify(&here, token, Interest::READABLE, Mode::Oneshot)?;
///             if byte == *b"!" {
///                 poller.waker().wake()?;
///             }
///         }
///     }
///     poller.waker().wake() // the next one
/// };
/// std::thread::scope(|scope| {
///     let servers = [scope.spawn(serve), scope.spawn(serve)];
///     there.write_all(b"abc!")?;
///     servers.into_iter().try_for_each(|server| server.join().unwrap())
/// })?;
/// # std::io::Result::Ok(())
/// ```
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
    /// What the OS reports, as when the process has too many descriptors open (a poller takes two on Linux, one with kqueue,
    /// one more with `mio`).
    pub fn new() -> io::Result<Self> {
        let selector = sys::Selector::new()?;
        let waker = Waker::new(selector.signal(Token::WAKER)?);
        Ok(Self { selector, waker })
    }

    /// Starts to watch `source`: a socket, a pipe, or whatever else has a descriptor with readiness.
    ///
    /// A condition that holds already is reported by the next wait, in every mode. To add what is registered already is a
    /// mistake, which epoll reports (also through `mio`, unless it is a one-shot that was reported) and kqueue takes for a
    /// [`modify`](Poller::modify).
    ///
    /// # Errors
    ///
    /// Each carries a [`RegistrationError`]: `AlreadyExists` as above, `PermissionDenied` for a kind of file that has no
    /// readiness, such as a regular file on Linux, `StorageFull` and `OutOfMemory` when the system's limits are reached,
    /// `BrokenPipe` on kqueue for writing to a pipe that nobody reads any more, and `InvalidInput` for a token with
    /// [`Token::RESERVED_INDEX`]. After an error the descriptor is not registered.
    pub fn add(&self, source: impl AsFd, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        let fd = source.as_fd();
        user_token(token)
            .and_then(|token| self.selector.add(fd, token, interest, mode))
            .map_err(|error| RegistrationError::wrap("add", fd.as_raw_fd(), error))
    }

    /// Replaces token, interest and mode of a registered `source`, and arms it anew: a condition that holds now is reported,
    /// even if it was before.
    ///
    /// # Errors
    ///
    /// As for [`Poller::add`]; `NotFound` when `source` is not registered. On epoll the old registration is then as it was;
    /// on kqueue, which has to delete and add, it may be gone.
    pub fn modify(&self, source: impl AsFd, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        let fd = source.as_fd();
        user_token(token)
            .and_then(|token| self.selector.modify(fd, token, interest, mode))
            .map_err(|error| RegistrationError::wrap("modify", fd.as_raw_fd(), error))
    }

    /// Stops watching `source`.
    ///
    /// Events that a wait has already fetched stay in its buffer: the token's generation tells them from later ones.
    ///
    /// # Errors
    ///
    /// `NotFound` when `source` is not registered; it carries a [`RegistrationError`].
    pub fn delete(&self, source: impl AsFd) -> io::Result<()> {
        let fd = source.as_fd();
        self.selector.delete(fd).map_err(|error| RegistrationError::wrap("delete", fd.as_raw_fd(), error))
    }

    /// Waits until something is ready, the waker is used, or `timeout` is over, and replaces the content of `events`.
    ///
    /// `None` waits as long as it takes, zero does not block. A timeout is rounded up to what the OS can measure (a
    /// nanosecond; a millisecond before Linux 5.11 and with `mio`), never down. A wait may return before its time with no events, as when
    /// a signal handler ran on this thread or `timeout` is beyond the range of the OS: look at the clock, and wait again.
    ///
    /// # Errors
    ///
    /// What the OS reports; none is known for a poller that is open. `events` is empty then, and what was ready stays so for
    /// the next wait.
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
