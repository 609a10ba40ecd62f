//! Models of real workers with real queues, as far as they go without an operating system: nobody waits in the poller, since the
//! model has the right to it.
//!
//! A worker here runs one task and stops, as one that lost its thread: it is never made its thread's own, so what its task wakes goes
//! through the injector. A task that is lost is a deadlock, and one that is not freed a leak, because each holds an `Arc` of the model
//! checker.

use super::core;
use crate::blocking::{BlockingPool, Limits};
use crate::panic::PanicPolicy;
use crate::schedule::TaskScheduler;
use crate::shared::{Parts, Shared};
use crate::task::{self, Cause, Incoming, JoinHandle, TaskRef};
use crate::threads::Threads;
use crate::watch::Watch;
use crate::worker::{self, Intervals, Left, NoMain, Worker};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::Duration;
use tiny_coro_parker::Parker;
use tiny_coro_reactor::Reactor;

/// A runtime without threads.
pub(super) struct Machine {
    pub(super) shared: Arc<Shared>,
    pub(super) workers: Vec<Option<Box<Worker>>>,
    pub(super) watch: Option<Parker>,
}

impl Machine {
    pub(super) fn new(count: usize) -> Self {
        let queues: Vec<_> = (0..count).map(|_| (tiny_coro_deque::Worker::fifo(), Parker::new())).collect();
        let watch = Parker::new();
        let parts = Parts {
            reactor: Reactor::with_timer_shards(1).expect("the machine has descriptors for a poller"),
            blocking: pool(),
            spares: Some(pool()),
            watch: Watch::new(&watch),
            panic_policy: PanicPolicy::Log,
            parallelism: queues.len(),
        };
        let shared = Shared::new(queues.iter().map(|(deque, parker)| (deque.stealer(), parker)), parts);
        let workers = queues.into_iter().enumerate().map(|(index, (deque, parker))| {
            let intervals = Intervals { injector: u32::MAX, driver: u32::MAX };
            Some(Box::new(Worker::new(shared.clone(), index, deque, parker, intervals, 1)))
        });
        Self { workers: workers.collect(), shared, watch: Some(watch) }
    }

    fn take(&mut self, index: usize) -> Box<Worker> {
        self.workers[index].take().expect("each worker is taken once")
    }

    /// A task that calls `body` and ends.
    pub(super) fn task(&self, body: impl FnMut() + Send + 'static) -> TaskRef {
        task(&self.shared, body)
    }

    /// Queues a task from outside that calls `body` and ends.
    pub(super) fn inject(&self, body: impl FnMut() + Send + 'static) {
        assert!(self.shared.inject(self.task(body)).is_ok(), "the runtime has not ended");
    }

    /// Has a worker run one task on this thread, while nobody else has the driver.
    pub(super) fn work(&mut self, index: usize) -> Left {
        let shared = self.shared.clone();
        let _turn = shared.reactor.try_lock();
        let worker = self.take(index);
        let left = work(&worker);
        self.workers[index] = Some(worker);
        left
    }

    /// Has a worker run one task on a thread of its own. It comes back with the thread's end.
    fn start(&mut self, index: usize) -> thread::JoinHandle<(Box<Worker>, Left)> {
        let worker = self.take(index);
        thread::spawn(move || {
            let left = work(&worker);
            (worker, left)
        })
    }
}

fn pool() -> Arc<BlockingPool> {
    let threads = Threads { name: String::new(), stack_size: None, on_start: None, on_stop: None };
    Arc::new(BlockingPool::new(Limits { max_threads: 1, keep_alive: Duration::ZERO, queue_capacity: 1, threads }))
}

fn work(worker: &Worker) -> Left {
    worker::work(NonNull::from(worker), &mut NoMain)
}

/// A future that calls `body` and is ready. It holds something that the model checker misses if it is not dropped.
fn once(mut body: impl FnMut() + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
    let held = loom::sync::Arc::new(());
    poll_fn(move |_| {
        let _held = &held;
        body();
        Poll::Ready(())
    })
}

fn task(shared: &Shared, body: impl FnMut() + Send + 'static) -> TaskRef {
    let outside = shared.shards.last().expect("there is one for threads outside");
    let scheduler = TaskScheduler::new(outside.clone());
    let [queued, joined] = Incoming::with(once(body), |it| task::allocate(it, scheduler, Location::caller()));
    // SAFETY: counted for the join handle by `allocate`, for this output type.
    unsafe { JoinHandle::<()>::new(joined) }.detach();
    queued
}

