//! The timer queue, and who has to know when its first deadline moves forward.

use std::mem;
use std::task::Waker;
use tiny_coro_timer::{Key, TimerQueue};

/// Deadlines in nanoseconds since the reactor's start. Guarded by one mutex (invariant R5 of the crate page).
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: TimerQueue<Waker>,
    /// Until when the turning thread sleeps; 0 while none does.
    sleeps_until: u64,
    /// True once nobody will turn the reactor any more.
    shut: bool,
}

impl Timers {
    /// Adds a deadline. The second value is true if the sleeping thread would miss it and must be notified.
    #[must_use = "a sleeping reactor must hear of an earlier deadline"]
    pub(crate) fn insert(&mut self, deadline: u64, waker: Waker) -> (Key, bool) {
        let key = self.queue.insert(deadline, waker);
        (key, deadline < self.sleeps_until)
    }

    /// Replaces the waker of a deadline that has not passed yet, and returns the old one to be dropped outside the lock.
    /// Gives the new one back if the deadline was already reported.
    pub(crate) fn replace(&mut self, key: Key, waker: Waker) -> Result<Waker, Waker> {
        match self.queue.get_mut(key) {
            Some(old) => Ok(mem::replace(old, waker)),
            None => Err(waker),
        }
    }

    /// Returns true if the deadline is still waited for, with a waker that wakes the same task as `waker`.
    pub(crate) fn has(&self, key: Key, waker: &Waker) -> bool {
        self.queue.get(key).is_some_and(|old| old.will_wake(waker))
    }

    /// Takes a deadline out again.
    pub(crate) fn cancel(&mut self, key: Key) -> Option<Waker> {
        self.queue.cancel(key)
    }

    /// Notes that a thread goes to sleep until `limit` or the first deadline, whichever is earlier, and returns which.
    pub(crate) fn go_to_sleep(&mut self, limit: Option<u64>) -> Option<u64> {
        let until = match (limit, self.queue.next_deadline()) {
            (Some(limit), Some(next)) => Some(limit.min(next)),
            (limit, next) => limit.or(next),
        };
        self.sleeps_until = until.unwrap_or(u64::MAX);
        until
    }

    /// Notes that the thread is awake, and moves the wakers of all deadlines up to `now` to `woken`.
    pub(crate) fn wake_up(&mut self, now: u64, woken: &mut Vec<Waker>) {
        self.sleeps_until = 0;
        self.queue.expire(now, |waker| woken.push(waker));
    }

    /// Says that nobody will turn the reactor any more, and moves all wakers to `woken`.
    pub(crate) fn shut(&mut self, woken: &mut Vec<Waker>) {
        self.shut = true;
        self.queue.expire(u64::MAX, |waker| woken.push(waker));
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
