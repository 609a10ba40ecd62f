//! Since when the epoch has not moved.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::epoch::Epoch;

/// When the epoch was first found held back, and how often since.
///
/// Nothing is written while the epoch moves: whoever finds it held back looks at the clock, once an epoch. A pin of an
/// earlier epoch is at least as old. The lock is the standard library's even in a model: nothing hangs on who gets it.
#[derive(Debug)]
pub(super) struct Standstill(Mutex<Option<Found>>);

#[derive(Clone, Copy, Debug)]
struct Found {
    epoch: Epoch,
    since: Instant,
    attempts: usize,
}

impl Standstill {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Counts an attempt in vain to leave `epoch`; not at all if somebody else is counting.
    #[cold]
    pub(super) fn count(&self, epoch: Epoch) {
        if let Ok(mut found) = self.0.try_lock() {
            let found = of(&mut found, epoch);
            found.attempts = found.attempts.saturating_add(1);
        }
    }

    /// Returns for how long, at least, `epoch` has been held back, and the attempts to leave it since.
    pub(super) fn get(&self, epoch: Epoch) -> (Duration, usize) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = of(&mut found, epoch);
        (found.since.elapsed(), found.attempts)
    }
}

/// Returns what is known of `epoch`: if that is nothing, it begins here.
fn of(found: &mut Option<Found>, epoch: Epoch) -> &mut Found {
    if found.is_some_and(|found| found.epoch != epoch) {
        *found = None;
    }
    found.get_or_insert_with(|| Found { epoch, since: Instant::now(), attempts: 0 })
}
