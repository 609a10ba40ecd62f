//! What the workers, the handles and the tasks of one runtime share.

use crate::blocking::BlockingPool;
use crate::context;
use crate::idle::Idle;
use crate::injector::Injector;
use crate::metrics::{Counters, Metrics, SharedCounter};
use crate::park::Sleeper;
use crate::task::{self, Cause, Header, JoinHandle, Schedule, TaskRef, WaitingTasks};
use crate::worker::Worker;
use parking_lot::{Condvar, Mutex};
use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::num::NonZeroU32;
use std::panic::Location;
use std::ptr::NonNull;
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
}

/// One runtime.
pub(crate) struct Shared {
    pub(crate) remotes: Box<[CachePadded<Remote>]>,
    /// One a worker, and one for threads outside.
    shards: Box<[Arc<Shard>]>,
    pub(crate) injector: Injector,
    pub(crate) idle: Idle,
    pub(crate) reactor: Reactor,
    pub(crate) blocking: Arc<BlockingPool>,
    pub(crate) shutdown: AtomicBool,
    /// Workers that have not left their loop.
    pub(crate) running_workers: AtomicUsize,
    remote_wakes: SharedCounter,
    remote_spawns: SharedCounter,
    remote_completions: SharedCounter,
    /// True once every worker has left and every task is dropped.
    finished: Mutex<bool>,
    finished_changed: Condvar,
}

/// What the tasks of one spawner have in common: the way to their runtime, counted here so that spawning on two workers
/// shares no counter; and the list of those tasks that wait first on this shard's worker.
#[derive(Debug)]
pub(crate) struct Shard {
    waiting: WaitingTasks,
    shared: std::sync::Weak<Shared>,
}

