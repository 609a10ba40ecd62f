//! Garbage whose owner is gone.

use std::sync::atomic::{AtomicUsize, Ordering};

use tiny_coro_prim::sync::Mutex;

use crate::bag::Bag;
use crate::epoch::Epoch;

/// Garbage without an owner: of threads that have left, or that have handed theirs over.
#[derive(Debug)]
pub(crate) struct Orphans {
    bags: Mutex<Vec<Bag>>,
    /// How many bags there are, roughly: a hint that saves the lock. The standard library's atomic even in a model,
    /// as nothing hangs on when it is seen.
    count: AtomicUsize,
}

impl Orphans {
    pub(crate) fn new() -> Self {
        Self { bags: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    pub(crate) fn seem_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn adopt(&self, new: impl IntoIterator<Item = Bag>) {
        let mut new = new.into_iter().peekable();
        if new.peek().is_some() {
            let mut bags = self.bags.lock();
            bags.extend(new);
            self.count.store(bags.len(), Ordering::Relaxed);
        }
    }

    /// Takes out the bags that are out of everybody's reach at `now`; none if somebody else is at it.
    pub(crate) fn take_expired(&self, now: Epoch) -> Vec<Bag> {
        if self.seem_empty() {
            return Vec::new();
        }
        let Some(mut bags) = self.bags.try_lock() else { return Vec::new() };
        let expired = bags.extract_if(.., |bag| bag.has_expired(now)).collect();
        self.count.store(bags.len(), Ordering::Relaxed);
        expired
    }

    /// Takes out every bag, of a collector that nobody else has.
    pub(crate) fn take_all(&mut self) -> Vec<Bag> {
        std::mem::take(self.bags.get_mut())
    }
}
