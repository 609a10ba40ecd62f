//! The state word of one registered source: what the operating system said last, and when.
//!
//! ```text
//!   usize::BITS          8       5       4        3          2           1          0
//!   ┌────────────────────┬───────┬──────┬──────────┬──────────┬──────────┬──────────┐
//!   │ tick: events so far│   0   │ GONE │ W_CLOSED │ R_CLOSED │ WRITABLE │ READABLE │
//!   └────────────────────┴───────┴──────┴──────────┴──────────┴──────────┴──────────┘
//!   + 1 with each event
//! ```
//!
//! `READABLE` and `WRITABLE` are cleared by who guesses that an operation would block, or was told so; the closed bits only by who
//! was told so; `GONE` by nobody.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};
use tiny_coro_poller::{Event, Interest};
use tiny_coro_prim::atomic::{AtomicUsize, Ordering};

/// Reading will not block: data, end of stream or an error is there.
const READABLE: usize = 1 << 0;
/// Writing will not block, or will fail at once.
const WRITABLE: usize = 1 << 1;
/// The peer has shut down its writing half: `read` answers at once from here on. For a connection that is for good, but a
/// terminal or a serial line that has hung up may come back.
const READ_CLOSED: usize = 1 << 2;
/// Both halves are down: `write` answers at once from here on, with the same exception.
const WRITE_CLOSED: usize = 1 << 3;
/// The source left the reactor. Never cleared; both directions answer with an error.
const GONE: usize = 1 << 4;
/// The rest of the word counts events, so that a caller can only clear what it has seen. Where it has 24 bits, a caller that
/// is held up for exactly 2²⁴ events between its operation and its clearing would hide the last of them.
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
    pub(crate) fn interest(self) -> Interest {
        match self {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        }
    }
}

/// What ends the wait for a direction, or for either of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted(usize);

impl Wanted {
    const READ: usize = READABLE | READ_CLOSED;
    const WRITE: usize = WRITABLE | WRITE_CLOSED;

    /// What a guess clears. Who has read less than asked for guesses that there is no more, but the end of the stream may
    /// have come with what was read.
    fn clearable(self) -> usize {
        self.0 & (READABLE | WRITABLE)
    }

    /// What the operating system's own word clears: an operation that would block meets neither data nor an end.
    fn refutable(self) -> usize {
        self.0 & !GONE
    }
}

impl From<Direction> for Wanted {
    #[inline]
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Read => Self(Self::READ | GONE),
            Direction::Write => Self(Self::WRITE | GONE),
        }
    }
}

impl From<Interest> for Wanted {
    fn from(interest: Interest) -> Self {
        let read = if interest.is_readable() { Self::READ } else { 0 };
        let write = if interest.is_writable() { Self::WRITE } else { 0 };
        Self(read | write | GONE)
    }
}

impl From<Ready> for Wanted {
    fn from(ready: Ready) -> Self {
        Self(ready.seen & BITS)
    }
}

/// What a source was ready for when somebody looked.
///
/// It also knows when that was: a readiness that was handed out can be cleared
/// ([`Source::clear_ready`](crate::Source::clear_ready)) only while nothing newer has happened. Two of them are equal if they
/// say the same, whenever that was.
#[derive(Clone, Copy)]
pub struct Ready {
    seen: usize,
}

impl Ready {
    /// Ready for nothing.
    pub const EMPTY: Ready = Ready { seen: 0 };
    /// A read will not block.
    pub const READABLE: Ready = Ready { seen: READABLE };
    /// A write will not block.
    pub const WRITABLE: Ready = Ready { seen: WRITABLE };
    /// The peer will send no more.
    pub const READ_CLOSED: Ready = Ready { seen: READ_CLOSED };
    /// Writing can only fail.
    pub const WRITE_CLOSED: Ready = Ready { seen: WRITE_CLOSED };
    /// The source is no longer registered.
    pub(crate) const GONE: Ready = Ready { seen: GONE };

    /// Returns true if a read will not block, were it only because it fails.
    pub fn is_readable(self) -> bool {
        self.seen & (Wanted::READ | GONE) != 0
    }

    /// Returns true if a write will not block, were it only because it fails.
    pub fn is_writable(self) -> bool {
        self.seen & (Wanted::WRITE | GONE) != 0
    }

    /// Returns true if the peer will send no more: the end of the stream is due, perhaps behind buffered data.
    pub fn is_read_closed(self) -> bool {
        self.seen & READ_CLOSED != 0
    }

    /// Returns true if writing can only fail.
    pub fn is_write_closed(self) -> bool {
        self.seen & WRITE_CLOSED != 0
    }

