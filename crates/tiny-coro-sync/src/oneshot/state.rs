//! The state word of a oneshot channel: named bits, one method per transition.

use std::fmt;

use tiny_coro_prim::atomic::{AtomicU8, Ordering};

/// The value is in its cell. Set once, by the sender, and never with `CLOSED` set before it.
const VALUE: u8 = 1 << 0;
/// The sender has sent, or was dropped unsent: no value will come that isn't there. Set once, by the sender.
const COMPLETE: u8 = 1 << 1;
/// The receiver takes no value that isn't there yet. Set once, by the receiver; `VALUE` can't follow.
const CLOSED: u8 = 1 << 2;
/// The receiver's waker is in its cell and may be taken by the sender. Set by the receiver, cleared by either.
const RECEIVER_WAITS: u8 = 1 << 3;
/// The sender's waker is in its cell and may be taken by the receiver. Set by the sender, cleared by either.
const SENDER_WAITS: u8 = 1 << 4;
/// The sender doesn't touch the memory any more. Set last, by the sender.
const SENDER_GONE: u8 = 1 << 5;
/// The receiver doesn't touch the memory any more. Set last, by the receiver.
const RECEIVER_GONE: u8 = 1 << 6;

/// One of the two halves, as the transitions that both have see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Sender,
    Receiver,
}

impl Half {
    fn waits(self) -> u8 {
        match self {
            Self::Sender => SENDER_WAITS,
            Self::Receiver => RECEIVER_WAITS,
        }
    }

    fn gone(self) -> u8 {
        match self {
            Self::Sender => SENDER_GONE,
            Self::Receiver => RECEIVER_GONE,
        }
    }

    /// The bit that this half waits for: the other one's end.
    fn awaited(self) -> u8 {
        match self {
            Self::Sender => CLOSED,
            Self::Receiver => COMPLETE,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Sender => Self::Receiver,
            Self::Receiver => Self::Sender,
        }
    }
}

/// What the word said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot(u8);

impl Snapshot {
    pub(super) fn has_value(self) -> bool {
        self.0 & VALUE != 0
    }

    pub(super) fn is_complete(self) -> bool {
        self.0 & COMPLETE != 0
    }

    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// Whether `half` has a waker in its cell that may be taken by the other one.
    pub(super) fn waits(self, half: Half) -> bool {
        self.0 & half.waits() != 0
    }

    pub(super) fn is_gone(self, half: Half) -> bool {
        self.0 & half.gone() != 0
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["VALUE", "COMPLETE", "CLOSED", "RECEIVER_WAITS", "SENDER_WAITS", "SENDER_GONE", "RECEIVER_GONE"];
        f.debug_set().entries(names.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 != 0).map(|e| e.1)).finish()
    }
}

/// What has become of a half that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum End {
    /// The other half is still there and frees the memory.
    Left,
    /// The other half had waited. Its waker is now the caller's to take; then [`State::leave`].
    TakeWaker,
    /// The other half is gone: the memory is the caller's to free.
    Last,
}

/// The atomic word.
pub(super) struct State(AtomicU8);

impl State {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    #[inline]
    pub(super) fn load(&self) -> Snapshot {
        // ORDERING O1: acquire. Pairs with the release in `finish`: who sees VALUE sees the value.
        // ORDERING O3: acquire. Pairs with the releases in `finish` and `leave`: who sees the other half gone may free.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// Ends the sender's business: with a value in the cell (`value`) or without.
    ///
    /// `Err` if it comes with a value and the receiver has closed: the value stays the sender's, nothing has changed.
    #[inline]
    pub(super) fn complete(&self, value: bool) -> Result<End, ()> {
        let bits = if value { COMPLETE | VALUE } else { COMPLETE };
        self.finish(Half::Sender, bits, if value { CLOSED } else { 0 })
    }

    /// Ends the receiver's business: no value is taken any more.
    #[inline]
    pub(super) fn close_and_leave(&self) -> End {
        match self.finish(Half::Receiver, CLOSED, 0) {
            Ok(end) => end,
            Err(()) => unreachable!("nothing refuses a close"),
        }
    }

    /// Sets the bits of a half that ends, and leaves at once if there is no waker to take.
    #[inline]
    fn finish(&self, half: Half, bits: u8, refused_by: u8) -> Result<End, ()> {
        let other = half.other();
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            if state & refused_by != 0 {
                return Err(());
            }
            let waits = state & other.waits() != 0;
            let next = if waits { (state | bits) & !other.waits() } else { state | bits | half.gone() };
            // ORDERING O1: release. Publishes the value to the acquire in `load`.
            // ORDERING O2: acquire. Pairs with the release in `publish_waker`, so the other's waker may be taken.
            // ORDERING O3: both. The first half to leave releases the memory, the last acquires it.
            match self.0.compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if waits => return Ok(End::TakeWaker),
                Ok(_) if state & other.gone() != 0 => return Ok(End::Last),
                Ok(_) => return Ok(End::Left),
                Err(now) => state = now,
            }
        }
    }

    /// Closes without leaving. True if the sender had waited: its waker is now the caller's to take.
    #[must_use]
    pub(super) fn close(&self) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            let next = (state | CLOSED) & !SENDER_WAITS;
            // ORDERING O2: acquire. Pairs with the release in `publish_waker`, so the waker may be taken.
            // ORDERING O1: release. Who sees CLOSED in `load` sees what the receiver did before.
            match self.0.compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return state & SENDER_WAITS != 0,
                Err(now) => state = now,
            }
        }
    }

    /// The last access of a half that had a waker to take.
    pub(super) fn leave(&self, half: Half) -> End {
        // ORDERING O3: both, as in `finish`: releases the memory, or acquires it from the half that left first.
        let before = Snapshot(self.0.fetch_or(half.gone(), Ordering::AcqRel));
        if before.is_gone(half.other()) { End::Last } else { End::Left }
    }

    /// Takes the permission to read the cell of `half`'s waker back. False if the other half has it.
    #[must_use]
    pub(super) fn retract_waker(&self, half: Half) -> bool {
        // No edge: if the bit was still set, the other half has not touched the cell and now won't.
        self.0.fetch_and(!half.waits(), Ordering::Relaxed) & half.waits() != 0
    }

    /// Lets the other half take the waker in `half`'s cell. False if what `half` waits for has happened: nobody will.
    #[must_use]
    pub(super) fn publish_waker(&self, half: Half) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        while state & half.awaited() == 0 {
            // ORDERING O2: release. Publishes the waker to the acquire in `finish` and `close`.
            match self.0.compare_exchange_weak(state, state | half.waits(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }
}
