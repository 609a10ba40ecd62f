//! Whole runtimes under random schedules: real workers, each with its thread, its queues, its searches and its sleep, and programs of
//! about ten tasks, which is far more than loom can go through.
//!
//! `RUSTFLAGS="--cfg tiny_coro_loom --cfg tiny_coro_shuttle" cargo test --profile loom -p tiny-coro-sched --lib scenario`
//!
//! Each scenario is run under [`SCHEDULES`] schedules, or as many as `TINY_CORO_SHUTTLE_SCHEDULES` says. Half of them draw a thread at
//! every step; the other half give the threads priorities and change these a few times ("Probabilistic Concurrency Testing", Burckhardt
//! et al., ASPLOS 2010), which finds what needs few switches in a long run. A failure prints its schedule;
//! `TINY_CORO_SHUTTLE_REPLAY=<schedule>` runs that one again, and nothing else: name one test.
//!
//! What is lost shows as a deadlock, a wrong count, a future that was not dropped or a task that was not freed. Nobody waits in the
//! poller, since the scenario has the right to it.

mod abort;
mod blocking;
mod current;
mod fair;
mod groups;
mod long_poll;
mod shutdown;
mod tasks;

use self::fair::Fair;
use crate::block_on::block_on;
use crate::blocking::{BlockingPool, Limits};
use crate::context;
use crate::handle::Handle;
use crate::panic::PanicPolicy;
use crate::shared::{Parts, Shared};
use crate::task::JoinHandle;
use crate::threads::Threads;
use crate::watch::{self, Watch};
use crate::worker::{self, Intervals, Worker};
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler};
use shuttle::{Config, Runner, thread};
use std::env;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::Duration;
use tiny_coro_parker::Parker;
use tiny_coro_prim::sync::Mutex;
use tiny_coro_reactor::Reactor;

/// Schedules a scenario, unless the environment says otherwise.
const SCHEDULES: usize = 1_000;
/// How many times the priorities change in a schedule of the second kind.
const CHANGES: usize = 3;
/// A stack, in bytes: a thread here has the frames of a worker, of a poll and of a destructor inside it, unoptimised in part.
const STACK: usize = 256 << 10;

/// Runs `scenario` under many schedules.
fn check(scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    if let Ok(schedule) = env::var("TINY_CORO_SHUTTLE_REPLAY") {
        Runner::new(ReplayScheduler::new_from_encoded(&schedule), config).run(scenario);
        return;
    }
    let schedules = env::var("TINY_CORO_SHUTTLE_SCHEDULES").map_or(SCHEDULES, |number| {
        number.parse().expect("TINY_CORO_SHUTTLE_SCHEDULES is a number of schedules for each scenario")
    });
    let scenario = Arc::new(scenario);
    let other = scenario.clone();
    Runner::new(RandomScheduler::new(schedules.div_ceil(2)), config.clone()).run(move || scenario());
    Runner::new(Fair::new(PctScheduler::new(CHANGES + 1, schedules / 2)), config).run(move || other());
}

/// A runtime that has not started: what its threads share, its workers, and the watch's parker.
fn build(
    count: usize,
    parallelism: usize,
    spares: Option<Arc<BlockingPool>>,
) -> (Arc<Shared>, Vec<Box<Worker>>, Parker) {
    let queues: Vec<_> = (0..count).map(|_| (tiny_coro_deque::Worker::fifo(), Parker::new())).collect();
    let watch = Parker::new();
    let parts = Parts {
        reactor: Reactor::with_timer_shards(1).expect("the machine has descriptors for a poller"),
        blocking: pool(2),
        spares,
        watch: Watch::new(&watch),
        panic_policy: PanicPolicy::Log,
        parallelism: parallelism,
    };
    let shared = Shared::new(queues.iter().map(|(deque, parker)| (deque.stealer(), parker)), parts);
    let workers = queues.into_iter().enumerate().map(|(index, (deque, parker))| {
        // Often into the injector, so that a short program comes there; never to the poller.
        let intervals = Intervals { injector: 5, driver: u32::MAX };
        Box::new(Worker::new(shared.clone(), index, deque, parker, intervals, 1))
    });
    let workers = workers.collect();
    (shared, workers, watch)
}

