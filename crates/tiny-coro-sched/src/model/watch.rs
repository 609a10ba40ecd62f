//! Models of the watch (W1): it must not sleep while a worker is awake and keeps to itself what others could do.

use super::core;
use super::worker::Machine;
use crate::idle::Idle;
use crate::watch::Watch;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use tiny_coro_parker::Parker;

/// The watch's side: asleep at most until somebody is awake.
fn watch(watch: &Watch, parker: &Parker, is_anybody_awake: impl Fn() -> bool) {
    while !is_anybody_awake() {
        watch.sleep(parker, &is_anybody_awake);
    }
}

/// W1: a worker that ends its sleep by itself, for an event of the driver's.
#[test]
fn watch_against_wake() {
    core(|| {
        let parker = Parker::new();
        let shared = Arc::new((Idle::new(1, 1), Watch::new(&parker)));
        shared.0.park(0, false);
        let watching = thread::spawn({
            let shared = shared.clone();
            move || watch(&shared.1, &parker, || shared.0.is_anybody_awake())
        });
        shared.0.leave(0);
        shared.1.worker_woke();
        watching.join().unwrap();
    });
}

/// W1: a worker that a push has chosen: it counts as awake before it is.
#[test]
fn watch_against_push() {
    loom::model(|| {
        let (own, parker) = (Parker::new(), Parker::new());
        let shared = Arc::new((Idle::new(2, 2), Watch::new(&parker)));
        shared.0.park(1, false);
        shared.0.park(0, false);
        let unparker = own.unparker();
        let worker = thread::spawn({
            let shared = shared.clone();
            move || {
                own.park();
                shared.0.leave(0);
                shared.1.worker_woke();
            }
        });
        let watching = thread::spawn({
            let shared = shared.clone();
            move || watch(&shared.1, &parker, || shared.0.is_anybody_awake())
        });
        assert_eq!(shared.0.notify_one(), Some(0));
        unparker.unpark();
        worker.join().unwrap();
        watching.join().unwrap();
    });
}

/// W1, with a real worker: one that counts as parked for a moment, and then finds that there is something to do.
#[test]
fn watch_against_a_park_that_is_called_off() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let parker = machine.watch.take().unwrap();
        let watching = thread::spawn({
            let shared = shared.clone();
            move || watch(&shared.watch, &parker, || shared.idle.is_anybody_awake())
        });
        // A poll that takes as long as the watch sleeps.
        let injecting = thread::spawn({
            let mut watching = Some(watching);
            let task = machine.task(move || watching.take().unwrap().join().unwrap());
            let shared = shared.clone();
            move || assert!(shared.inject(task).is_ok())
        });
        machine.work(0);
        injecting.join().unwrap();
    });
}

/// W1: the end of the runtime ends the watch's sleep.
#[test]
fn watch_against_shutdown() {
    core(|| {
        let parker = Parker::new();
        let shared = Arc::new((AtomicBool::new(false), Watch::new(&parker)));
        let watching = thread::spawn({
            let shared = shared.clone();
            move || watch(&shared.1, &parker, || shared.0.load(Ordering::Acquire))
        });
        // As `begin_shutdown`.
        shared.0.store(true, Ordering::Release);
        shared.1.unpark();
        watching.join().unwrap();
    });
}
