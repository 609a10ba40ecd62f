//! A worker: the loop that takes a task, polls it, and sleeps when there is none.

mod handover;
mod queue;
mod search;
mod sleep;

pub(crate) use handover::HandOver;
pub use handover::block_in_place;

use self::queue::take_lifo;
use crate::context;
use crate::metrics::Counters;
use crate::schedule::Shard;
use crate::shared::{Remote, Shared};
use crate::task::TaskRef;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;
use tiny_coro_parker::Parker;
use tiny_coro_prim::atomic::Ordering;
use tiny_coro_prim::budget;

/// After how many polls a busy worker looks into the injector first, and asks the operating system for events. A prime,
/// so that it does not beat with a period in the program.
pub(crate) const DEFAULT_INTERVAL: u32 = 61;

/// How many references to its shard a worker makes at once.
const SHARD_STOCK: usize = 64;

/// A worker's own state. One thread has it at a time: [`work`] says which. Tasks reach it through [`context`].
pub(crate) struct Worker {
    shared: Arc<Shared>,
    index: usize,
    /// True of the worker of a current-thread runtime.
    is_alone: bool,
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
    /// True while a task or the main future is polled, and nobody else on this thread has a reference to the worker: only then it may
    /// leave the thread. Wakers and deferred functions run at other times as well.
    polling: Cell<bool>,
    random: Cell<u32>,
    /// References to shards, whichever they are, for the tasks that this worker spawns: made and given up many at a time, because another
    /// worker may do the same with the same counter.
    shard: RefCell<Vec<Arc<Shard>>>,
    /// The wakers of one turn of the reactor; kept for its allocation.
    woken: Cell<Vec<Waker>>,
}

/// How often a busy worker looks elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    pub(crate) injector: u32,
    pub(crate) driver: u32,
}

/// A future that a worker's thread polls between the tasks: that of `block_on` on a current-thread runtime.
pub(crate) trait Main {
    /// True if it wants to be polled.
    fn is_woken(&self) -> bool;
    /// Polls it. Returns true once it has completed.
    fn poll(&mut self) -> bool;
}

/// For a thread that has nothing but tasks to poll.
pub(crate) struct NoMain;

impl Main for NoMain {
    fn is_woken(&self) -> bool {
        false
    }
    fn poll(&mut self) -> bool {
        false
    }
}

/// Why a thread has stopped working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The main future has completed; the thread still has the worker.
    MainCompleted,
    /// The runtime ends; the thread still has the worker.
    ShuttingDown,
    /// A task gave the worker to another thread and did not get it back in time.
    HandedOver,
}

/// What a worker does next.
enum Step {
    Run(TaskRef),
    Main,
    Stop,
}

/// Polls tasks, and `main` when it is woken, until there is a reason to stop. The thread has made `worker` its own with
/// [`context::install`].
///
/// A poll may give the worker to another thread, which may drop it. So nothing here holds a reference to it across a poll.
pub(crate) fn work<M: Main>(worker: NonNull<Worker>, main: &mut M) -> Left {
    // SAFETY: the caller has made the worker this thread's; the borrow ends before anything is polled.
    let outer = unsafe { worker.as_ref() }.begin_work();
    let left = work_until(worker, main);
    if left != Left::HandedOver {
        // SAFETY: the thread still has it.
        unsafe { worker.as_ref() }.end_work(outer);
    }
    left
}

fn work_until<M: Main>(worker: NonNull<Worker>, main: &mut M) -> Left {
    loop {
        if main.is_woken() {
            budget::reset(budget::DEFAULT);
            let Some(completed) = poll_with(worker, || main.poll()) else { return Left::HandedOver };
            if completed {
                return Left::MainCompleted;
            }
        }
        // SAFETY: this thread has the worker: `poll_with` has said so since the last poll. The borrow ends before the next.
        match unsafe { worker.as_ref() }.next_step(|| main.is_woken()) {
            Step::Run(task) => {
                if poll_with(worker, || task.run()).is_none() {
                    return Left::HandedOver;
                }
            }
            Step::Main => {}
            Step::Stop => return Left::ShuttingDown,
        }
    }
}

/// Calls `poll`, which may give the worker away. `None` if it has.
pub(crate) fn poll_with<R>(worker: NonNull<Worker>, poll: impl FnOnce() -> R) -> Option<R> {
    // SAFETY: the thread has the worker, says the caller; the borrow ends here.
    unsafe { worker.as_ref() }.polling.set(true);
    let polled = poll();
    if context::worker() != worker.as_ptr() {
        return None;
    }
    // SAFETY: the thread still has it.
    unsafe { worker.as_ref() }.polling.set(false);
    Some(polled)
}