/// A count of calls, and a function that counts one and ends the runtime.
fn counted(shared: &Arc<Shared>) -> (Arc<AtomicUsize>, impl Fn() + Clone + Send + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let (counter, shared) = (count.clone(), Arc::downgrade(shared));
    let end = move || {
        counter.fetch_add(1, Relaxed);
        shared.upgrade().into_iter().for_each(|shared| shared.begin_shutdown());
    };
    (count, end)
}

/// I1, J1: a task from outside while the one worker goes to sleep.
#[test]
fn inject_against_park() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let worker = machine.start(0);
        machine.inject(|| ());
        assert_eq!(worker.join().unwrap().1, Left::HandedOver);
        drop(turn);
    });
}

/// I1, S1: two workers and a task from outside. One runs it; it ends the runtime for the other, wherever that is by then.
#[test]
fn one_task_for_two_workers() {
    loom::model(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let (count, end) = counted(&shared);
        machine.inject(end);
        let here = machine.take(0);
        let there = machine.start(1);
        let left = work(&here);
        let (there, other_left) = there.join().unwrap();
        assert_eq!(count.load(Relaxed), 1);
        assert_ne!(left, other_left, "one has run it, the other was stopped");
        drop((turn, there));
    });
}

/// I1, J3: two tasks from outside, one of which a worker runs for ever, while the other worker goes to sleep. Whoever looked while the
/// first moved them from the stack to the list must hear of the second.
#[test]
fn injector_batch_against_park() {
    loom::model(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        machine.inject(|| ());
        machine.inject(|| ());
        let workers = [machine.start(0), machine.start(1)];
        for worker in workers {
            assert_eq!(worker.join().unwrap().1, Left::HandedOver);
        }
        drop(turn);
    });
}

/// I1: of two tasks that a busy worker pushes to its deque while the other one goes to sleep, the worker takes one itself, and nobody is
/// woken for that; the other worker comes for the second.
#[test]
fn deque_push_against_park() {
    loom::model(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let thief = machine.start(1);
        let busy = machine.take(0);
        busy.push(task(&shared, || ()), Cause::Yield);
        busy.push(task(&shared, || ()), Cause::Yield);
        assert_eq!(thief.join().unwrap().1, Left::HandedOver);
        assert_eq!(work(&busy), Left::HandedOver);
        drop(turn);
    });
}

/// I1, L1: a task in the LIFO slot of a busy worker that is displaced by the next: one of them is run by the other worker.
#[test]
fn lifo_swap_against_steal() {
    loom::model(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let count = Arc::new(AtomicUsize::new(0));
        let body = || {
            let count = count.clone();
            move || {
                count.fetch_add(1, Relaxed);
            }
        };
        let thief = machine.start(1);
        let busy = machine.take(0);
        busy.push(task(&shared, body()), Cause::Wake);
        busy.push(task(&shared, body()), Cause::Wake);
        assert_eq!(thief.join().unwrap().1, Left::HandedOver);
        assert_eq!(work(&busy), Left::HandedOver);
        assert_eq!(count.load(Relaxed), 2);
        drop(turn);
    });
}

/// L1: the task in a LIFO slot goes to its worker or to a thief, once, as it was pushed.
#[test]
fn lifo_take_against_steal() {
    loom::model(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let (count, end) = counted(&shared);
        let owner = machine.take(0);
        let thief = machine.start(1);
        owner.push(task(&shared, end), Cause::Wake);
        work(&owner);
        let thief = thief.join().unwrap();
        assert_eq!(count.load(Relaxed), 1);
        drop((turn, thief));
    });
}

/// W1: what is in the LIFO slot of a worker in a long poll is found by a worker that the watch wakes.
#[test]
fn watch_tells_of_a_lifo_slot() {
    loom::model(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let busy = machine.take(0);
        let thief = machine.start(1);
        busy.push(task(&shared, || ()), Cause::Wake);
        // As the watch does when it has seen no poll since it looked last.
        if shared.has_work() {
            shared.notify_one();
        }
        assert_eq!(thief.join().unwrap().1, Left::HandedOver);
        drop(turn);
    });
}

