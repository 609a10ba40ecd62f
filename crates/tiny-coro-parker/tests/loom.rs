//! The permit under every interleaving. A lost wake-up shows as a deadlock, which the checker reports.
//!
//! Most models are small enough to explore every schedule, with no bound on preemptions; those with more threads or
//! more rounds say how far they go. The backend is a mutex and a condition variable that the checker knows, in the algorithm that
//! `Std` and `ParkingLot` use, with a signal for every other sleep.

#![cfg(tiny_coro_loom)]

use std::task::Waker;
use std::time::Duration;

use tiny_coro_parker::{Parker, pair};
use tiny_coro_prim::atomic::{AtomicU32, Ordering};
use tiny_coro_prim::cell::UnsafeCell;
use tiny_coro_prim::sync::Arc;
use tiny_coro_prim::thread;

/// Not zero, so that the owner does fall asleep; in a model it passes whenever the checker likes.
const SOME_TIME: Duration = Duration::from_secs(1);

/// Explores every schedule there is, however often it switches threads.
fn all(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = None;
    builder.check(model);
}

/// Explores every schedule that takes the processor from a thread `preemptions` times at most.
fn bounded(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Whether a permit is left, without sleeping.
fn take(parker: &Parker) -> bool {
    parker.park_timeout(Duration::ZERO)
}

/// K1: left before, taken once.
#[test]
fn permit_before_park() {
    all(|| {
        let (parker, unparker) = pair();
        let thread = thread::spawn(move || unparker.unpark());
        thread.join().unwrap();
        parker.park();
        assert!(!take(&parker) && !parker.park_timeout(SOME_TIME));
    });
}

/// K4: between the announcement, the look at the word, and the sleep.
#[test]
fn permit_while_falling_asleep() {
    all(|| {
        let (parker, unparker) = pair();
        let thread = thread::spawn(move || unparker.unpark());
        parker.park();
        assert!(!take(&parker));
        thread.join().unwrap();
        assert!(!take(&parker));
    });
}

/// K1: two threads leave one permit, or two if the owner takes the first in between.
#[test]
fn double_unpark_is_one_permit() {
    all(|| {
        let (parker, unparker) = pair();
        let threads = [unparker.clone(), unparker].map(|unparker| thread::spawn(move || unparker.unpark()));
        parker.park();
        for thread in threads {
            thread.join().unwrap();
        }
        let second = take(&parker);
        assert!(!(second && take(&parker)), "three permits from two");
    });
}

/// K1: a time-out either finds the permit or leaves it.
#[test]
fn time_out_against_unpark() {
    all(|| {
        let (parker, unparker) = pair();
        let thread = thread::spawn(move || unparker.unpark());
        let taken = parker.park_timeout(SOME_TIME);
        thread.join().unwrap();
        assert_eq!(take(&parker), !taken, "taken exactly once");
    });
}

/// K1, K4: a late wake for a sleep that timed out does not end the next one without a permit.
#[test]
fn late_wake_is_not_a_permit() {
    all(|| {
        let (parker, unparker) = pair();
        let thread = thread::spawn(move || unparker.unpark());
        if parker.park_timeout(SOME_TIME) {
            assert!(!parker.park_timeout(SOME_TIME));
        } else {
            parker.park();
        }
        assert!(!take(&parker));
        thread.join().unwrap();
    });
}

/// K1, K4: the second of two permits ends the second park, even while the wake of the first is still to come.
#[test]
fn late_wake_beside_a_second_permit() {
    bounded(5, || {
        let (parker, unparker) = pair();
        let acknowledged = Arc::new(AtomicU32::new(0));
        let thread = thread::spawn({
            let acknowledged = Arc::clone(&acknowledged);
            move || {
                unparker.unpark();
                while acknowledged.load(Ordering::Relaxed) == 0 {
                    thread::yield_now();
                }
                unparker.unpark();
            }
        });
        if !parker.park_timeout(SOME_TIME) {
            parker.park();
        }
        acknowledged.store(1, Ordering::Relaxed);
        parker.park();
        assert!(!take(&parker));
        thread.join().unwrap();
    });
}

/// K3: the checker reports a race if any way of taking the permit fails to see what came before it.
#[test]
fn publishes_on_every_path() {
    for way in [
        |parker: &Parker| {
            parker.park();
            true
        },
        |parker: &Parker| parker.park_timeout(SOME_TIME),
        |parker: &Parker| take(parker),
        // Asleep and then out of time: the permit comes by `retract` where the checker lets it come late.
        |parker: &Parker| parker.park_timeout(SOME_TIME) || parker.park_timeout(SOME_TIME),
    ] {
        all(move || {
            let (parker, unparker) = pair();
            let data = Arc::new(UnsafeCell::new(0));
            let thread = thread::spawn({
                let data = Arc::clone(&data);
                move || {
                    // SAFETY: nobody reads before the permit, which comes after.
                    data.with_mut(|data| unsafe { *data = 7 });
                    unparker.unpark();
                }
            });
            if way(&parker) {
                // SAFETY: the writer is done once there is a permit (K3); the checker would report that it is not.
                assert_eq!(data.with(|data| unsafe { *data }), 7);
            }
            thread.join().unwrap();
        });
    }
}

/// K1, K4: an owner that looks at the word first, and sleeps after all if it sees nothing.
#[test]
fn spinning_before_sleeping() {
    all(|| {
        let (parker, unparker) = pair();
        let parker = parker.with_spin(2);
        let data = Arc::new(UnsafeCell::new(0));
        let thread = thread::spawn({
            let data = Arc::clone(&data);
            move || {
                // SAFETY: nobody reads before the permit, which comes after.
                data.with_mut(|data| unsafe { *data = 7 });
                unparker.unpark();
            }
        });
        parker.park();
        // SAFETY: the writer is done once there is a permit (K3).
        assert_eq!(data.with(|data| unsafe { *data }), 7);
        assert!(!take(&parker));
        thread.join().unwrap();
    });
}

/// K3: one permit of two grants stands for the writes of both: else the owner would sleep for ever.
#[test]
fn publishes_for_all_unparkers() {
    bounded(3, || {
        let (parker, unparker) = pair();
        let flags = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let threads = [0, 1].map(|index| {
            let (unparker, flags) = (unparker.clone(), Arc::clone(&flags));
            thread::spawn(move || {
                flags[index].store(1, Ordering::Relaxed);
                unparker.unpark();
            })
        });
        while flags.iter().any(|flag| flag.load(Ordering::Relaxed) == 0) {
            parker.park();
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// K3, K4: two parkers hand a value back and forth.
#[test]
fn ping_pong() {
    bounded(5, || {
        let ((ping, to_ping), (pong, to_pong)) = (pair(), pair());
        let ball = Arc::new(UnsafeCell::new(0));
        let hit = |ball: &UnsafeCell<u32>| {
            // SAFETY: the thread whose turn it is has the cell to itself: the turn comes with the permit (K3).
            ball.with_mut(|ball| unsafe { *ball += 1 });
        };
        let thread = thread::spawn({
            let ball = Arc::clone(&ball);
            move || {
                for _ in 0..2 {
                    pong.park();
                    hit(&ball);
                    to_ping.unpark();
                }
            }
        });
        for _ in 0..2 {
            hit(&ball);
            to_pong.unpark();
            ping.park();
        }
        // SAFETY: the last permit gave the cell to this thread (K3).
        assert_eq!(ball.with(|ball| unsafe { *ball }), 4);
        thread.join().unwrap();
    });
}

/// A waker of a parker that is dropped meanwhile.
#[test]
fn waker_outlives_parker() {
    all(|| {
        let (parker, unparker) = pair();
        let thread = thread::spawn(move || Waker::from(unparker).wake());
        let _ = parker.park_timeout(SOME_TIME);
        drop(parker);
        thread.join().unwrap();
    });
}
