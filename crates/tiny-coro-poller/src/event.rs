//! Events, and the buffer that a wait fills.

use std::fmt;

use crate::Token;
use crate::sys;

/// One report of readiness.
///
/// The questions are hints in one direction: *yes* means that the operation will not block (it may also end in an
/// error, or at the end of the stream), *no* says nothing. On kqueue the two directions of one descriptor come as two events.
///
/// What happened, and what each backend then says of a socket, or of the other end of a pipe, watched in both directions:
///
/// | | epoll | kqueue | `mio` on epoll |
/// |---|---|---|---|
/// | the peer shut down writing | readable, read hang-up | readable, read hang-up | as epoll |
/// | the writing end of a pipe was closed | all but error | readable, read hang-up | as epoll |
/// | both directions are down, without an error | all but error | (readable, read hang-up) and (writable, write hang-up) | as epoll |
/// | reset by the peer | all | the same two, with error | readable, writable, read hang-up, error |
/// | the reading end of a pipe was closed | readable, writable, error | writable, write hang-up | as epoll |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    token: Token,
    pub(crate) flags: Flags,
}

/// What an event says, in the backends' common words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) error: bool,
    pub(crate) hang_up: bool,
    pub(crate) read_hang_up: bool,
    pub(crate) write_hang_up: bool,
}

impl Event {
    pub(crate) fn new(token: Token, flags: Flags) -> Self {
        Self { token, flags }
    }

    /// Returns the token given at registration.
    #[must_use]
    pub fn token(&self) -> Token {
        self.token
    }

    /// Whether a read will not block: there is data, the stream has ended, or an error waits to be fetched.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.flags.readable
    }

    /// Whether a write will not block: there is space, or it would fail at once.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.flags.writable
    }

    /// Whether an error waits on the descriptor (`SO_ERROR`), or nobody reads the other end of a pipe.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.flags.error
    }

    /// Whether both directions are closed. Never on kqueue, which reports each direction on its own.
    #[must_use]
    pub fn is_hang_up(&self) -> bool {
        self.flags.hang_up
    }

    /// Whether the peer has shut down its writing half: after what is buffered, reads return 0.
    #[must_use]
    pub fn is_read_hang_up(&self) -> bool {
        self.flags.read_hang_up
    }

    /// Whether writing is over: a write fails, now and for good. On Linux a pipe without a reader is an [error](Self::is_error) instead. On
    /// kqueue also after this side has shut down its own
    /// writing half, so that it says nothing about reading.
    #[must_use]
    pub fn is_write_hang_up(&self) -> bool {
        self.flags.write_hang_up
    }
}

/// The buffer that [`Poller::wait`](crate::Poller::wait) fills.
///
/// It is allocated once and reused. Wake-ups of the poller itself do not appear among the events, only in
/// [`Events::woken`] (P1).
pub struct Events {
    pub(crate) buffer: sys::EventBuffer,
    pub(crate) woken: bool,
}

impl Events {
    /// Makes a buffer for up to `capacity` events a wait; 0 counts as 1.
    ///
    /// Events beyond the capacity are not lost: the next wait reports them.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { buffer: sys::EventBuffer::with_capacity(capacity.max(1)), woken: false }
    }

    /// Returns the events of the last wait.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { events: self, next: 0 }
    }

    /// Returns how many events the last wait reported.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the last wait reported no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many events one wait can report.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Whether the last wait consumed a [`Waker::wake`](crate::Waker::wake).
    #[must_use]
    pub fn woken(&self) -> bool {
        self.woken
    }

    /// Forgets the events of the last wait.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.woken = false;
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("woken", &self.woken)
            .field("capacity", &self.capacity())
            .field("events", &self.iter().collect::<Vec<_>>())
            .finish()
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = Event;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Iterates over the events of one wait; see [`Events::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    events: &'a Events,
    next: usize,
}

impl Iterator for Iter<'_> {
    type Item = Event;

    #[inline]
    fn next(&mut self) -> Option<Event> {
        let event = self.events.buffer.get(self.next)?;
        self.next += 1;
        Some(event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.events.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
