//! A wake against whatever the task does meanwhile (T1, T2, T5).

use super::{Queue, WaitFor, core, parked_task, runner, spawn};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// T1, T2: a wake that comes while the task is polled makes it be polled again.
#[test]
fn wake_while_running() {
    core(|| {
        let queue = Queue::new();
        let future = WaitFor::<1>::new();
        let (flags, wakers) = (future.flags.clone(), future.wakers.clone());
        let handle = spawn(&queue, future);
        let runner = runner(&queue);
        flags[0].store(true, Ordering::Relaxed);
        let waker = wakers.lock().unwrap().pop();
        if let Some(waker) = waker {
            waker.wake();
        }
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T2: the same by reference, twice: the second wake finds the task scheduled, and publishes all the same.
#[test]
fn wakes_by_reference_while_running() {
    core(|| {
        let queue = Queue::new();
        let future = WaitFor::<2>::new();
        let (flags, wakers) = (future.flags.clone(), future.wakers.clone());
        let handle = spawn(&queue, future);
        let runner = runner(&queue);
        let mut waker = None;
        for flag in &*flags {
            flag.store(true, Ordering::Relaxed);
            waker = waker.or_else(|| wakers.lock().unwrap().pop());
            if let Some(waker) = &waker {
                waker.wake_by_ref();
            }
        }
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
        drop(std::mem::take(&mut *wakers.lock().unwrap()));
    });
}

/// T2: of two wakes at once, the one that finds the task scheduled still publishes what came before it.
#[test]
fn two_wakes_publish() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<2>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn({
            let flags = flags.clone();
            move || {
                flags[1].store(true, Ordering::Relaxed);
                waker.wake_by_ref();
            }
        });
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        queue.run();
        other.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T5: two wakes by value push an idle task once, and each gives up its reference or hands it to the queue.
#[test]
fn two_wakes_by_value_push_once() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<2>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn({
            let flags = flags.clone();
            move || {
                flags[1].store(true, Ordering::Relaxed);
                waker.wake();
            }
        });
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        assert!(queue.len() <= 1);
        other.join().unwrap();
        assert_eq!(queue.len(), 1);
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T5: two wakes by reference push an idle task once, also where the first attempt of one loses to the other.
#[test]
fn two_wakes_by_reference_push_once() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, wakers) = parked_task::<1>(&queue);
        let waker = wakers[0].clone();
        let other = thread::spawn(move || waker.wake_by_ref());
        flags[0].store(true, Ordering::Relaxed);
        wakers[0].wake_by_ref();
        other.join().unwrap();
        assert_eq!(queue.len(), 1);
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T2: a task that two threads run in turn is polled by one of them at a time, and sees its own earlier polls.
#[test]
fn two_runners() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<1>(&queue);
        let runner = runner(&queue);
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        queue.run();
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T1: a task that wakes itself while it is polled is pushed again by its poller, and by nobody else.
#[test]
fn a_wake_of_its_own_beside_another() {
    core(|| {
        let queue = Queue::new();
        let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
        let handle = spawn(&queue, {
            let wakers = wakers.clone();
            let mut polls = 0;
            poll_fn(move |cx| {
                polls += 1;
                if polls == 1 {
                    wakers.lock().unwrap().push(cx.waker().clone());
                    cx.waker().wake_by_ref();
                }
                if polls < 2 { Poll::Pending } else { Poll::Ready(()) }
            })
        });
        let runner = runner(&queue);
        let waker = wakers.lock().unwrap().pop();
        waker.into_iter().for_each(Waker::wake);
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
        wakers.lock().unwrap().clear();
    });
}

/// T1: a wake that comes as the task completes neither pushes it nor brings it back.
#[test]
fn wake_against_complete() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<2>(&queue);
        flags.iter().for_each(|flag| flag.store(true, Ordering::Relaxed));
        wakers.pop().unwrap().wake();
        let waker = wakers.pop().unwrap();
        let runner = runner(&queue);
        waker.wake_by_ref();
        waker.wake();
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
    });
}

/// T2: a wake of a task that is in a queue already gives up the last reference besides the queue's: the poll that follows, which is alone with
/// the task, sees what came before it.
#[test]
fn last_waker_of_a_queued_task() {
    core(|| {
        let queue = Queue::new();
        let (flag, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
        let task = spawn(&queue, {
            let (flag, done, wakers) = (flag.clone(), done.clone(), wakers.clone());
            let mut is_first = true;
            poll_fn(move |cx| {
                if std::mem::replace(&mut is_first, false) {
                    wakers.lock().unwrap().push(cx.waker().clone());
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                if !flag.load(Ordering::Relaxed) {
                    return Poll::Pending; // the waker is still there
                }
                done.store(true, Ordering::Relaxed);
                Poll::Ready(())
            })
        });
        task.detach();
        let first_poll = queue.tasks.lock().unwrap().pop_front().unwrap();
        first_poll.run();
        let waker = wakers.lock().unwrap().pop().unwrap();
        let other = thread::spawn({
            let flag = flag.clone();
            move || {
                flag.store(true, Ordering::Relaxed);
                waker.wake();
            }
        });
        queue.run();
        other.join().unwrap();
        queue.run();
        assert!(done.load(Ordering::Relaxed), "the poll after the wake has not seen what it was for");
    });
}
