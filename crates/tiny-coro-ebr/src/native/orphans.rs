//! Garbage whose owner is gone.

use std::sync::atomic::{AtomicUsize, Ordering};

use tiny_coro_prim::sync::Mutex;

use super::bag::Bag;
use super::epoch::Epoch;

/// Garbage without an owner: of threads that have left, or that have handed theirs over.
#[derive(Debug)]
pub(super) struct Orphans {
    bags: Mutex<Vec<Bag>>,
    /// How many bags there are, roughly: a hint that saves the lock. The standard library's atomic even in a model,
    /// as nothing hangs on when it is seen.
    count: AtomicUsize,
}

impl Orphans {
    pub(super) fn new() -> Self {
        Self { bags: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    pub(super) fn seem_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    pub(super) fn adopt(&self, new: impl IntoIterator<Item = Bag>) {
        let mut new = new.into_iter().peekable();
        if new.peek().is_some() {
            let mut bags = self.bags.lock();
            bags.extend(new);
            self.count.store(bags.len(), Ordering::Relaxed);
        }
    }

    /// Takes out the first bag that is out of everybody's reach at `now`; none if somebody else is at it.
    pub(super) fn take_expired(&self, now: Epoch) -> Option<Bag> {
        if self.seem_empty() {
            return None;
        }
        let mut bags = self.bags.try_lock()?;
        let expired = bags.iter().position(|bag| bag.has_expired(now)).map(|at| bags.remove(at));
        self.count.store(bags.len(), Ordering::Relaxed);
        expired
    }

    /// Takes out every bag, of a collector that nobody else has.
    pub(super) fn take_all(&mut self) -> Vec<Bag> {
        std::mem::take(self.bags.get_mut())
    }
}