impl Shared {
    /// Puts a runtime together from its workers' stealers and parkers.
    pub(crate) fn new<'a>(
        workers: impl ExactSizeIterator<Item = (Stealer<TaskRef>, &'a Parker)>,
        reactor: Reactor,
        blocking: Arc<BlockingPool>,
    ) -> Arc<Self> {
        let count = workers.len();
        let remotes = workers
            .map(|(stealer, parker)| {
                CachePadded::new(Remote {
                    stealer,
                    lifo: AtomicPtr::new(std::ptr::null_mut()),
                    sleeper: Sleeper::new(parker),
                    counters: Counters::default(),
                })
            })
            .collect();
        Arc::new_cyclic(|shared| Self {
            remotes,
            shards: (0..=count)
                .map(|_| Arc::new(Shard { waiting: WaitingTasks::new(), shared: shared.clone() }))
                .collect(),
            injector: Injector::new(),
            idle: Idle::new(count),
            reactor,
            blocking,
            shutdown: AtomicBool::new(false),
            running_workers: AtomicUsize::new(count),
            remote_wakes: SharedCounter::default(),
            remote_spawns: SharedCounter::default(),
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
        let (handle, refused) = self.try_spawn(future, spawned_at);
        refused.into_iter().for_each(TaskRef::shutdown);
        handle
    }

    /// As [`spawn`](Shared::spawn), but gives back a task that came too late, for the caller to cancel.
    pub(crate) fn try_spawn<F>(
        &self,
        future: F,
        spawned_at: &'static Location<'static>,
    ) -> (JoinHandle<F::Output>, Option<TaskRef>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        context::with_worker(self, |worker| {
            let shard = worker.map_or(self.remotes.len(), Worker::index);
            let [queued, joined] = task::allocate(future, TaskScheduler(self.shards[shard].clone()), spawned_at);
            let refused = match worker {
                Some(worker) => {
                    worker.push_spawned(queued);
                    None
                }
                None => {
                    self.remote_spawns.add_one();
                    self.inject(queued).err()
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

    fn unpark(&self, worker: usize) {
        self.remotes[worker].sleeper.unpark(|| self.reactor.notify());
    }

    /// True if some queue that a searching worker would look into has a task.
    pub(crate) fn has_work(&self) -> bool {
        !self.injector.is_empty()
            || self
                .remotes
                .iter()
                .any(|remote| !remote.stealer.is_empty() || !remote.lifo.load(Ordering::Relaxed).is_null())
    }

    /// Tells all workers to stop.
    pub(crate) fn begin_shutdown(&self) {
        // ORDERING S1: release. Pairs with the acquire in `is_shutting_down`; the unparks below end sleeps that missed it.
        self.shutdown.store(true, Ordering::Release);
        (0..self.remotes.len()).for_each(|worker| self.unpark(worker));
        self.blocking.begin_shutdown();
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        // ORDERING S1: acquire. Pairs with the release in `begin_shutdown`.
        self.shutdown.load(Ordering::Acquire)
    }

    /// The last worker's last duty: drops every future that is neither in a queue of a worker, which has emptied it by now, nor
    /// complete.
    pub(crate) fn finish(&self) {
        // ORDERING S2: after the acquire of the last worker's read-modify-write in `Worker::drop`.
        while let Some(task) = self.injector.close_and_pop() {
            task.shutdown();
        }
        for shard in &self.shards {
            while let Some(task) = shard.waiting.close_and_pop() {
                task.shutdown();
            }
        }
        self.reactor.shutdown();
        *self.finished.lock() = true;
        self.finished_changed.notify_all();
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

    /// Completions first: a task that completes in between is then counted as live, never as less than none.
    fn live_tasks(&self) -> u64 {
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
            remote_wakes: self.remote_wakes.get(),
            live_tasks: self.live_tasks(),
            injector_len: self.injector.len() as u64,
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

/// The way from a task to its runtime.
pub(crate) struct TaskScheduler(Arc<Shard>);

impl Schedule for TaskScheduler {
    unsafe fn submit(this: NonNull<Self>, task: TaskRef, cause: Cause) {
        // SAFETY: `task` keeps the allocation that `this` lies in alive until it is handed on below.
        let shard = unsafe { &this.as_ref().0 };
        let refused = context::push_if_own_worker(shard.shared.as_ptr(), task, cause);
        let Err(task) = refused else { return };
        // Not a worker of this runtime: a reference of our own, because `task` may end before `inject` does.
        let refused = match shard.shared.upgrade() {
            Some(shared) => shared.inject(task),
            None => Err(task),
        };
        // The runtime has ended, or is about to: this task has waited, so it is in a list, and whoever empties that drops its
        // future. Not here: the thread that wakes must not run its destructor.
        drop(refused);
    }

    fn enlist(&self, task: NonNull<Header>) -> bool {
        context::with_worker_of(self.0.shared.as_ptr(), |worker| {
            let Some(worker) = worker else {
                debug_assert!(false, "only workers poll tasks");
                return false;
            };
            // SAFETY: the caller's reference keeps the task alive here; the duplicate is the list's.
            let listed = unsafe { ManuallyDrop::new(TaskRef::from_raw(task)) }.duplicate();
            if worker.shared().shards[worker.index()].waiting.insert(listed).is_err() {
                return false;
            }
            let shard = NonZeroU32::MIN.saturating_add(worker.index() as u32);
            // SAFETY: the caller has set RUNNING, which owns the field; the task is alive.
            unsafe { task.as_ref().listed.with_mut(|listed| *listed = Some(shard)) };
            true
        })
    }

    fn release(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller had set RUNNING and completed the task: nobody writes the field any more.
        let listed = unsafe { task.as_ref().listed.with(|listed| *listed) };
        context::with_worker_of(self.0.shared.as_ptr(), |worker| {
            let upgraded;
            let shared = match worker {
                Some(worker) => {
                    worker.count_completion();
                    worker.shared()
                }
                None => {
                    let Some(shared) = self.0.shared.upgrade() else { return false };
                    shared.remote_completions.add_one();
                    upgraded = shared;
                    &upgraded
                }
            };
            // SAFETY: the task is alive for the caller, and this is the only list it was ever in.
            listed.is_some_and(|shard| unsafe { shared.shards[shard.get() as usize - 1].waiting.remove(task) })
        })
    }
}