/// T1, T5: a wake by reference of a task that has just gone idle on another thread pushes it again: whoever links it into the injector
/// sees that it was taken out.
#[test]
fn wake_by_reference_against_idle() {
    core(|| {
        let mut machine = Machine::new(1);
        let wakers = Arc::new(std::sync::Mutex::new(Vec::<Waker>::new()));
        let future = {
            let (wakers, mut polls) = (wakers.clone(), 0);
            poll_fn(move |cx| {
                polls += 1;
                if polls == 1 {
                    wakers.lock().unwrap().push(cx.waker().clone());
                }
                Poll::<()>::Pending
            })
        };
        machine.shared.spawn(future, Location::caller()).detach();
        machine.work(0);
        let waker = wakers.lock().unwrap().pop().unwrap();
        waker.wake_by_ref();
        let other = thread::spawn(move || waker.wake_by_ref());
        assert_eq!(machine.work(0), Left::HandedOver);
        other.join().unwrap();
    });
}

/// S1, P1: a worker that goes to sleep as the runtime ends.
#[test]
fn shutdown_against_park() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let worker = machine.start(0);
        shared.begin_shutdown();
        assert_eq!(worker.join().unwrap().1, Left::ShuttingDown);
        drop(turn);
    });
}

/// S1: a worker that sees the end sees what came before it.
#[test]
fn shutdown_publishes() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let turn = shared.reactor.try_lock();
        let written = loom::sync::Arc::new(AtomicBool::new(false));
        let worker = machine.take(0);
        let seen = thread::spawn({
            let written = written.clone();
            move || {
                let left = work(&worker);
                assert!(written.load(Ordering::Relaxed), "stopped before the end");
                (worker, left)
            }
        });
        written.store(true, Ordering::Relaxed);
        shared.begin_shutdown();
        assert_eq!(seen.join().unwrap().1, Left::ShuttingDown);
        drop(turn);
    });
}

/// S2, J2: a task that comes from outside as the runtime ends is run, dropped by the last worker, or given back; its handle hears of it.
#[test]
fn shutdown_against_inject() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        shared.begin_shutdown();
        let worker = machine.take(0);
        let last = thread::spawn(move || {
            work(&worker);
            drop(worker);
        });
        let handle = shared.spawn(once(|| ()), Location::caller());
        last.join().unwrap();
        assert!(handle.is_finished());
    });
}

/// S2, T6: a wake from outside of a task that waits, as the runtime ends: its future is dropped once, by the last worker.
#[test]
fn shutdown_against_wake() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let held = loom::sync::Arc::new(());
        let wakers = Arc::new(std::sync::Mutex::new(Vec::<Waker>::new()));
        let handle = {
            let (held, wakers) = (held.clone(), wakers.clone());
            let future = poll_fn(move |cx| {
                let _held = &held;
                wakers.lock().unwrap().push(cx.waker().clone());
                Poll::<()>::Pending
            });
            shared.spawn(future, Location::caller())
        };
        machine.work(0);
        let waker = wakers.lock().unwrap().pop().unwrap();
        shared.begin_shutdown();
        let worker = machine.take(0);
        let last = thread::spawn(move || drop(worker));
        waker.wake();
        last.join().unwrap();
        assert!(handle.is_finished());
        assert_eq!(loom::sync::Arc::strong_count(&held), 1, "the future was not dropped");
    });
}

/// S2: of two workers that end at once the last drops what is in the injector, after each has dropped what is in its own queues: the
/// destructors see one another's writes.
#[test]
fn last_worker_drops_what_is_left() {
    struct OnDrop<F: FnMut()>(F);
    impl<F: FnMut()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    core(|| {
        let mut machine = Machine::new(2);
        let shared = machine.shared.clone();
        let flags = loom::sync::Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let seen = Arc::new(AtomicUsize::new(0));
        let (first, second) = (machine.take(0), machine.take(1));
        for (n, (worker, cause)) in [(&first, Cause::Yield), (&second, Cause::Wake)].into_iter().enumerate() {
            let flags = flags.clone();
            let dropped = OnDrop(move || flags[n].store(true, Ordering::Relaxed));
            worker.push(task(&shared, move || _ = &dropped), cause);
        }
        let last = {
            let seen = seen.clone();
            OnDrop(move || seen.store(flags.iter().filter(|flag| flag.load(Ordering::Relaxed)).count(), Relaxed))
        };
        machine.inject(move || _ = &last);
        shared.begin_shutdown();
        let other = thread::spawn(move || drop(first));
        drop(second);
        other.join().unwrap();
        assert_eq!(seen.load(Relaxed), 2, "dropped before the others had left");
    });
}
