//! The last reference to a cell, wherever it is (T4). The future holds an `Arc` of the model checker, and the cell its scheduler, so a
//! cell that is not freed is reported; one that is freed twice, or too early, is a race.

use super::{Queue, WaitFor, core, parked_task, runner, spawn};
use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

/// T4: whichever reference is the last, the cell is freed once.
#[test]
fn last_reference_anywhere() {
    core(|| {
        let queue = Queue::new();
        let (handle, _flags, mut wakers) = parked_task::<2>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || drop(waker));
        handle.abort();
        queue.run();
        drop(handle);
        drop(wakers);
        other.join().unwrap();
    });
}

/// T4: two wakers of a task that has ended are dropped at once.
#[test]
fn last_of_two_wakers() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<2>(&queue);
        handle.abort();
        queue.run();
        drop(handle);
        assert_eq!(Arc::strong_count(&flags), 1);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || drop(waker));
        drop(wakers);
        other.join().unwrap();
        assert_eq!(Arc::strong_count(&queue), 1, "the cell was not freed");
    });
}

/// T4: a wake by value of a task that has ended may free it, against the drop of another waker.
#[test]
fn last_reference_in_a_wake() {
    core(|| {
        let queue = Queue::new();
        let (handle, _flags, mut wakers) = parked_task::<2>(&queue);
        handle.abort();
        queue.run();
        drop(handle);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || waker.wake());
        drop(wakers);
        other.join().unwrap();
        assert_eq!(Arc::strong_count(&queue), 1, "the cell was not freed");
    });
}

/// T4: the queue's reference against the join handle's.
#[test]
fn last_reference_in_the_queue() {
    core(|| {
        let queue = Queue::new();
        let held = Arc::new(());
        let handle = spawn(&queue, {
            let held = held.clone();
            async move { drop(held) }
        });
        let runner = runner(&queue);
        drop(handle);
        runner.join().unwrap();
        assert_eq!((Arc::strong_count(&held), Arc::strong_count(&queue)), (1, 1));
    });
}

/// T4: an abort handle's reference against the end of the task, and against the join handle's.
#[test]
fn last_reference_in_an_abort_handle() {
    loom::model(|| {
        let queue = Queue::new();
        let handle = spawn(&queue, async {});
        let abort = handle.abort_handle();
        let other = thread::spawn(move || {
            let another = abort.clone();
            drop(abort);
            another.abort();
        });
        let runner = runner(&queue);
        drop(handle);
        other.join().unwrap();
        runner.join().unwrap();
        queue.run();
        assert_eq!(Arc::strong_count(&queue), 1, "the cell was not freed");
    });
}

/// T4: the waiting list's reference, given up by the end of the runtime, against the last waker's.
#[test]
fn last_reference_in_the_list() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<1>(&queue);
        drop(handle);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || drop(waker));
        queue.shutdown();
        other.join().unwrap();
        assert_eq!((Arc::strong_count(&flags), Arc::strong_count(&queue)), (1, 1));
    });
}

/// T4: a task that has given up its last reference but the queue's is woken for the last time while it is polled.
#[test]
fn waker_consumed_while_running() {
    core(|| {
        let queue = Queue::new();
        let future = WaitFor::<1>::new();
        let (flags, wakers) = (future.flags.clone(), future.wakers.clone());
        spawn(&queue, future).detach();
        let runner = runner(&queue);
        flags[0].store(true, Ordering::Relaxed);
        let waker = wakers.lock().unwrap().pop();
        let woken = waker.is_some();
        waker.into_iter().for_each(std::task::Waker::wake);
        runner.join().unwrap();
        queue.run();
        if woken {
            assert_eq!((Arc::strong_count(&flags), Arc::strong_count(&queue)), (1, 1));
        }
        let left = std::mem::take(&mut *wakers.lock().unwrap());
        left.into_iter().for_each(std::task::Waker::wake);
        queue.run();
        assert_eq!((Arc::strong_count(&flags), Arc::strong_count(&queue)), (1, 1));
    });
}

/// T4: a waker that is used after the end of its task and runtime does nothing, and frees what is left.
#[test]
fn waker_outlives_the_runtime() {
    core(|| {
        let queue = Queue::new();
        let (handle, _flags, mut wakers) = parked_task::<1>(&queue);
        drop(handle);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || waker.wake());
        queue.shutdown();
        other.join().unwrap();
        queue.shutdown();
        assert_eq!(Arc::strong_count(&queue), 1, "the cell was not freed");
    });
}
