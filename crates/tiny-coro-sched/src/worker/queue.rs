//! A worker's own queues: the LIFO slot, the deque, and its share of the injector.

use super::Worker;
use crate::shared::Remote;
use crate::task::{Cause, TaskRef};
use std::ptr::NonNull;
use tiny_coro_prim::atomic::Ordering;

/// How often in a row the LIFO slot may win over the deque: two tasks that wake each other must not starve the rest.
const LIFO_WINS: u32 = 3;
/// How many tasks a worker moves from the injector to its own deque at most, besides the one it runs.
const INJECTOR_BATCH: usize = 31;

impl Worker {
    /// Queues a task that was spawned on this thread.
    pub(crate) fn push_spawned(&self, task: TaskRef) {
        self.counters().spawns.add(1);
        self.push(task, Cause::Wake);
    }

    /// Queues a task that was woken or spawned on this thread.
    pub(crate) fn push(&self, task: TaskRef, cause: Cause) {
        self.counters().local_pushes.add(1);
        if self.in_driver.get() {
            // One notification for the whole batch, in `wake_all`.
            return self.deque.push(task);
        }
        // Nobody has to be woken for what this worker takes next: a task in the LIFO slot, or one that ends its poll by giving way
        // and has nothing before it.
        match cause {
            Cause::Yield => {
                let is_next = self.deque.is_empty() && self.remote().lifo.load(Ordering::Relaxed).is_null();
                self.deque.push(task);
                if !is_next {
                    self.notify_one();
                }
            }
            // No other worker could take its place in the deque, and who is alone is asked for the order of its spawns.
            Cause::Wake if self.is_alone => self.deque.push(task),
            Cause::Wake => {
                if let Some(displaced) = self.swap_lifo(Some(task)) {
                    self.deque.push(displaced);
                    self.notify_one();
                }
            }
        }
    }

    fn swap_lifo(&self, task: Option<TaskRef>) -> Option<TaskRef> {
        swap_lifo(self.remote(), task)
    }

    fn take_lifo(&self) -> Option<TaskRef> {
        take_lifo(self.remote())
    }

    /// Takes the next task from this worker's own queues or, in its turn, from the injector.
    pub(super) fn next_task(&self) -> Option<TaskRef> {
        if self.until_driver.get() == 0 {
            self.until_driver.set(self.intervals.driver);
            self.poll_driver();
        }
        if self.until_injector.get() == 0 {
            self.until_injector.set(self.intervals.injector);
            if let Some(task) = self.pop_injector(0) {
                // It comes before what this worker was to take next, of which nobody was told.
                if !self.deque.is_empty() {
                    self.notify_one();
                }
                return Some(task);
            }
        }
        if self.lifo_wins.get() < LIFO_WINS {
            if let Some(task) = self.take_lifo() {
                self.lifo_wins.set(self.lifo_wins.get() + 1);
                self.counters().lifo_hits.add(1);
                return Some(task);
            }
        } else if let Some(task) = self.take_lifo() {
            self.deque.push(task);
        }
        self.lifo_wins.set(0);
        self.deque.pop().or_else(|| self.pop_injector(self.injector_share()))
    }

    /// A fair share of the injector, so that one worker does not take what the others are about to look for.
    pub(super) fn injector_share(&self) -> usize {
        (self.shared.injector.len() / self.shared.remotes.len()).min(INJECTOR_BATCH)
    }

    pub(super) fn pop_injector(&self, more: usize) -> Option<TaskRef> {
        let mut popped = 1;
        let task = self.shared.injector.pop_batch(more, |task| {
            popped += 1;
            self.deque.push(task);
        })?;
        self.counters().injector_pops.add(popped);
        // Also for what this worker has moved from the injector's stack to its list: who looked in between has missed it (J3).
        if popped > 1 || !self.shared.injector.is_empty() {
            self.notify_one();
        }
        Some(task)
    }
}

/// Puts `task` into the LIFO slot and returns the one it displaces.
fn swap_lifo(remote: &Remote, task: Option<TaskRef>) -> Option<TaskRef> {
    let new = task.map_or(std::ptr::null_mut(), |task| task.into_raw().as_ptr());
    // ORDERING L1: acquire and release. The thread that takes a task from the slot sees it as its pusher left it.
    let old = remote.lifo.swap(new, Ordering::AcqRel);
    // SAFETY: a pointer in the slot came from `into_raw` with its reference, and the swap took it out once.
    NonNull::new(old).map(|old| unsafe { TaskRef::from_raw(old) })
}

pub(super) fn take_lifo(remote: &Remote) -> Option<TaskRef> {
    // ORDERING L1: relaxed. A null is only a hint; the swap that takes the task acquires.
    if remote.lifo.load(Ordering::Relaxed).is_null() {
        return None;
    }
    swap_lifo(remote, None)
}
