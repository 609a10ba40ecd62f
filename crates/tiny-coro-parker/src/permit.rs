//! The state word and its transitions.

use tiny_coro_prim::atomic::{AtomicU32, Ordering};

/// Nobody sleeps, and there is nothing to take.
const EMPTY: u32 = 0;
/// The owner sleeps, or is about to. Only the owner enters this state.
const PARKED: u32 = 1;
/// There is a permit. Only `grant` enters this state.
const NOTIFIED: u32 = 2;

/// The state of a parker: one word, which is also the word that the owner sleeps on.
#[derive(Debug)]
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

    /// NOTIFIED → EMPTY: the owner takes the permit if there is one.
    #[must_use]
    pub(crate) fn take(&self) -> bool {
        // ORDERING K3: acquire. Sees what the granters wrote before the release swaps in `grant`. A failure sees nothing: the
        // owner goes on to sleep, or back to its caller without a permit.
        self.0.compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// EMPTY → PARKED, or NOTIFIED → EMPTY: the owner is about to sleep.
    pub(crate) fn announce(&self) -> Announce {
        // Relaxed: the announcement publishes no data, and the only thing it competes with is `grant` on the same word.
        match self.0.compare_exchange(EMPTY, PARKED, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Announce::Sleep { while_word_is: PARKED },
            Err(_) => {
                // Only the owner leaves NOTIFIED (K2), so the swap takes what the failed exchange saw.
                // ORDERING K3: acquire, as in `take`. Another grant may have come in between: the swap reads the latest.
                let state = self.0.swap(EMPTY, Ordering::Acquire);
                debug_assert_eq!(state, NOTIFIED, "a second thread parks on one parker");
                Announce::Taken
            }
        }
    }

    /// PARKED → EMPTY or NOTIFIED → EMPTY: the owner has slept long enough. Tells whether a permit came after all.
    #[must_use]
    pub(crate) fn retract(&self) -> bool {
        // ORDERING K3: acquire, as in `take`. One operation, so that a grant comes either before it, and is taken here, or
        // after it, and is stored for the next park (K1).
        self.0.swap(EMPTY, Ordering::Acquire) == NOTIFIED
    }

    /// Any → NOTIFIED: any thread leaves a permit.
    pub(crate) fn grant(&self) -> Grant {
        // ORDERING K3: release. Publishes the granter's writes to the acquire in `take`, `announce` or `retract`. Grants in a row
        // form one release sequence, so the owner sees the writes of each.
        match self.0.swap(NOTIFIED, Ordering::Release) {
            PARKED => Grant::Wake,
            _ => Grant::Stored,
        }
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
