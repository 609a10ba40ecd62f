//! Models of the current-thread runtime: its main future (M1), and the threads that want its one worker (M2).

use super::core;
use super::worker::Machine;
use crate::current::Core;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};
use tiny_coro_parker::Parker;

type Slot = Arc<Mutex<Option<Waker>>>;

/// Waits for `flag`, which is relaxed: the wake must publish it.
fn wait_for(flag: Arc<AtomicBool>, slot: Slot) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        *slot.lock().unwrap() = Some(cx.waker().clone());
        if flag.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// M1: a wake of the main future while its thread polls it, or goes to sleep: seen by the next poll.
#[test]
fn main_wake_against_poll_and_park() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let main = Core::new(machine.workers[0].take().unwrap());
        let turn = shared.reactor.try_lock();
        let (flag, slot) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let waker = thread::spawn({
            let (flag, slot) = (flag.clone(), slot.clone());
            move || {
                flag.store(true, Ordering::Relaxed);
                let waker = slot.lock().unwrap().take();
                waker.into_iter().for_each(Waker::wake);
            }
        });
        main.block_on(&shared, wait_for(flag, slot));
        waker.join().unwrap();
        drop(turn);
        drop(main.close());
    });
}

/// M1: a wake that finds the main future woken already, by itself, still publishes what came before it.
#[test]
fn two_main_wakes_publish() {
    core(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let main = Core::new(machine.workers[0].take().unwrap());
        let turn = shared.reactor.try_lock();
        let flag = Arc::new(AtomicBool::new(false));
        let mut waking = None;
        let future = {
            let flag = flag.clone();
            poll_fn(move |cx| {
                if waking.is_none() {
                    let (flag, waker) = (flag.clone(), cx.waker().clone());
                    waking = Some(thread::spawn(move || {
                        flag.store(true, Ordering::Relaxed);
                        waker.wake();
                    }));
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                match flag.load(Ordering::Relaxed) {
                    true => Poll::Ready(waking.take()),
                    false => Poll::Pending,
                }
            })
        };
        let waking = main.block_on(&shared, future);
        waking.unwrap().join().unwrap();
        drop(turn);
        drop(main.close());
    });
}

/// M1, I1: a task that comes from outside while the main future's thread sleeps is run by that thread, and may wake the main future.
#[test]
fn inject_against_the_main_future() {
    loom::model(|| {
        let mut machine = Machine::new(1);
        let shared = machine.shared.clone();
        let main = Core::new(machine.workers[0].take().unwrap());
        let turn = shared.reactor.try_lock();
        let (flag, slot) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let task = machine.task({
            let (flag, slot) = (flag.clone(), slot.clone());
            move || {
                flag.store(true, Ordering::Relaxed);
                let waker = slot.lock().unwrap().take();
                waker.into_iter().for_each(Waker::wake);
            }
        });
        let injecting = thread::spawn({
            let shared = shared.clone();
            move || assert!(shared.inject(task).is_ok())
        });
        main.block_on(&shared, wait_for(flag, slot));
        injecting.join().unwrap();
        drop(turn);
        drop(main.close());
    });
}

/// M2: of two threads in `block_on` each gets the worker: the one that comes too late is told when the other is done.
#[test]
fn two_callers_hand_the_worker_on() {
    fn call(core: &Core) {
        let parker = Parker::new();
        loop {
            if let Some(worker) = core.take(&parker.unparker()) {
                return core.give_back(worker);
            }
            parker.park();
        }
    }
    core(|| {
        let mut machine = Machine::new(1);
        let main = Arc::new(Core::new(machine.workers[0].take().unwrap()));
        let other = thread::spawn({
            let main = main.clone();
            move || call(&main)
        });
        call(&main);
        other.join().unwrap();
        assert!(main.close().is_some(), "the worker was lost");
    });
}
