//! One shard's timers: a queue under a lock, and a bound on its first deadline that is read without.

use crate::alarm::NEVER;
use std::task::Waker;
use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicU64, Ordering};
use tiny_coro_prim::sync::Mutex;
use tiny_coro_timer::{Key, TimerQueue};

/// How many timers fire under one hold of the lock, so that a burst does not keep out who sets one.
const BATCH: usize = 128;

/// Deadlines in ticks of the reactor's clock. User code (a waker's clone, wake or drop) never runs under the lock.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Never later than the first deadline (invariant R5): lowered by `insert`, but not raised by `cancel`, so that the usual
    /// life of a time-out, set and cancelled, writes it once in a while. On a line of its own: the turning thread reads it.
    earliest: CachePadded<AtomicU64>,
    timers: Mutex<Timers>,
}

#[derive(Debug, Default)]
struct Timers {
    queue: TimerQueue<Waker>,
    /// True once nobody will turn the reactor any more.
    shut: bool,
}

/// A deadline that was entered.
#[derive(Debug)]
pub(crate) struct Inserted {
    pub(crate) key: Key,
    /// True if it has lowered the bound: the caller looks whether a sleeping thread must hear of it.
    pub(crate) first: bool,
}

/// What has become of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// It has fired, or its queue was shut.
    Over,
    /// It waits, and wakes the task that asks.
    Waits,
    /// It waits, but wakes another task.
    WaitsForAnother,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { earliest: CachePadded::new(AtomicU64::new(NEVER)), timers: Mutex::default() }
    }

    /// Enters a deadline. Gives the waker back if the queue is shut.
    pub(crate) fn insert(&self, deadline: u64, waker: Waker) -> Result<Inserted, Waker> {
        let mut timers = self.timers.lock();
        if timers.shut {
            return Err(waker);
        }
        let key = timers.queue.insert(deadline, waker);
        Ok(Inserted { key, first: self.lower(deadline) })
    }

    /// Moves a deadline that still waits. The second value is true if that lowered the bound.
    pub(crate) fn reset(&self, key: Key, deadline: u64) -> (Timer, bool) {
        let mut timers = self.timers.lock();
        if timers.queue.reset(key, deadline) { (Timer::Waits, self.lower(deadline)) } else { (Timer::Over, false) }
    }

    /// Under the lock, as every store to the bound.
    fn lower(&self, deadline: u64) -> bool {
        let lowers = deadline < self.earliest.load(Ordering::Relaxed);
        if lowers {
            // ORDERING R6: relaxed. The fence in `Alarm::must_ring`, which the caller comes to, is between this and the look
            // at the announcement.
            self.earliest.store(deadline, Ordering::Relaxed);
        }
        lowers
    }

    /// Looks what has become of a timer, for a task with `waker`. A task that was woken by its timer takes no lock here.
    pub(crate) fn look(&self, key: Key, deadline: u64, waker: &Waker) -> Timer {
        // ORDERING R5: relaxed. What the caller reads is no older than the bound that its own `insert` has left, which was not above the
        // deadline; so a higher one was written after the timer had left the queue. Nothing but the time is learnt from that.
        if deadline < self.earliest.load(Ordering::Relaxed) {
            return Timer::Over;
        }
        match self.timers.lock().queue.get(key) {
            None => Timer::Over,
            Some(old) if old.will_wake(waker) => Timer::Waits,
            Some(_) => Timer::WaitsForAnother,
        }
    }

    /// Replaces the waker of a timer that waits, and returns the old one to be dropped outside the lock. Gives the new one
    /// back if the timer is over.
    pub(crate) fn replace(&self, key: Key, waker: Waker) -> Result<Waker, Waker> {
        match self.timers.lock().queue.get_mut(key) {
            Some(old) => Ok(std::mem::replace(old, waker)),
            None => Err(waker),
        }
    }

    /// Takes a timer out again, and returns its waker to be dropped outside the lock.
    pub(crate) fn cancel(&self, key: Key) -> Option<Waker> {
        self.timers.lock().queue.cancel(key)
    }

    /// The bound on the first deadline; [`NEVER`] in an empty queue, or a lower one that was left behind.
    #[inline]
    pub(crate) fn earliest(&self) -> u64 {
        // ORDERING R6: relaxed. After the fence in `Alarm::announce`, where a sleep depends on it; a hint elsewhere.
        self.earliest.load(Ordering::Relaxed)
    }

    /// Raises the bound to the first deadline, and returns it.
    pub(crate) fn refresh(&self) -> u64 {
        self.raise(&self.timers.lock())
    }

    fn raise(&self, timers: &Timers) -> u64 {
        let next = timers.queue.next_deadline().unwrap_or(NEVER);
        // ORDERING R5: relaxed. Under the lock, as every store.
        self.earliest.store(next, Ordering::Relaxed);
        next
    }

    /// Moves the wakers of all deadlines up to `now` to `woken`. Without one that may be due it takes no lock.
    #[inline]
    pub(crate) fn expire(&self, now: u64, woken: &mut Vec<Waker>) {
        if self.earliest() <= now {
            while self.expire_batch(now, woken) {}
        }
    }

    /// Returns true if there may be more.
    fn expire_batch(&self, now: u64, woken: &mut Vec<Waker>) -> bool {
        let mut timers = self.timers.lock();
        for _ in 0..BATCH {
            match timers.queue.pop_expired(now) {
                Some(waker) => woken.push(waker),
                None => {
                    self.raise(&timers);
                    return false;
                }
            }
        }
        true
    }

    /// Says that nobody will turn the reactor any more, and hands out the deadline and the waker of each timer. `fired` is ours.
    pub(crate) fn shut(&self, mut fired: impl FnMut(u64, Waker)) {
        let mut timers = self.timers.lock();
        timers.shut = true;
        while let Some(deadline) = timers.queue.next_deadline() {
            let Some(waker) = timers.queue.pop_expired(deadline) else { break };
            fired(deadline, waker);
        }
        self.raise(&timers);
    }

    pub(crate) fn len(&self) -> usize {
        self.timers.lock().queue.len()
    }
}
