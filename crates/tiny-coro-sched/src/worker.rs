//! A worker: the loop that takes a task, polls it, and sleeps when there is none.

use crate::context;
use crate::metrics::Counters;
use crate::park::Place;
use crate::shared::{Remote, Shared};
use crate::task::{Cause, TaskRef};
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use tiny_coro_deque::{Pointer, Steal};
use tiny_coro_parker::Parker;
use tiny_coro_prim::atomic::Ordering;
use tiny_coro_reactor::{Turn, budget};

/// After how many polls a busy worker looks into the injector first, and asks the operating system for events. A prime,
/// so that it does not beat with a period in the program.
pub(crate) const DEFAULT_INTERVAL: u32 = 61;
/// How often in a row the LIFO slot may win over the deque: two tasks that wake each other must not starve the rest.
const LIFO_WINS: u32 = 3;
/// How many tasks a worker moves from the injector to its own deque at most, besides the one it runs.
const INJECTOR_BATCH: usize = 31;
/// How many tasks a thief takes at most; half of what there is, below that.
const STEAL_BATCH: usize = 256;
/// How often a thief tries again on a victim that it lost a race to, before it goes on to the next.
const STEAL_RETRIES: usize = 4;

// SAFETY: `into_raw` gives the pointer that `from_raw` takes, and a `TaskRef` is nothing else.
unsafe impl Pointer for TaskRef {
    fn into_raw(self) -> *mut () {
        TaskRef::into_raw(self).as_ptr().cast()
    }

    unsafe fn from_raw(word: *mut ()) -> Self {
        let header = NonNull::new(word.cast()).expect("a deque gives back the pointers it was given");
        // SAFETY: the pointer, and with it the reference, comes from `into_raw`.
        unsafe { TaskRef::from_raw(header) }
    }
}

/// A worker's own state. Lives on its thread's stack; tasks reach it through [`context`].
pub(crate) struct Worker {
    shared: Arc<Shared>,
    index: usize,
    deque: tiny_coro_deque::Worker<TaskRef>,
    parker: Parker,
    intervals: Intervals,
    /// Polls left until this worker looks into the injector first.
    until_injector: Cell<u32>,
    /// Polls left until it asks the operating system.
    until_driver: Cell<u32>,
    /// How often in a row the LIFO slot has won.
    lifo_wins: Cell<u32>,
    /// True while this worker counts as searching.
    searching: Cell<bool>,
    /// True while wakes come from the reactor: they go to the deque in the order of the events.
    in_driver: Cell<bool>,
    random: Cell<u32>,
    /// The wakers of one turn of the reactor; kept for its allocation.
    woken: Cell<Vec<Waker>>,
}

/// How often a busy worker looks elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    pub(crate) injector: u32,
    pub(crate) driver: u32,
}

