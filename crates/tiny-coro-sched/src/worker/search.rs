//! Looking for a task in the other workers' queues.

use super::Worker;
use super::queue::take_lifo;
use crate::shared::Remote;
use crate::task::TaskRef;
use tiny_coro_deque::Steal;

/// How many tasks a thief takes at most; half of what there is, below that.
const STEAL_BATCH: usize = 256;
/// How often a thief tries again on a victim that it lost a race to, before it goes on to the next.
const STEAL_RETRIES: usize = 4;

impl Worker {
    /// Looks for a task in the other workers' queues, unless enough workers do so already.
    pub(super) fn search(&self) -> Option<TaskRef> {
        if !self.searching.get() {
            if !self.shared.idle.begin_search() {
                return None;
            }
            self.searching.set(true);
        }
        self.counters().steal_tries.add(1);
        let task = self.steal()?;
        self.counters().steals.add(1);
        Some(task)
    }

    /// If this worker was the last to search, it wakes another one for what else there is.
    pub(super) fn end_search(&self) {
        if self.searching.replace(false) && self.shared.idle.end_search() {
            self.shared.idle.look_again();
            if self.shared.has_work() {
                self.notify_one();
            }
        }
    }

    fn steal(&self) -> Option<TaskRef> {
        let workers = self.shared.remotes.len();
        let start = self.next_random() as usize % workers;
        let victims = || (start..start + workers).map(|i| i % workers).filter(|&i| i != self.index);
        let deques = victims().find_map(|victim| self.steal_from(&self.shared.remotes[victim]));
        // The LIFO slot last: its worker is most likely about to take it.
        let stolen = deques.or_else(|| {
            let task = victims().find_map(|victim| take_lifo(&self.shared.remotes[victim]))?;
            self.counters().stolen_items.add(1);
            Some(task)
        });
        stolen.or_else(|| self.pop_injector(self.injector_share()))
    }

    fn steal_from(&self, victim: &Remote) -> Option<TaskRef> {
        for _ in 0..STEAL_RETRIES {
            match victim.stealer.steal_batch_and_pop_counted(&self.deque, STEAL_BATCH) {
                Steal::Success((task, count)) => {
                    self.counters().stolen_items.add(count as u64);
                    return Some(task);
                }
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
        None
    }

    /// xorshift32: which victim comes first need not be more random than this.
    fn next_random(&self) -> u32 {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.set(x);
        x
    }
}
