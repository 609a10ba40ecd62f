//! Models of the pool for blocking closures (B1 to B4), with its real threads. A thread of the model is the clock: when it comes on, the
//! deadlines of the waits under way pass, and those of later ones too.

use super::worker::Machine;
use crate::blocking::{BlockingPool, Limits, Urgency};
use crate::handle::Handle;
use crate::task::JoinHandle;
use crate::threads::Threads;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tiny_coro_prim::checker::allow_threads;

/// A pool of its own, and a runtime for its threads to be in.
#[derive(Clone)]
struct Model {
    pool: Arc<BlockingPool>,
    handle: Handle,
    /// Closures that have run.
    ran: Arc<AtomicUsize>,
}

impl Model {
    /// `max_threads` threads that end when they have been idle for some time, and a queue of `capacity`.
    fn new(max_threads: usize, capacity: usize) -> Self {
        let threads = Threads { name: String::new(), stack_size: None, on_start: None, on_stop: None };
        let limits = Limits { max_threads, keep_alive: Duration::from_secs(1), queue_capacity: capacity, threads };
        let pool = Arc::new(BlockingPool::new(limits));
        loom::stop_exploring();
        // Its one worker is gone: only the pool's threads are left.
        let handle = Handle { shared: Machine::new(1).shared };
        loom::explore();
        Self { pool, handle, ran: Arc::default() }
    }

    fn spawn(&self, urgency: Urgency, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        let ran = self.ran.clone();
        let closure = move || {
            body();
            ran.fetch_add(1, Relaxed);
        };
        self.pool.spawn(&self.handle, closure, urgency, Location::caller())
    }

    fn try_spawn(&self) -> Option<JoinHandle<()>> {
        let ran = self.ran.clone();
        let closure = move || _ = ran.fetch_add(1, Relaxed);
        self.pool.try_spawn(&self.handle, closure, Location::caller()).ok()
    }

    /// Deadlines pass at a moment of the checker's choice.
    fn start_clock(&self) -> thread::JoinHandle<()> {
        let pool = self.pool.clone();
        thread::spawn(move || pool.expire())
    }

    /// Starts `count` threads, and waits until they are idle. How they come there is not explored.
    fn idle_threads(&self, count: usize) {
        loom::stop_exploring();
        for _ in 0..count {
            self.pool.start_idle_thread(&self.handle);
        }
        while self.pool.idle() < count {
            thread::yield_now();
        }
        loom::explore();
    }

    /// Ends the pool and returns how many closures have run.
    fn end(&self) -> usize {
        self.pool.begin_shutdown();
        assert!(self.pool.join(None));
        let end = self.pool.snapshot();
        assert_eq!((end.threads, end.running, end.queued), (0, 0, 0));
        self.ran.load(Relaxed)
    }
}

/// B1: a closure that comes while the one idle thread gives up waiting is run: by that thread, or by another that is started for it.
#[test]
fn push_against_time_out() {
    loom::model(|| {
        let model = Model::new(1, 1);
        model.idle_threads(1);
        let clock = model.start_clock();
        let handle = model.spawn(Urgency::Optional, || ());
        clock.join().unwrap();
        // Every thread ends by its time-out now, and none leaves a closure behind.
        assert!(model.pool.join(None));
        assert!(handle.is_finished());
        assert_eq!(model.end(), 1);
    });
}

/// B2: of two pushes and one idle thread, which has not come round after the first, one is the thread's, and for the other there is a
/// new thread: both closures run at the same time.
#[test]
fn two_pushes_and_one_idle_thread() {
    loom::model(|| {
        let model = Model::new(2, 2);
        model.idle_threads(1);
        let met = loom::sync::Arc::new(loom::sync::atomic::AtomicUsize::new(0));
        for _ in 0..2 {
            let met = met.clone();
            let meet = move || {
                met.fetch_add(1, Ordering::Relaxed);
                while met.load(Ordering::Relaxed) < 2 {
                    thread::yield_now();
                }
            };
            model.spawn(Urgency::Mandatory, meet).detach();
        }
        assert_eq!(model.end(), 2);
    });
}