/// A pool whose threads stay until its end: no deadline ever passes here.
fn pool(max_threads: usize) -> Arc<BlockingPool> {
    let threads = Threads { name: String::new(), stack_size: None, on_start: None, on_stop: None };
    let limits = Limits { max_threads, keep_alive: Duration::from_secs(1), queue_capacity: usize::MAX, threads };
    Arc::new(BlockingPool::new(limits))
}

/// Which threads a runtime has beside its workers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// A watch. One worker runs at once, as far as nobody is stuck: the watch has to see to the others.
    Yes,
    /// None. As many run at once as there are.
    No,
}

/// Runs `body` as a thread outside a runtime with `count` workers, then ends the runtime and looks whether everything is gone.
fn runtime(count: usize, watched: Watched, body: impl FnOnce(&Handle)) {
    let parallelism = if watched == Watched::Yes { 1 } else { count };
    let (shared, workers, parker) = build(count, parallelism, Some(pool(usize::MAX)));
    let handle = Handle { shared: shared.clone() };
    let turn = shared.reactor.try_lock();
    let mut threads = Vec::new();
    for worker in workers {
        let handle = handle.clone();
        threads.push(thread::spawn(move || {
            // As `Builder::start_worker`.
            let _entered = context::enter(&handle);
            drop(handle);
            worker::run(worker);
        }));
    }
    if watched == Watched::Yes {
        let shared = shared.clone();
        threads.push(thread::spawn(move || watch::run(&shared, &parker)));
    }
    body(&handle);
    shared.begin_shutdown();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // As `Runtime::stop`: the last worker may be on a spare thread.
    assert!(shared.spares.iter().chain([&shared.blocking]).all(|pool| pool.join(None)));
    assert!(shared.is_finished(), "the last worker did not finish the runtime");
    assert!(!shared.has_work(), "a task was left in a queue");
    assert_eq!(shared.live_tasks(), 0, "spawned and completed do not agree");
    for shard in &shared.shards {
        assert_eq!(Arc::strong_count(shard), 1, "a task was not freed");
    }
    drop(turn);
}

/// What a scenario has counted.
#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Count {
    fn one(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Futures that were made, and that were dropped. Not the seam's counters: they are no part of what is checked.
#[derive(Clone, Default)]
struct Census(Arc<(Count, Count)>);

impl Census {
    /// A future that is counted with its end, whatever that is.
    fn count<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let member = Member::new(self);
        async move {
            let _member = member;
            future.await
        }
    }

    /// Each was dropped; twice would be undefined, and so a count of its own.
    fn check(&self, made: usize) {
        assert_eq!((self.0.0.get(), self.0.1.get()), (made, made), "futures made and dropped");
    }
}

struct Member(Census);

impl Member {
    fn new(census: &Census) -> Self {
        census.0.0.one();
        Self(census.clone())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.0.1.one();
    }
}

/// Permits that tasks and threads give to one task.
#[derive(Default)]
struct Signal(Mutex<Permits>);

#[derive(Default)]
struct Permits {
    count: usize,
    waiter: Option<Waker>,
}

impl Signal {
    /// `count` of them.
    fn several(count: usize) -> Arc<[Signal]> {
        (0..count).map(|_| Signal::default()).collect()
    }

    fn give(&self) {
        let mut permits = self.0.lock();
        permits.count += 1;
        let waiter = permits.waiter.take();
        drop(permits);
        waiter.into_iter().for_each(Waker::wake);
    }

    async fn take(&self) {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut permits = self.0.lock();
            if permits.count > 0 {
                permits.count -= 1;
                return Poll::Ready(());
            }
            let old = permits.waiter.replace(waker);
            drop(permits);
            drop(old); // after the lock: it may be the last reference to a task
            Poll::Pending
        })
        .await;
    }
}

/// Spawns from a thread outside.
fn spawn<F>(handle: &Handle, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    handle.shared.spawn(future, Location::caller())
}

/// Waits on a thread outside for tasks that end by themselves.
fn join_all<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    tasks.into_iter().map(|task| block_on(task).expect("nobody aborts it")).collect()
}
