//! What the workers, the handles and the tasks of one runtime share.

use crate::blocking::BlockingPool;
use crate::context;
use crate::idle::Idle;
use crate::injector::Injector;
use crate::metrics::{Counters, Metrics, SharedCounter};
use crate::panic::{PanicPolicy, quietly};
use crate::park::Sleeper;
use crate::report::{Current, Displaced, Survivors};
use crate::schedule::{Shard, TaskScheduler};
use crate::task::{self, Header, Incoming, JoinHandle, Schedule, TaskRef};
use crate::watch::Watch;
use parking_lot::{Condvar, Mutex};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;
use tiny_coro_deque::Stealer;
use tiny_coro_parker::Parker;
use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use tiny_coro_reactor::Reactor;

/// What other threads see of a worker.
pub(crate) struct Remote {
    pub(crate) stealer: Stealer<TaskRef>,
    /// The task that was woken last; null if there is none. Holds the task's queue reference.
    pub(crate) lifo: AtomicPtr<Header>,
    pub(crate) sleeper: Sleeper,
    pub(crate) counters: Counters,
    pub(crate) current: Current,
}

/// One runtime.
pub(crate) struct Shared {
    pub(crate) remotes: Box<[CachePadded<Remote>]>,
    /// One a worker, and one for threads outside.
    pub(crate) shards: Box<[Arc<Shard>]>,
    pub(crate) injector: Injector,
    pub(crate) idle: Idle,
    pub(crate) reactor: Reactor,
    pub(crate) blocking: Arc<BlockingPool>,
    /// Threads for workers whose own thread blocks in place; none where workers may not change threads.
    pub(crate) spares: Option<Arc<BlockingPool>>,
    pub(crate) watch: Watch,
    pub(crate) long_polls: SharedCounter,
    pub(crate) panic_policy: PanicPolicy,
    /// What is left when the runtime ends, where somebody wants to know.
    pub(crate) survivors: Survivors,
    pub(crate) displaced: Displaced,
    pub(crate) shutdown: AtomicBool,
    /// Workers that have not left their loop.
    pub(crate) running_workers: AtomicUsize,
    remote_wakes: SharedCounter,
    remote_spawns: SharedCounter,
    /// Tasks that were woken outside the workers.
    pub(crate) requeued: SharedCounter,
    pub(crate) remote_completions: SharedCounter,
    /// True once every worker has left and every task is dropped.
    finished: Mutex<bool>,
    finished_changed: Condvar,
}

/// What a [`Shared`] is given by its builder.
pub(crate) struct Parts {
    pub(crate) reactor: Reactor,
    pub(crate) blocking: Arc<BlockingPool>,
    pub(crate) spares: Option<Arc<BlockingPool>>,
    pub(crate) watch: Watch,
    pub(crate) panic_policy: PanicPolicy,
    pub(crate) parallelism: usize,
}

impl Remote {
    /// True if the worker's own queues have a task.
    pub(crate) fn has_work(&self) -> bool {
        !self.stealer.is_empty() || !self.lifo.load(Ordering::Relaxed).is_null()
    }
}

impl Shared {
    /// Puts a runtime together from its workers' stealers and parkers.
    pub(crate) fn new<'a>(
        workers: impl ExactSizeIterator<Item = (Stealer<TaskRef>, &'a Parker)>,
        parts: Parts,
    ) -> Arc<Self> {
        let count = workers.len();
        let remotes = workers
            .map(|(stealer, parker)| {
                CachePadded::new(Remote {
                    stealer,
                    lifo: AtomicPtr::new(std::ptr::null_mut()),
                    sleeper: Sleeper::new(parker),
                    counters: Counters::default(),
                    current: Current::default(),
                })
            })
            .collect();
        Arc::new_cyclic(|shared| Self {
            remotes,
            shards: (0..=count).map(|_| Arc::new(Shard::new(shared.clone()))).collect(),
            injector: Injector::new(),
            idle: Idle::new(count, parts.parallelism),
            reactor: parts.reactor,
            blocking: parts.blocking,
            spares: parts.spares,
            watch: parts.watch,
            long_polls: SharedCounter::default(),
            panic_policy: parts.panic_policy,
            survivors: Survivors::default(),
            displaced: Displaced::default(),
            shutdown: AtomicBool::new(false),
            running_workers: AtomicUsize::new(count),
            remote_wakes: SharedCounter::default(),
            remote_spawns: SharedCounter::default(),
            requeued: SharedCounter::default(),
            remote_completions: SharedCounter::default(),
            finished: Mutex::new(false),
            finished_changed: Condvar::new(),
        })
    }

    /// Spawns a task onto this runtime. It is cancelled at once if the runtime has ended.
    pub(crate) fn spawn<F>(&self, future: F, spawned_at: &'static Location<'static>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (handle, refused) = Incoming::with(future, |future| self.try_spawn(future, spawned_at, TaskScheduler::new));
        refused.into_iter().for_each(TaskRef::shutdown);
        handle
    }

