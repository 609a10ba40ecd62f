//! Abort and shutdown against whatever the task does meanwhile (T1, T5, T6).

use super::{Count, Queue, WaitFor, core, parked_task, poll_once, result, runner, spawn};
use crate::task::{TaskRef, WaitingTasks};
use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;
use std::task::Poll;

/// T5: abort and wake at once push the task once; its future is dropped once.
#[test]
fn abort_against_wake() {
    core(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<1>(&queue);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort());
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        assert!(queue.len() <= 1);
        queue.run();
        other.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
    });
}

/// T5: two aborts and a wake push an idle task once.
#[test]
fn two_aborts() {
    core(|| {
        let queue = Queue::new();
        let (mut handle, flags, wakers) = parked_task::<1>(&queue);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort());
        handle.abort();
        other.join().unwrap();
        assert_eq!(queue.len(), 1);
        queue.run();
        assert!(result(&mut handle).unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
        drop(wakers);
    });
}

/// T1: an abort that comes while the task is polled, or after it has completed.
#[test]
fn abort_against_complete() {
    core(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async { 7 });
        let runner = runner(&queue);
        handle.abort();
        runner.join().unwrap();
        queue.run();
        assert!(result(&mut handle).map_or_else(|error| error.is_cancelled(), |output| output == 7));
    });
}

/// T1: an abort that comes while a poll is about to answer `Pending`: the poller, or whom the abort pushes it to, drops the future.
#[test]
fn abort_against_poll() {
    core(|| {
        let queue = Queue::new();
        let future = WaitFor::<1>::new();
        let (flags, wakers) = (future.flags.clone(), future.wakers.clone());
        let mut handle = spawn(&queue, future);
        let runner = runner(&queue);
        handle.abort();
        runner.join().unwrap();
        queue.run();
        assert!(result(&mut handle).unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
        wakers.lock().unwrap().clear();
    });
}

/// T3, T5: who waits for a task that is aborted hears of it.
#[test]
fn abort_against_join() {
    core(|| {
        let queue = Queue::new();
        let (mut handle, _flags, wakers) = parked_task::<1>(&queue);
        let abort = handle.abort_handle();
        let other = thread::spawn({
            let queue = queue.clone();
            move || {
                abort.abort();
                queue.run();
            }
        });
        let (count, waker) = Count::new();
        let polled = poll_once(&mut handle, &waker);
        other.join().unwrap();
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending => {
                assert_eq!(count.get(), 1, "the joiner was not woken");
                result(&mut handle)
            }
        };
        assert!(result.unwrap_err().is_cancelled());
        drop(wakers);
    });
}

/// T6: abort and shutdown at once drop the future once, whichever of them has it.
#[test]
fn abort_against_shutdown() {
    core(|| {
        let queue = Queue::new();
        let (mut handle, flags, wakers) = parked_task::<1>(&queue);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort());
        queue.shutdown();
        other.join().unwrap();
        queue.shutdown();
        assert!(result(&mut handle).unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
        drop(wakers);
    });
}

/// T6: shutdown drops the future exactly once, whatever a wake does meanwhile, and the joiner hears of it.
#[test]
fn shutdown_against_wake() {
    core(|| {
        let queue = Queue::new();
        let (mut handle, flags, mut wakers) = parked_task::<1>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn({
            let flags = flags.clone();
            move || {
                flags[0].store(true, Ordering::Relaxed);
                waker.wake_by_ref();
            }
        });
        queue.shutdown();
        other.join().unwrap();
        queue.shutdown();
        assert!(result(&mut handle).is_err());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
    });
}

/// T6: shutdown while another thread still runs the task.
#[test]
fn shutdown_against_run() {
    core(|| {
        let queue = Queue::new();
        let dropped = Arc::new(());
        let mut handle = spawn(&queue, {
            let held = dropped.clone();
            async move { drop(held) }
        });
        let runner = runner(&queue);
        queue.shutdown();
        runner.join().unwrap();
        queue.shutdown();
        assert!(poll_once(&mut handle, std::task::Waker::noop()).is_ready());
        assert_eq!(Arc::strong_count(&dropped), 1);
    });
}

