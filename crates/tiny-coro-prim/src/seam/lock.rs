//! A checker's lock and condition variable behind `parking_lot`'s signatures: no poisoning, no wake-up for no reason.

use super::checker::sync;
use super::thread::{self, Thread};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

/// The checker's mutex. In a model nobody panics under a lock: so none is ever poisoned.
#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, held: Some(self.acquire()) }
    }

    fn acquire(&self) -> sync::MutexGuard<'_, T> {
        self.0.lock().expect("a model does not panic under a lock")
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Some(MutexGuard { mutex: self, held: Some(self.0.try_lock().ok()?) })
    }

    /// Returns the content of a mutex nobody else has.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().expect("a model does not panic under a lock")
    }

    /// Returns the content.
    pub fn into_inner(self) -> T {
        self.0.into_inner().expect("a model does not panic under a lock")
    }
}

/// The lock on a [`Mutex`].
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` only inside the wait of a [`Condvar`].
    held: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("nobody looks inside a wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("nobody looks inside a wait")
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A condition variable: first in, first out, and a waiter is either notified or timed out, never both, as `parking_lot` has it.
///
/// No checker has a clock. Here a model decides when deadlines pass: with [`expire`](Self::expire), which a thread of the model calls at
/// whatever moment the checker gives it.
#[derive(Debug, Default)]
pub struct Condvar(sync::Mutex<Queue>);

#[derive(Default)]
struct Queue {
    /// Who has waited longest is first.
    waiting: Vec<Waiter>,
    /// How each wait ended that has ended and has not come round yet.
    ended: Vec<(u64, WaitTimeoutResult)>,
    /// The number of the next wait.
    next: u64,
    /// True once deadlines have passed.
    expired: bool,
}

struct Waiter {
    number: u64,
    thread: Thread,
    has_deadline: bool,
}

/// Why a wait with a deadline has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// True if the deadline ended it.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable without waiters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Unlocks the mutex and waits in one step, until it is notified; locks it again.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_for_end(guard, false);
    }

    /// As [`wait`](Self::wait), until deadlines pass at most.
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _deadline: Instant) -> WaitTimeoutResult {
        self.wait_for_end(guard, true)
    }

    fn wait_for_end<T>(&self, guard: &mut MutexGuard<'_, T>, has_deadline: bool) -> WaitTimeoutResult {
        let mut queue = self.queue();
        if has_deadline && queue.expired {
            drop(queue);
            // Over at once: whoever waits for the lock may have it first.
            guard.held = None;
            guard.held = Some(guard.mutex.acquire());
            return WaitTimeoutResult(true);
        }
        let number = queue.next;
        queue.next += 1;
        queue.waiting.push(Waiter { number, thread: thread::current(), has_deadline });
        drop(queue);
        guard.held = None;
        let result = loop {
            thread::park();
            let mut queue = self.queue();
            if let Some(position) = queue.ended.iter().position(|(ended, _)| *ended == number) {
                break queue.ended.swap_remove(position).1;
            }
        };
        guard.held = Some(guard.mutex.acquire());
        result
    }

    /// Wakes the thread that has waited longest.
    pub fn notify_one(&self) -> bool {
        self.end(|queue| queue.waiting.drain(..queue.waiting.len().min(1)).collect(), false) > 0
    }

    /// Wakes every thread that waits.
    pub fn notify_all(&self) -> usize {
        self.end(|queue| queue.waiting.drain(..).collect(), false)
    }

    /// Lets every deadline pass: the waits under way that have one time out, and from now on each does so at once.
    pub fn expire(&self) {
        let overdue = |queue: &mut Queue| {
            queue.expired = true;
            let (overdue, waiting) = queue.waiting.drain(..).partition(|waiter: &Waiter| waiter.has_deadline);
            queue.waiting = waiting;
            overdue
        };
        self.end(overdue, true);
    }

    /// Ends the waits that `choose` takes out. Returns how many.
    fn end(&self, choose: impl FnOnce(&mut Queue) -> Vec<Waiter>, timed_out: bool) -> usize {
        let mut queue = self.queue();
        let chosen = choose(&mut queue);
        queue.ended.extend(chosen.iter().map(|waiter| (waiter.number, WaitTimeoutResult(timed_out))));
        drop(queue);
        chosen.iter().for_each(|waiter| waiter.thread.unpark());
        chosen.len()
    }

    fn queue(&self) -> sync::MutexGuard<'_, Queue> {
        self.0.lock().expect("nobody panics under this lock")
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
