//! The state word and its transitions.

use std::fmt;

use tiny_coro_prim::atomic::{AtomicU32, Ordering};

/// Nobody sleeps, and there is nothing to take.
const EMPTY: u32 = 0;
/// There is a permit. Only `grant` enters this state, and only the owner leaves it.
const NOTIFIED: u32 = 1;
/// The owner sleeps, or is about to. Only the owner enters this state. One below EMPTY, so that one subtraction takes a
/// permit where there is one, and announces the sleep where there is none.
const PARKED: u32 = EMPTY.wrapping_sub(1);

/// The state of a parker: one word, which is also the word that the owner sleeps on.
pub(crate) struct Permit(AtomicU32);

/// What became of an owner that wanted to sleep.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Announce {
    /// There was a permit; it is taken, do not sleep.
    Taken,
    /// From now on `grant` wakes the owner: sleep on [`Permit::word`] for as long as it holds the value.
    Sleep { while_word_is: u32 },
}

/// What a grant must do now.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The owner is awake and finds the permit the next time it parks.
    Stored,
    /// The owner sleeps, or is about to: wake it.
    Wake,
}

impl Permit {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(EMPTY))
    }

    /// The word to sleep on.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Whether there is a permit, to the best of this thread's knowledge. Takes nothing.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        // Relaxed: a hint. Who acts on it takes the permit with an operation that acquires.
        self.0.load(Ordering::Relaxed) == NOTIFIED
    }

    /// NOTIFIED → EMPTY: the owner takes the permit if there is one.
    #[must_use]
    #[inline]
    pub(crate) fn take(&self) -> bool {
        if !self.is_there() {
            return false;
        }
        // Only the owner leaves NOTIFIED (K2): what the look has found is still there. A swap and not a store, because
        // another grant may have come in between, and its writes have to be seen as well.
        // ORDERING K3: acquire. Sees what the granters wrote before the release swaps in `grant`.
        let state = self.0.swap(EMPTY, Ordering::Acquire);
        debug_assert_eq!(state, NOTIFIED, "a second thread takes permits of one parker");
        true
    }

    /// NOTIFIED → EMPTY, or EMPTY → PARKED: the owner takes the permit, or else is about to sleep.
    #[inline]
    pub(crate) fn announce(&self) -> Announce {
        // ORDERING K3: acquire, as in `take`. An announcement publishes nothing, and what it competes with is `grant` on
        // the same word: it comes before this and is taken, or comes after and finds PARKED.
        match self.0.fetch_sub(1, Ordering::Acquire) {
            NOTIFIED => Announce::Taken,
            state => {
                debug_assert_eq!(state, EMPTY, "a second thread parks on one parker");
                Announce::Sleep { while_word_is: PARKED }
            }
        }
    }

    /// PARKED → EMPTY or NOTIFIED → EMPTY: the owner has slept long enough. Tells whether a permit came after all.
    #[must_use]
    pub(crate) fn retract(&self) -> bool {
        // One operation, so that a grant comes either before it, and is taken here, or after it, and is stored for the
        // next park (K1).
        // ORDERING K3: acquire, as in `take`.
        self.0.swap(EMPTY, Ordering::Acquire) == NOTIFIED
    }

    /// Any → NOTIFIED: any thread leaves a permit.
    #[inline]
    pub(crate) fn grant(&self) -> Grant {
        // A swap even where a permit is there already: the owner has to see the writes of every granter, and sees those
        // whose read-modify-write stands in the chain that it reads the end of.
        // ORDERING K3: release. Publishes the granter's writes to the acquire in `take`, `announce` or `retract`. Grants in
        // a row form one release sequence, so the owner sees the writes of each.
        match self.0.swap(NOTIFIED, Ordering::Release) {
            PARKED => Grant::Wake,
            _ => Grant::Stored,
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.load(Ordering::Relaxed) {
            EMPTY => "empty",
            NOTIFIED => "notified",
            _ => "parked",
        })
    }
}

#[cfg(all(test, not(tiny_coro_loom)))]
mod tests {
    use super::*;

    /// K5: the backend is called for an owner that has announced its sleep, once, and for no other.
    #[test]
    fn only_a_sleeper_is_woken() {
        let permit = Permit::new();
        assert_eq!([permit.grant(), permit.grant()], [Grant::Stored, Grant::Stored]);
        assert_eq!(permit.announce(), Announce::Taken);
        assert_eq!(permit.announce(), Announce::Sleep { while_word_is: PARKED });
        assert_eq!([permit.grant(), permit.grant()], [Grant::Wake, Grant::Stored]);
        assert!(permit.take() && !permit.take());
        assert_eq!(permit.announce(), Announce::Sleep { while_word_is: PARKED });
        assert!(!permit.retract());
        assert_eq!(permit.grant(), Grant::Stored);
    }
}
