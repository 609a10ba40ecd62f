//! How one worker sleeps: in the poller if it can have it, in its parker otherwise; and how others wake it.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | P1 | an unpark ends the sleep that is under way, or prevents the next one | `unpark` (swap), `prepare` (compare-exchange) | the idle protocol (I3) | `unpark_against_either_sleep`, `unpark_is_consumed_once`, `a_late_permit_is_no_unpark` |

use std::fmt;
use tiny_coro_parker::{Parker, Unparker};
use tiny_coro_prim::atomic::{AtomicUsize, Ordering};

const AWAKE: usize = 0;
const IN_PARKER: usize = 1;
const IN_DRIVER: usize = 2;
const NOTIFIED: usize = 3;

/// Where a worker is about to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Parker,
    Driver,
}

/// The side of a worker's sleep that other threads see.
pub(crate) struct Sleeper {
    state: AtomicUsize,
    unparker: Unparker,
}

impl Sleeper {
    pub(crate) fn new(parker: &Parker) -> Self {
        Self { state: AtomicUsize::new(AWAKE), unparker: parker.unparker() }
    }

    /// Announces where the worker sleeps. False if it was unparked meanwhile: it must not sleep.
    #[must_use = "a worker that was unparked must not sleep"]
    pub(crate) fn prepare(&self, place: Place) -> bool {
        let place = match place {
            Place::Parker => IN_PARKER,
            Place::Driver => IN_DRIVER,
        };
        // Relaxed: it publishes nothing, and `finish` acquires.
        if self.state.compare_exchange(AWAKE, place, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return true;
        }
        self.finish();
        false
    }

    /// Ends the sleep, and consumes an unpark that came meanwhile.
    pub(crate) fn finish(&self) {
        // ORDERING P1: acquire. Pairs with the release of the swap in `unpark`.
        self.state.swap(AWAKE, Ordering::Acquire);
    }

    /// True once somebody has called `unpark` on the sleep under way.
    pub(crate) fn is_notified(&self) -> bool {
        // Relaxed: it only ends the sleep, and `finish` acquires.
        self.state.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Where the worker sleeps, or is about to, if it does. For who looks at the runtime from outside.
    pub(crate) fn place(&self) -> Option<Place> {
        match self.state.load(Ordering::Relaxed) {
            IN_PARKER => Some(Place::Parker),
            IN_DRIVER => Some(Place::Driver),
            _ => None,
        }
    }

    /// Wakes the worker from wherever it sleeps. `notify_driver` ends the wait in the poller.
    pub(crate) fn unpark(&self, notify_driver: impl FnOnce()) {
        // ORDERING P1: release. What was done before this wake is seen by the worker it wakes, in `finish`.
        match self.state.swap(NOTIFIED, Ordering::Release) {
            IN_PARKER => self.unparker.unpark(),
            IN_DRIVER => notify_driver(),
            _ => {}
        }
    }
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.state.load(Ordering::Relaxed) {
            AWAKE => "awake",
            IN_PARKER => "in its parker",
            IN_DRIVER => "in the driver",
            _ => "notified",
        };
        f.write_str(place)
    }
}
