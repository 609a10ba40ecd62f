//! Models of the injector (J1, J2), without workers.

use super::core;
use crate::injector::Injector;
use crate::task::{Cause, Header, Incoming, JoinHandle, Schedule, TaskId, TaskRef, allocate};
use loom::sync::Arc;
use loom::thread;
use std::panic::Location;
use std::ptr::NonNull;

/// A scheduler whose tasks are queued by hand.
struct ByHand;

impl Schedule for ByHand {
    unsafe fn submit(_: NonNull<Self>, task: TaskRef, _: Cause) {
        drop(task);
    }

    fn enlist(&self, _: NonNull<Header>) -> bool {
        false
    }

    fn release(&self, _: NonNull<Header>) -> bool {
        false
    }
}

/// A task that the model checker misses if it is lost, and its id.
fn task() -> (TaskRef, TaskId) {
    let held = Arc::new(());
    let [queued, joined] = Incoming::with(async move { drop(held) }, |it| allocate(it, ByHand, Location::caller()));
    let id = queued.header().id;
    // SAFETY: counted for the join handle by `allocate`, for this output type.
    unsafe { JoinHandle::<()>::new(joined) }.detach();
    (queued, id)
}

/// Takes all there is, and returns the ids in their order.
fn pop_all(injector: &Injector, more: usize) -> Vec<TaskId> {
    let mut popped = Vec::new();
    loop {
        let mut rest = Vec::new();
        let Some(first) = injector.pop_batch(more, |task| rest.push(task)) else { return popped };
        for task in std::iter::once(first).chain(rest) {
            popped.push(task.header().id);
            task.run();
        }
    }
}

/// J1: a task is seen as its pusher left it, also its link to the one before.
#[test]
fn injector_push_against_pop() {
    core(|| {
        let injector = Arc::new(Injector::new());
        let pusher = thread::spawn({
            let injector = injector.clone();
            move || {
                let tasks = [task(), task()];
                tasks.map(|(task, id)| {
                    injector.push(task).expect("nobody closes it");
                    id
                })
            }
        });
        let mut popped = pop_all(&injector, 1);
        let pushed = pusher.join().unwrap();
        popped.extend(pop_all(&injector, 1));
        assert_eq!(popped, pushed, "first in is first out");
        assert!(injector.is_empty());
    });
}

/// J1: of two pushers at once, and of each its own order is kept.
#[test]
fn two_pushers_keep_their_orders() {
    loom::model(|| {
        let injector = Arc::new(Injector::new());
        let (first, a) = task();
        injector.push(first).expect("nobody closes it");
        let pusher = thread::spawn({
            let injector = injector.clone();
            move || {
                let (task, id) = task();
                injector.push(task).expect("nobody closes it");
                id
            }
        });
        let (second, b) = task();
        injector.push(second).expect("nobody closes it");
        let c = pusher.join().unwrap();
        let popped = pop_all(&injector, 8);
        assert_eq!(popped[0], a);
        assert!(popped[1..] == [b, c] || popped[1..] == [c, b]);
    });
}

/// J1: two workers that take batches at once get each task once, while a third thread pushes.
#[test]
fn two_poppers_and_a_pusher() {
    loom::model(|| {
        let injector = Arc::new(Injector::new());
        for _ in 0..2 {
            injector.push(task().0).expect("nobody closes it");
        }
        let popper = thread::spawn({
            let injector = injector.clone();
            move || pop_all(&injector, 1).len()
        });
        let pusher = thread::spawn({
            let injector = injector.clone();
            move || injector.push(task().0).is_ok()
        });
        let here = pop_all(&injector, 0).len();
        assert!(pusher.join().unwrap());
        let there = popper.join().unwrap();
        assert_eq!(here + there + pop_all(&injector, 0).len(), 3);
    });
}

/// J2: a push that beats the close comes out of it; one that loses gets its task back.
#[test]
fn injector_push_against_close() {
    core(|| {
        let injector = Arc::new(Injector::new());
        injector.push(task().0).expect("it is open");
        let pusher = thread::spawn({
            let injector = injector.clone();
            move || (0..2).filter(|_| injector.push(task().0).map_err(TaskRef::shutdown).is_ok()).count()
        });
        let mut left = 0;
        while let Some(task) = injector.close_and_pop() {
            left += 1;
            task.shutdown();
        }
        let pushed = pusher.join().unwrap();
        assert_eq!(left, 1 + pushed);
        assert!(injector.push(task().0).map_err(TaskRef::shutdown).is_err());
        assert!(injector.pop_batch(1, drop).is_none() && injector.is_empty());
    });
}