    /// As [`spawn`](Shared::spawn), but gives back a task that came too late, for the caller to cancel.
    #[inline]
    pub(crate) fn try_spawn<F, S>(
        &self,
        future: Incoming<'_, F>,
        spawned_at: &'static Location<'static>,
        scheduler: impl FnOnce(Arc<Shard>) -> S,
    ) -> (JoinHandle<F::Output>, Option<TaskRef>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        S: Schedule,
    {
        context::with_worker(self, |worker| {
            let shard = worker.map_or_else(|| self.shards[self.remotes.len()].clone(), |worker| worker.shard());
            let [queued, joined] = task::allocate(future, scheduler(shard), spawned_at);
            let refused = match worker {
                Some(worker) => {
                    worker.push_spawned(queued);
                    None
                }
                None => {
                    let refused = self.inject(queued).err();
                    self.remote_spawns.add_one();
                    refused
                }
            };
            // SAFETY: counted for the join handle by `allocate`, for this output type.
            (unsafe { JoinHandle::new(joined) }, refused)
        })
    }

    /// Queues a task from outside, or gives it back once the runtime has ended.
    pub(crate) fn inject(&self, task: TaskRef) -> Result<(), TaskRef> {
        self.injector.push(task)?;
        if self.notify_one() {
            self.remote_wakes.add_one();
        }
        Ok(())
    }

    /// Wakes a worker if the idle protocol asks for one. Returns true if it did.
    pub(crate) fn notify_one(&self) -> bool {
        let Some(worker) = self.idle.notify_one() else { return false };
        self.unpark(worker);
        true
    }

    pub(crate) fn unpark(&self, worker: usize) {
        self.remotes[worker].sleeper.unpark(|| self.reactor.notify());
    }

    /// True if some queue that a searching worker would look into has a task.
    pub(crate) fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.remotes.iter().any(|remote| remote.has_work())
    }

    /// Tells all workers to stop.
    pub(crate) fn begin_shutdown(&self) {
        // ORDERING S1: release. Pairs with the acquire in `is_shutting_down`; the unparks below end sleeps that missed it.
        self.shutdown.store(true, Ordering::Release);
        (0..self.remotes.len()).for_each(|worker| self.unpark(worker));
        self.watch.unpark();
        self.blocking.begin_shutdown();
        if let Some(spares) = &self.spares {
            spares.begin_shutdown();
        }
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        // ORDERING S1: acquire. Pairs with the release in `begin_shutdown`.
        self.shutdown.load(Ordering::Acquire)
    }

    /// The last worker's last duty: drops every future that is neither in a queue of a worker, which has emptied it by now, nor
    /// complete. Nothing is left to do for a second call.
    pub(crate) fn finish(&self) {
        // ORDERING S2: after the acquire of the last worker's read-modify-write in `Worker::drop`.
        let mut wakers = Vec::new();
        self.reactor.shutdown_with(|waiting, waker| {
            self.survivors.note_wait(&waker, waiting);
            wakers.push(waker);
        });
        while let Some(task) = self.injector.close_and_pop() {
            self.drop_at_end(task);
        }
        for shard in &self.shards {
            while let Some(task) = shard.waiting.close_and_pop() {
                self.drop_at_end(task);
            }
        }
        // Those of tasks wake nobody any more; others may wait in `block_on`, or in another executor.
        for waker in wakers {
            quietly(|| waker.wake());
        }
        *self.finished.lock() = true;
        self.finished_changed.notify_all();
    }

    /// Drops the future of a task that the end of the runtime has found.
    pub(crate) fn drop_at_end(&self, task: TaskRef) {
        self.survivors.note(&task);
        task.shutdown();
    }

    /// Waits until the last worker has dropped the last task, at most until `deadline`. Returns true if it has.
    pub(crate) fn wait_until_finished(&self, deadline: Option<Instant>) -> bool {
        let mut finished = self.finished.lock();
        while !*finished {
            match deadline {
                None => self.finished_changed.wait(&mut finished),
                Some(deadline) => {
                    if self.finished_changed.wait_until(&mut finished, deadline).timed_out() {
                        return *finished;
                    }
                }
            }
        }
        true
    }

    /// Every push but those of spawns is counted by itself, every pop by its worker.
    fn injector_len(&self) -> u64 {
        if self.is_finished() {
            return 0;
        }
        let popped: u64 = self.remotes.iter().map(|remote| remote.counters.injector_pops.get()).sum();
        (self.remote_spawns.get() + self.requeued.get()).saturating_sub(popped)
    }

    /// True if the one worker has no thread of its own.
    pub(crate) fn is_current_thread(&self) -> bool {
        self.spares.is_none()
    }

    pub(crate) fn is_finished(&self) -> bool {
        *self.finished.lock()
    }

    /// Completions first: a task that completes in between is then counted as live, never as less than none.
    pub(crate) fn live_tasks(&self) -> u64 {
        let counters = || self.remotes.iter().map(|remote| &remote.counters);
        let completed = self.remote_completions.get() + counters().map(|c| c.completions.get()).sum::<u64>();
        let spawned = self.remote_spawns.get() + counters().map(|c| c.spawns.get()).sum::<u64>();
        spawned.saturating_sub(completed)
    }

    pub(crate) fn metrics(&self) -> Metrics {
        let workers = self.remotes.iter().map(|remote| {
            let mut worker = remote.counters.read();
            worker.deque_growths = remote.stealer.growths();
            worker.queued = remote.stealer.len() as u64;
            worker
        });
        let (parked, searching) = self.idle.snapshot();
        let blocking = self.blocking.snapshot();
        Metrics {
            workers: workers.collect(),
            remote_spawns: self.remote_spawns.get(),
            remote_wakes: self.remote_wakes.get(),
            long_polls: self.long_polls.get(),
            live_tasks: self.live_tasks(),
            injector_len: self.injector_len(),
            parked_workers: parked as u64,
            searching_workers: searching as u64,
            blocking_threads: blocking.threads as u64,
            blocking_queued: blocking.queued as u64,
            io_sources: self.reactor.sources() as u64,
            sleeps: self.reactor.sleeps() as u64,
            epoch_advances: tiny_coro_ebr::Collector::global().statistics().advances as u64,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("workers", &self.remotes.len())
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}