/// Makes `worker` this thread's, and works until the runtime ends or a task gives it away.
pub(crate) fn run(worker: Box<Worker>) {
    let shared = worker.shared.clone();
    // Its own shard of the timers, whichever thread it is on: nothing is shared to set one, or to cancel it.
    let _shard = shared.reactor.enter_shard(worker.index);
    let installed = context::install(worker);
    match work(installed.worker(), &mut NoMain) {
        Left::HandedOver => shared.displaced.leave(),
        Left::MainCompleted | Left::ShuttingDown => drop(installed.into_worker()),
    }
    budget::reset(budget::UNLIMITED);
}

impl Worker {
    pub(crate) fn new(
        shared: Arc<Shared>,
        index: usize,
        deque: tiny_coro_deque::Worker<TaskRef>,
        parker: Parker,
        intervals: Intervals,
        seed: u64,
    ) -> Self {
        // A xorshift generator must not start at 0, nor two workers at the same number.
        let seed = (seed ^ (seed >> 32)) as u32 ^ (index as u32 + 1).wrapping_mul(0x9E37_79B9);
        Self {
            is_alone: shared.is_current_thread(),
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
            polling: Cell::new(false),
            random: Cell::new(seed.max(1)),
            shard: RefCell::new(Vec::with_capacity(SHARD_STOCK)),
            woken: Cell::new(Vec::new()),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// True if the worker may leave its thread.
    pub(crate) fn may_go(&self) -> bool {
        self.polling.get()
    }

    /// Has it stay with its thread until the guard is dropped.
    pub(crate) fn stay(&self) -> Stays<'_> {
        Stays { worker: self, polling: self.polling.replace(false) }
    }

    /// Begins to work, perhaps inside a poll or a wake of the same worker further up on the stack. Returns what `end_work` puts back.
    fn begin_work(&self) -> (bool, bool) {
        (self.polling.replace(false), self.in_driver.replace(false))
    }

    fn end_work(&self, (polling, in_driver): (bool, bool)) {
        self.polling.set(polling);
        self.in_driver.set(in_driver);
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The way to this runtime for a task, out of the stock.
    pub(crate) fn shard(&self) -> Arc<Shard> {
        let mut stock = self.shard.borrow_mut();
        stock.pop().unwrap_or_else(|| {
            stock.resize(SHARD_STOCK - 1, self.shared.shards[self.index].clone());
            self.shared.shards[self.index].clone()
        })
    }

    /// Takes back a reference that [`shard`](Worker::shard) of any worker has given. Those that are too many go in one go as well.
    pub(crate) fn keep_shard(&self, shard: Arc<Shard>) {
        let mut stock = self.shard.borrow_mut();
        if stock.len() == stock.capacity() {
            stock.truncate(SHARD_STOCK / 2);
        }
        stock.push(shard);
    }

    pub(crate) fn remote(&self) -> &Remote {
        &self.shared.remotes[self.index]
    }

    fn counters(&self) -> &Counters {
        &self.remote().counters
    }

    pub(crate) fn count_completion(&self) {
        self.counters().completions.add(1);
    }

    /// Finds the next task, asleep while there is none and `is_main_woken` is false.
    fn next_step(&self, is_main_woken: impl Fn() -> bool) -> Step {
        while !self.shared.is_shutting_down() {
            if let Some(task) = self.next_task().or_else(|| self.search()) {
                self.before_poll(&task);
                return Step::Run(task);
            }
            self.park(&is_main_woken);
            if is_main_woken() {
                return Step::Main;
            }
        }
        Step::Stop
    }

    fn before_poll(&self, task: &TaskRef) {
        self.end_search();
        self.until_injector.set(self.until_injector.get().saturating_sub(1));
        self.until_driver.set(self.until_driver.get().saturating_sub(1));
        self.counters().polls.add(1);
        self.remote().current.set(task);
        budget::reset(budget::DEFAULT);
    }

    /// Drops the tasks in this worker's own queues. Returns true if there was one.
    pub(crate) fn cancel_queued(&self) -> bool {
        let mut any = false;
        while let Some(task) = take_lifo(self.remote()).or_else(|| self.deque.pop()) {
            self.shared.drop_at_end(task);
            any = true;
        }
        any
    }

    fn notify_one(&self) {
        if self.shared.notify_one() {
            self.counters().wakes_sent.add(1);
        }
    }
}

/// Ends [`Worker::stay`].
pub(crate) struct Stays<'a> {
    worker: &'a Worker,
    polling: bool,
}

impl Drop for Stays<'_> {
    fn drop(&mut self) {
        self.worker.polling.set(self.polling);
    }
}

/// The end of a worker, whether its loop ended or its thread could not be started. The last one drops the tasks that are left.
impl Drop for Worker {
    fn drop(&mut self) {
        // This thread is no worker any more: what these drops wake goes to the injector.
        self.cancel_queued();
        // ORDERING S2: acquire and release. The last worker sees all that the others did before it drops their tasks.
        if self.shared.running_workers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.finish();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).field("queued", &self.deque.len()).finish_non_exhaustive()
    }
}