    /// Returns true if it says nothing.
    pub fn is_empty(self) -> bool {
        self.seen & BITS == 0
    }

    /// Returns true if it says all that `other` says.
    pub fn contains(self, other: Ready) -> bool {
        self.seen & other.seen & BITS == other.seen & BITS
    }

    pub(crate) fn is_gone(self) -> bool {
        self.seen & GONE != 0
    }

    /// What of it concerns `wanted`, as of the same moment.
    pub(crate) fn only(self, wanted: impl Into<Wanted>) -> Ready {
        Ready { seen: self.seen & (wanted.into().0 | !BITS) }
    }

    /// The rest without what `other` says, as of the same moment.
    pub(crate) fn without(self, other: Ready) -> Ready {
        Ready { seen: self.seen & !(other.seen & BITS) }
    }
}

/// What an event of the poller says.
impl From<Event> for Ready {
    fn from(event: Event) -> Ready {
        let mut seen = 0;
        // An error alone is readable and writable, and over once it is fetched: not a closed source.
        if event.is_readable() || event.is_error() {
            seen |= READABLE;
        }
        if event.is_writable() || event.is_error() {
            seen |= WRITABLE;
        }
        if event.is_read_hang_up() || event.is_hang_up() {
            seen |= READ_CLOSED;
        }
        if event.is_write_hang_up() || event.is_hang_up() {
            seen |= WRITE_CLOSED;
        }
        Ready { seen }
    }
}

/// Says what both say. As of when is left open: the result cannot be used to clear.
impl BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        Ready { seen: (self.seen | other.seen) & BITS }
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        *self = *self | other;
    }
}

impl PartialEq for Ready {
    fn eq(&self, other: &Ready) -> bool {
        self.seen & BITS == other.seen & BITS
    }
}

impl Eq for Ready {}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ready(")?;
        write_bits(self.seen, f)?;
        f.write_str(")")
    }
}

/// The atomic state word. Invariants R1 and R2 of the crate page.
pub(crate) struct Readiness(AtomicUsize);

impl Readiness {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Returns what is ready, or `None` if none of `wanted` is.
    #[inline]
    pub(crate) fn get(&self, wanted: impl Into<Wanted>) -> Option<Ready> {
        // ORDERING R1: acquire. Pairs with the release in `set`: who sees the bit sees what led to it.
        let seen = self.0.load(Ordering::Acquire);
        (seen & wanted.into().0 != 0).then_some(Ready { seen })
    }

    /// Adds what has happened, and starts a new tick.
    pub(crate) fn set(&self, what: Ready) {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            let next = (now | (what.seen & BITS)).wrapping_add(TICK);
            // ORDERING R1: release. Publishes the event to the acquire load in `get`. Failure only retries: relaxed.
            match self.0.compare_exchange_weak(now, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(found) => now = found,
            }
        }
    }

    /// Clears what `wanted` says, but not that a direction is closed, unless an event has come since `ready` was seen
    /// (invariant R2).
    #[inline]
    pub(crate) fn clear(&self, wanted: impl Into<Wanted>, ready: Ready) {
        self.remove(wanted.into().clearable(), ready);
    }

    /// Clears all that `wanted` says, because an operation would have blocked, unless an event has come since `ready` was seen
    /// (invariant R2).
    #[inline]
    pub(crate) fn refute(&self, wanted: impl Into<Wanted>, ready: Ready) {
        self.remove(wanted.into().refutable(), ready);
    }

    fn remove(&self, bits: usize, ready: Ready) {
        let mut now = self.0.load(Ordering::Relaxed);
        while now & !BITS == ready.seen & !BITS && now & bits != 0 {
            // ORDERING R1: relaxed. It publishes nothing, and as a read-modify-write it goes on with the release sequence of the
            // `set` before it: who reads the word that is left still acquires what that published.
            match self.0.compare_exchange_weak(now, now & !bits, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(found) => now = found,
            }
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.0.load(Ordering::Relaxed);
        f.write_str("Readiness(")?;
        write_bits(now, f)?;
        write!(f, ", {} events)", now / TICK)
    }
}

fn write_bits(word: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names = [
        (READABLE, "READABLE"),
        (WRITABLE, "WRITABLE"),
        (READ_CLOSED, "READ_CLOSED"),
        (WRITE_CLOSED, "WRITE_CLOSED"),
        (GONE, "GONE"),
    ];
    let mut set = names.iter().filter(|(bit, _)| word & bit != 0).map(|(_, name)| *name);
    f.write_str(set.next().unwrap_or("EMPTY"))?;
    set.try_for_each(|name| write!(f, " | {name}"))
}