/// T6: a task that is about to wait for the first time is found in the list, or its poller is refused and drops it.
#[test]
fn shutdown_against_enlist() {
    core(|| {
        let queue = Queue::new();
        let future = WaitFor::<1>::new();
        let (flags, wakers) = (future.flags.clone(), future.wakers.clone());
        let mut handle = spawn(&queue, future);
        let runner = runner(&queue);
        queue.shutdown();
        runner.join().unwrap();
        // As the last worker does: whoever was polling has left.
        queue.shutdown();
        assert!(result(&mut handle).unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
        wakers.lock().unwrap().clear();
    });
}

/// T4, T6: of a list's reference either the completing task gets it back, or who empties the list gives it up.
#[test]
fn list_removal_against_close_and_pop() {
    core(|| {
        let queue = Queue::new();
        let (mut first, flags, mut wakers) = parked_task::<1>(&queue);
        let (mut second, other_flags, other_wakers) = parked_task::<1>(&queue);
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        let runner = runner(&queue);
        while let Some(task) = queue.waiting.close_and_pop() {
            task.shutdown();
        }
        runner.join().unwrap();
        queue.run();
        assert!(result(&mut first).map_or_else(|error| error.is_cancelled(), |()| true));
        assert!(result(&mut second).unwrap_err().is_cancelled());
        assert_eq!((Arc::strong_count(&flags), Arc::strong_count(&other_flags)), (1, 1));
        drop(other_wakers);
    });
}

/// T6: a bucket of slots goes only when the last thread that has freed one of them is through with it.
#[test]
fn list_removal_against_shrinking() {
    loom::model(|| {
        let queue = Queue::new();
        let (mut first, first_flags, mut first_wakers) = parked_task::<1>(&queue);
        let (mut second, second_flags, mut second_wakers) = parked_task::<1>(&queue);
        for (flags, wakers) in [(&first_flags, &mut first_wakers), (&second_flags, &mut second_wakers)] {
            flags[0].store(true, Ordering::Relaxed);
            wakers.pop().unwrap().wake();
        }
        // Both leave, perhaps each on a thread of its own, and the third may come into the place of either.
        let runner = runner(&queue);
        queue.waiting.shrink();
        let (mut third, third_flags, third_wakers) = parked_task::<1>(&queue);
        queue.waiting.shrink();
        runner.join().unwrap();
        queue.run();
        assert!(result(&mut first).is_ok() && result(&mut second).is_ok());
        queue.shutdown();
        assert!(result(&mut third).unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&third_flags), 1);
        drop(third_wakers);
    });
}

/// T6: the same where a slot is used again in between, and the second to leave it knows nothing of the first.
#[test]
fn list_removal_against_a_slot_used_again() {
    loom::model(|| {
        let queue = Queue::new();
        let list = Arc::new(WaitingTasks::new());
        let mut handles = Vec::new();
        let mut insert = || {
            handles.push(spawn(&queue, async {}));
            let task = queue.tasks.lock().unwrap().pop_front().unwrap();
            assert!(list.insert(task.duplicate()).is_ok());
            task
        };
        let leave_elsewhere = |task: TaskRef| {
            let list = list.clone();
            thread::spawn(move || {
                // SAFETY: it was inserted, and leaves here only; nobody else has to do with its fields.
                assert!(unsafe { list.remove(task.as_raw()) });
                // SAFETY: the list's reference.
                drop(unsafe { TaskRef::from_raw(task.as_raw()) });
                task.shutdown();
            })
        };
        let stays = insert();
        let first = leave_elsewhere(insert());
        let second = leave_elsewhere(insert());
        second.join().unwrap();
        list.shrink();
        first.join().unwrap();
        assert!(list.close_and_pop().is_some_and(|task| task.as_raw() == stays.as_raw()));
        assert!(list.close_and_pop().is_none());
        stays.shutdown();
    });
}
