//! The epoch counter, and a participant's copy of it with its "active" bit.

use tiny_coro_prim::atomic::{AtomicUsize, Ordering};

/// How many advances after its tag a bag may be reclaimed.
///
/// A bag's tag is the last epoch in which anybody who can still reach its garbage may be pinned. The first advance
/// past the tag proves that whoever unlinked the garbage has since left its pin. The second is made by somebody who
/// pinned *after* that: its fence orders the unlinking before every pin that its scan does not see. One advance alone
/// would let through a reader that was scanned before the unlinking.
const GRACE: usize = 2;

/// The counter is moved up by two: the lowest bit of the word says whether a participant is pinned.
const STEP: usize = 2;
const PINNED: usize = 1;

/// Collectors start a few advances before the counter wraps, so that every long run crosses the wrap.
const START: usize = 0_usize.wrapping_sub(8 * STEP);

/// A value of the epoch counter. Wraps; two epochs are compared by their distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(usize);

impl Epoch {
    pub(super) const START: Self = Self(START);

    /// Returns the epoch after this one.
    #[inline]
    pub(super) const fn next(self) -> Self {
        Self(self.0.wrapping_add(STEP))
    }

    /// Returns whether garbage tagged with this epoch is out of every reader's reach at `now`.
    #[inline]
    pub(super) const fn has_expired(self, now: Self) -> bool {
        (now.0.wrapping_sub(self.0) as isize) >= (GRACE * STEP) as isize
    }

    /// Returns the number of advances since the collector started.
    pub(super) const fn advances(self) -> usize {
        self.0.wrapping_sub(START) / STEP
    }

    /// Returns how many advances this epoch is before `now`; zero if it is not.
    pub(super) fn behind(self, now: Self) -> usize {
        let distance = now.0.wrapping_sub(self.0) as isize;
        usize::try_from(distance).unwrap_or(0) / STEP
    }

    /// Returns the slot of this epoch in a ring of `len`, a power of two.
    #[inline]
    pub(super) const fn slot(self, len: usize) -> usize {
        (self.0 / STEP) & (len - 1)
    }
}

/// The epoch counter of a collector.
#[derive(Debug)]
pub(super) struct AtomicEpoch(AtomicUsize);

impl AtomicEpoch {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(START))
    }

    #[inline]
    pub(super) fn load(&self) -> Epoch {
        // ORDERING E3: acquire. Whoever sees an epoch also sees every critical section whose end the advance had to
        // see.
        Epoch(self.0.load(Ordering::Acquire))
    }

    /// Moves from `now` to the next epoch. Losing means that somebody else has just done so.
    pub(super) fn advance(&self, now: Epoch) -> bool {
        // ORDERING E3: release. Hands on what the scan acquired from the participants to the acquire load of the epoch.
        self.0.compare_exchange(now.0, now.next().0, Ordering::Release, Ordering::Relaxed).is_ok()
    }
}

/// What one participant shows the others: not pinned, or pinned in an epoch.
#[derive(Debug)]
pub(super) struct PinWord(AtomicUsize);

impl PinWord {
    const UNPINNED: usize = 0;

    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(Self::UNPINNED))
    }

    /// Shows that this participant is pinned in `epoch`, then orders that before everything that follows.
    #[inline]
    pub(super) fn publish(&self, epoch: Epoch) {
        // ORDERING E1: the store that the fence orders before what is read under the pin.
        // ORDERING E2: release. A participant that pins again has left its former pin: a scan that sees only the new
        // one acquires the old one's reads from here.
        self.0.store(epoch.0 | PINNED, Ordering::Release);
        full_fence();
    }

    /// Shows that this participant holds no reference any more.
    #[inline]
    pub(super) fn retract(&self) {
        // ORDERING E2: release. Everything read under the pin happens before the acquire load of a scan that sees it
        // gone.
        self.0.store(Self::UNPINNED, Ordering::Release);
    }

    /// Returns whether this participant keeps the epoch from leaving `now`. Called by a scan, whose fence was at its
    /// own pin.
    #[inline]
    pub(super) fn blocks(&self, now: Epoch) -> bool {
        // ORDERING E2: acquire. Pairs with the release stores of `retract` and `publish`.
        let word = self.0.load(Ordering::Acquire);
        word & PINNED != 0 && word != now.0 | PINNED
    }

    /// Returns the epoch in which this participant is pinned, as a hint.
    pub(super) fn pinned_in(&self) -> Option<Epoch> {
        let word = self.0.load(Ordering::Relaxed);
        (word & PINNED != 0).then_some(Epoch(word & !PINNED))
    }
}

/// The full fence of a pin, and with it of an advance, which only somebody pinned in the current epoch makes.
#[inline]
pub(super) fn full_fence() {
    // ORDERING E1, E9: sequentially consistent, both sides of one store-load protocol. A reader stores its word,
    // fences, then reads shared pointers. An advance comes after the unlinking of a pointer, fences (at the pin of
    // whoever makes it), then reads the words. Whichever fence is first: the scan sees the pin, or the reader sees
    // the pointer unlinked.
    tiny_coro_prim::atomic::fence(Ordering::SeqCst);
}
