//! The state word of one registered source: what the operating system said last, and when.

use std::fmt;
use tiny_coro_poller::Event;
use tiny_coro_prim::atomic::{AtomicUsize, Ordering};

/// Reading will not block: data, end of stream or an error is there.
pub(crate) const READABLE: usize = 1 << 0;
/// Writing will not block, or will fail at once.
pub(crate) const WRITABLE: usize = 1 << 1;
/// The peer has shut down its writing half. Never cleared: `read` answers at once from here on.
const READ_CLOSED: usize = 1 << 2;
/// Both halves are down. Never cleared: `write` answers at once from here on.
const WRITE_CLOSED: usize = 1 << 3;
/// The source left the reactor. Never cleared; both directions answer with an error.
const GONE: usize = 1 << 4;
/// The rest of the word counts events, so that a caller can only clear what it has seen.
const TICK: usize = 1 << 8;
const BITS: usize = TICK - 1;

/// Which half of a source an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Data to read, a connection to accept, or the end of the stream.
    Read,
    /// Room to write, or a connection attempt that has ended.
    Write,
}

impl Direction {
    fn wanted(self) -> usize {
        match self {
            Direction::Read => READABLE | READ_CLOSED | GONE,
            Direction::Write => WRITABLE | WRITE_CLOSED | GONE,
        }
    }

    fn clearable(self) -> usize {
        match self {
            Direction::Read => READABLE,
            Direction::Write => WRITABLE,
        }
    }
}

/// A readiness that was seen, to be handed to [`Source::clear_ready`](crate::Source::clear_ready) when an
/// operation found that it no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    seen: usize,
}

impl Ready {
    /// Returns true if the peer will send no more: the end of the stream is due, perhaps behind buffered data.
    pub fn is_read_closed(self) -> bool {
        self.seen & READ_CLOSED != 0
    }

    /// Returns true if writing can only fail.
    pub fn is_write_closed(self) -> bool {
        self.seen & WRITE_CLOSED != 0
    }

    pub(crate) fn is_gone(self) -> bool {
        self.seen & GONE != 0
    }
}

/// The atomic state word. Invariants R1 and R2 of the crate page.
pub(crate) struct Readiness(AtomicUsize);

impl Readiness {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Returns what is ready for `direction`, or `None`.
    pub(crate) fn get(&self, direction: Direction) -> Option<Ready> {
        // ORDERING R1: acquire. Pairs with the release in `record` and `leave`: who sees the bit sees what led to it.
        let seen = self.0.load(Ordering::Acquire);
        (seen & direction.wanted() != 0).then_some(Ready { seen })
    }

    /// Records an event: sets its bits and starts a new tick.
    pub(crate) fn record(&self, event: &Event) {
        let mut bits = 0;
        if event.is_readable() {
            bits |= READABLE;
        }
        if event.is_writable() {
            bits |= WRITABLE;
        }
        if event.is_read_hang_up() {
            bits |= READ_CLOSED;
        }
        // An error alone is readable and writable, and over once it is fetched: not a closed source.
        if event.is_hang_up() {
            bits |= READ_CLOSED | WRITE_CLOSED;
        }
        self.set(bits);
    }

    /// Marks the source as gone from the reactor.
    pub(crate) fn leave(&self) {
        self.set(GONE);
    }

    pub(crate) fn set(&self, bits: usize) {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            let next = (now | bits).wrapping_add(TICK);
            // ORDERING R1: release. Publishes the event to the acquire load in `get`. Failure only retries: relaxed.
            match self.0.compare_exchange_weak(now, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(found) => now = found,
            }
        }
    }

    /// Clears `direction` unless an event has come since `ready` was seen (invariant R2).
    pub(crate) fn clear(&self, direction: Direction, ready: Ready) {
        let mut now = self.0.load(Ordering::Relaxed);
        while now & !BITS == ready.seen & !BITS && now & direction.clearable() != 0 {
            let next = now & !direction.clearable();
            // ORDERING R1: release. Keeps the release sequence of `record` whole for readers of the other direction.
            match self.0.compare_exchange_weak(now, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(found) => now = found,
            }
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.0.load(Ordering::Relaxed);
        f.debug_struct("Readiness")
            .field("readable", &(now & READABLE != 0))
            .field("writable", &(now & WRITABLE != 0))
            .field("read_closed", &(now & READ_CLOSED != 0))
            .field("write_closed", &(now & WRITE_CLOSED != 0))
            .field("gone", &(now & GONE != 0))
            .field("events", &(now / TICK))
            .finish()
    }
}
