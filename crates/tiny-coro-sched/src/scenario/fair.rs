//! A scheduler by priorities that is fair in the end.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// How many steps in a row a thread has before it counts as one that yields: more than any program here needs from one sleep to the next.
const PATIENCE: usize = 2_000;

/// Lets no thread run for ever while others could.
///
/// A worker that may not search, because enough others do, does not sleep while it sees a task in another queue: it looks again and again,
/// until a searcher has come for it. An operating system gives the searcher its time. A scheduler by priorities would not.
#[derive(Debug)]
pub(super) struct Fair<S> {
    inner: S,
    last: Option<TaskId>,
    steps: usize,
}

impl<S> Fair<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, last: None, steps: 0 }
    }
}

impl<S: Scheduler> Scheduler for Fair<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        (self.last, self.steps) = (None, 0);
        self.inner.new_execution()
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let is_stuck = self.steps >= PATIENCE;
        let next = self.inner.next_task(runnable, current, is_yielding || is_stuck);
        self.steps = if next == self.last && !is_stuck { self.steps + 1 } else { 0 };
        self.last = next;
        next
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}
