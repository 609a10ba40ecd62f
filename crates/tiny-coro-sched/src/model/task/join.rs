//! The join handle against the end of its task (T3).

use super::{Count, Queue, core, poll_once, result, runner, spawn};
use loom::sync::Arc;
use std::task::Poll;

/// T3: the join handle gets the output, or its waker is woken; loom's `Arc` reports an output that is lost.
#[test]
fn join_against_complete() {
    core(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async { Arc::new(7) });
        let runner = runner(&queue);
        let (count, waker) = Count::new();
        let first = poll_once(&mut handle, &waker);
        runner.join().unwrap();
        let output = match first {
            Poll::Ready(output) => output,
            Poll::Pending => {
                assert_eq!(count.get(), 1, "the joiner was not woken");
                result(&mut handle)
            }
        };
        assert_eq!(*output.unwrap(), 7);
        drop(handle);
        drop(waker);
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was left behind");
    });
}

/// T3: who has seen that the task is finished finds the output whole, without waiting for its thread.
#[test]
fn is_finished_shows_the_output() {
    core(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async { 7 });
        let runner = runner(&queue);
        if handle.is_finished() {
            assert_eq!(result(&mut handle).unwrap(), 7);
        }
        runner.join().unwrap();
    });
}

/// T3: a join handle that changes its waker while the task completes has the new one woken, or gets the output.
#[test]
fn join_waker_replaced() {
    core(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async {});
        let ((_, first), (count, second)) = (Count::new(), Count::new());
        assert!(poll_once(&mut handle, &first).is_pending());
        let runner = runner(&queue);
        let polled = poll_once(&mut handle, &second);
        runner.join().unwrap();
        if polled.is_pending() {
            assert_eq!(count.get(), 1, "the new waker was not woken");
            result(&mut handle).unwrap();
        }
    });
}

/// T3: an output that nobody waits for is dropped once, by the handle or by the completer.
#[test]
fn detach_against_complete() {
    core(|| {
        let queue = Queue::new();
        let output = Arc::new(());
        let mut handle = spawn(&queue, {
            let output = output.clone();
            async move { output }
        });
        let (_, waker) = Count::new();
        assert!(poll_once(&mut handle, &waker).is_pending());
        let runner = runner(&queue);
        drop(handle);
        runner.join().unwrap();
        queue.run();
        assert_eq!(Arc::strong_count(&output), 1);
    });
}

/// T3: the same for a handle that was never polled.
#[test]
fn detach_against_complete_without_a_waker() {
    core(|| {
        let queue = Queue::new();
        let output = Arc::new(());
        let handle = spawn(&queue, {
            let output = output.clone();
            async move { output }
        });
        let runner = runner(&queue);
        handle.detach();
        runner.join().unwrap();
        assert_eq!(Arc::strong_count(&output), 1);
    });
}

/// T3: a task that waits for another: the join waker is a reference to a cell itself.
#[test]
fn join_waker_of_another_task() {
    core(|| {
        let queue = Queue::new();
        let inner = spawn(&queue, async { 7 });
        let mut outer = spawn(&queue, async move { inner.await.unwrap() });
        let first = runner(&queue);
        queue.run();
        first.join().unwrap();
        queue.run();
        assert_eq!(result(&mut outer).unwrap(), 7);
    });
}

/// T3: a second poll with the same waker keeps it, whatever the completer does; it is woken once.
#[test]
fn join_polled_again_with_its_waker() {
    core(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async {});
        let (count, waker) = Count::new();
        assert!(poll_once(&mut handle, &waker).is_pending());
        let runner = runner(&queue);
        let polled = poll_once(&mut handle, &waker);
        runner.join().unwrap();
        if polled.is_pending() {
            assert_eq!(count.get(), 1);
            result(&mut handle).unwrap();
        }
        drop((handle, waker));
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was left behind");
    });
}