impl Worker {
    pub(crate) fn new(
        shared: Arc<Shared>,
        index: usize,
        deque: tiny_coro_deque::Worker<TaskRef>,
        parker: Parker,
        intervals: Intervals,
    ) -> Self {
        Self {
            shared,
            index,
            deque,
            parker,
            intervals,
            until_injector: Cell::new(intervals.injector),
            until_driver: Cell::new(intervals.driver),
            lifo_wins: Cell::new(0),
            searching: Cell::new(false),
            in_driver: Cell::new(false),
            random: Cell::new(0x9E37_79B9 ^ (index as u32 + 1)),
            woken: Cell::new(Vec::new()),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    fn remote(&self) -> &Remote {
        &self.shared.remotes[self.index]
    }

    fn counters(&self) -> &Counters {
        &self.remote().counters
    }

    /// Works until the runtime shuts down.
    pub(crate) fn run(self) {
        context::run_worker(&self, || {
            while !self.shared.is_shutting_down() {
                match self.next_task().or_else(|| self.search()) {
                    Some(task) => self.run_task(task),
                    None => self.park(),
                }
            }
        });
        budget::reset(budget::UNLIMITED);
    }

    fn run_task(&self, task: TaskRef) {
        if self.searching.replace(false) && self.shared.idle.end_search() {
            self.shared.idle.look_again();
            if self.shared.has_work() {
                self.notify_one();
            }
        }
        self.until_injector.set(self.until_injector.get().saturating_sub(1));
        self.until_driver.set(self.until_driver.get().saturating_sub(1));
        self.counters().polls.add(1);
        budget::reset(budget::DEFAULT);
        task.run();
    }

    /// Queues a task that was spawned on this thread.
    pub(crate) fn push_spawned(&self, task: TaskRef) {
        self.counters().spawns.add(1);
        self.push(task, Cause::Wake);
    }

    pub(crate) fn count_completion(&self) {
        self.counters().completions.add(1);
    }

    /// Queues a task that was woken or spawned on this thread.
    pub(crate) fn push(&self, task: TaskRef, cause: Cause) {
        self.counters().local_pushes.add(1);
        if self.in_driver.get() {
            // One notification for the whole batch, in `wake_all`.
            return self.deque.push(task);
        }
        let task = match cause {
            Cause::Yield => Some(task),
            Cause::Wake => self.swap_lifo(Some(task)),
        };
        // A task in the LIFO slot alone is this worker's next: nobody has to be woken for it.
        if let Some(task) = task {
            self.deque.push(task);
            self.notify_one();
        }
    }

    fn notify_one(&self) {
        if self.shared.notify_one() {
            self.counters().wakes_sent.add(1);
        }
    }

    fn swap_lifo(&self, task: Option<TaskRef>) -> Option<TaskRef> {
        swap_lifo(self.remote(), task)
    }

    fn take_lifo(&self) -> Option<TaskRef> {
        take_lifo(self.remote())
    }

    /// Takes the next task from this worker's own queues or, in its turn, from the injector.
    fn next_task(&self) -> Option<TaskRef> {
        if self.until_driver.get() == 0 {
            self.until_driver.set(self.intervals.driver);
            self.poll_driver();
        }
        if self.until_injector.get() == 0 {
            self.until_injector.set(self.intervals.injector);
            if let Some(task) = self.pop_injector(0) {
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
    fn injector_share(&self) -> usize {
        (self.shared.injector.len() / self.shared.remotes.len()).min(INJECTOR_BATCH)
    }

    fn pop_injector(&self, more: usize) -> Option<TaskRef> {
        let mut popped = 1;
        let task = self.shared.injector.pop_batch(more, |task| {
            popped += 1;
            self.deque.push(task);
        })?;
        self.counters().injector_pops.add(popped);
        if popped > 1 {
            self.notify_one();
        }
        Some(task)
    }

    /// Looks for a task in the other workers' queues, unless enough workers do so already.
    fn search(&self) -> Option<TaskRef> {
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
            match victim.stealer.steal_batch_with_limit_and_pop(&self.deque, STEAL_BATCH) {
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

    /// Sleeps until there may be a task. The protocol is that of the `idle` page.
    fn park(&self) {
        let idle = &self.shared.idle;
        idle.park(self.index, self.searching.replace(false));
        idle.look_again();
        if self.shared.has_work() || self.shared.is_shutting_down() {
            self.searching.set(idle.leave(self.index));
        } else {
            self.counters().parks.add(1);
            self.sleep();
        }
    }

    fn sleep(&self) {
        let sleeper = &self.remote().sleeper;
        match self.shared.reactor.try_lock() {
            Some(turn) => {
                if sleeper.prepare(Place::Driver) {
                    let woken = self.turn(turn, None);
                    sleeper.finish();
                    self.searching.set(self.shared.idle.leave(self.index));
                    // The first of them is this worker's next.
                    return self.wake_all(woken, 1);
                }
            }
            None => {
                if sleeper.prepare(Place::Parker) {
                    while !sleeper.is_notified() {
                        self.parker.park();
                    }
                    sleeper.finish();
                }
            }
        }
        self.searching.set(self.shared.idle.leave(self.index));
    }

    /// Asks for events without waiting, unless another worker has the reactor.
    fn poll_driver(&self) {
        if let Some(turn) = self.shared.reactor.try_lock() {
            let woken = self.turn(turn, Some(Duration::ZERO));
            self.wake_all(woken, 0);
        }
    }

    fn turn(&self, mut turn: Turn<'_>, timeout: Option<Duration>) -> Vec<Waker> {
        self.counters().driver_polls.add(1);
        let mut woken = self.woken.take();
        if let Err(error) = turn.wait(timeout, &mut woken) {
            // Only a descriptor that is not a poller, or a bad buffer, is answered with an error other than EINTR.
            debug_assert!(false, "the poller failed: {error}");
        }
        woken
    }

    /// Wakes what a turn has brought, after the turn is given up: a wake may take long. Wakes another worker if the deque has
    /// more than `own` tasks, which this one will run itself.
    fn wake_all(&self, mut woken: Vec<Waker>, own: usize) {
        if !woken.is_empty() {
            self.in_driver.set(true);
            for waker in woken.drain(..) {
                // A waker of another executor may panic: the other wakes must not be lost with it.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
            self.in_driver.set(false);
            if self.deque.len() > own {
                self.notify_one();
            }
        }
        self.woken.set(woken);
    }
}

/// The end of a worker, whether its loop ended or its thread could not be started. The last one drops the tasks that are left.
impl Drop for Worker {
    fn drop(&mut self) {
        // This thread is no worker any more: what these drops wake goes to the injector.
        while let Some(task) = self.take_lifo().or_else(|| self.deque.pop()) {
            task.shutdown();
        }
        // ORDERING S2: acquire and release. The last worker sees all that the others did before it drops their tasks.
        if self.shared.running_workers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.finish();
        }
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

fn take_lifo(remote: &Remote) -> Option<TaskRef> {
    // ORDERING L1: relaxed. A null is only a hint; the swap that takes the task acquires.
    if remote.lifo.load(Ordering::Relaxed).is_null() {
        return None;
    }
    swap_lifo(remote, None)
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).field("queued", &self.deque.len()).finish_non_exhaustive()
    }
}