/// B1, B2: two idle threads, of which one may be notified while the other times out: the closure is run, and nobody is counted on who
/// has gone.
#[test]
fn notification_against_time_out() {
    loom::model(|| {
        let model = Model::new(2, 2);
        model.idle_threads(2);
        let clock = model.start_clock();
        let handle = model.spawn(Urgency::Optional, || ());
        clock.join().unwrap();
        assert!(model.pool.join(None));
        assert!(handle.is_finished());
        assert_eq!(model.end(), 1);
    });
}

/// B3: a closure that comes as the pool ends is run or cancelled, and its handle hears of it; a mandatory one that was let in before is
/// run.
#[test]
fn push_against_shutdown() {
    loom::model(|| {
        let model = Model::new(1, 2);
        let mandatory = model.spawn(Urgency::Mandatory, || ());
        let other = thread::spawn({
            let model = model.clone();
            move || model.spawn(Urgency::Optional, || ())
        });
        model.pool.begin_shutdown();
        let optional = other.join().unwrap();
        let ran = model.end();
        assert!(mandatory.is_finished() & optional.is_finished());
        assert!((1..=2).contains(&ran), "{ran} closures have run");
    });
}

/// B3: a mandatory closure in the queue of a pool whose only thread gives up waiting as the pool ends is run, by that thread or by the one
/// that ends the pool.
#[test]
fn mandatory_against_time_out_and_shutdown() {
    loom::model(|| {
        let model = Model::new(1, 2);
        model.idle_threads(1);
        let clock = model.start_clock();
        let handle = model.spawn(Urgency::Mandatory, || ());
        assert_eq!(model.end(), 1);
        assert!(handle.is_finished());
        clock.join().unwrap();
    });
}

/// B1: where the operating system has no thread, a closure is cancelled, unless there is another thread, which comes to it: also when that
/// one gives up waiting just then.
#[test]
fn refused_thread() {
    loom::model(|| {
        let model = Model::new(2, 2);
        allow_threads(1);
        let first = model.spawn(Urgency::Optional, || ());
        let clock = model.start_clock();
        // A second thread is asked for unless the first is idle by now.
        let second = model.spawn(Urgency::Optional, || ());
        clock.join().unwrap();
        assert!(model.pool.join(None));
        assert!(first.is_finished() & second.is_finished());
        assert!((1..=2).contains(&model.end()));
    });
}

/// B1: where there is no thread at all, nobody would ever come.
#[test]
fn refused_first_thread() {
    loom::model(|| {
        let model = Model::new(2, 2);
        allow_threads(0);
        let other = thread::spawn({
            let model = model.clone();
            move || model.spawn(Urgency::Optional, || ())
        });
        let here = model.spawn(Urgency::Optional, || ());
        let there = other.join().unwrap();
        assert!(here.is_finished() & there.is_finished());
        assert_eq!(model.end(), 0);
    });
}

/// B4: of two closures that come at once for the one place in the queue one is let in, while the thread is busy.
#[test]
fn two_pushers_and_one_place() {
    loom::model(|| {
        let model = Model::new(1, 1);
        let gate = loom::sync::Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
        loom::stop_exploring();
        let busy = gate.clone();
        let busy = move || {
            busy.0.store(true, Ordering::Relaxed);
            while !busy.1.load(Ordering::Relaxed) {
                thread::yield_now();
            }
        };
        model.spawn(Urgency::Mandatory, busy).detach();
        while !gate.0.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        loom::explore();
        let other = thread::spawn({
            let model = model.clone();
            move || model.try_spawn()
        });
        let here = model.try_spawn();
        let there = other.join().unwrap();
        assert!(here.is_some() ^ there.is_some(), "one place was given twice, or not at all");
        loom::stop_exploring();
        gate.1.store(true, Ordering::Relaxed);
        model.pool.expire();
        assert!(model.pool.join(None));
        assert_eq!(model.end(), 2);
        loom::explore();
    });
}

/// B3: who has waited for the last thread sees what the closures did.
#[test]
fn join_against_the_last_thread() {
    loom::model(|| {
        let model = Model::new(1, 2);
        let flag = loom::sync::Arc::new(AtomicBool::new(false));
        let sets = flag.clone();
        model.spawn(Urgency::Mandatory, move || sets.store(true, Ordering::Relaxed)).detach();
        assert_eq!(model.end(), 1);
        assert!(flag.load(Ordering::Relaxed), "the pool ended before its closure");
    });
}
