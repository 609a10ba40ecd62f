//! Panics of user code inside a task (T3, T4): each ends where it is, and the cell goes on to its end.
//!
//! They unwind without the panic hook, which would print each of thousands.

use super::{Count, Queue, core, parked_task, poll_once, result, runner, spawn};
use loom::sync::Arc;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

fn panic_quietly(what: &'static str) -> ! {
    resume_unwind(Box::new(what))
}

/// Panics when it is dropped, after what it holds has been counted.
struct PanicsInDrop(#[expect(dead_code, reason = "its count is looked at")] Arc<()>);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_quietly("drop");
    }
}

/// T3: the payload of a panic in poll gets to the join handle, as an output would.
#[test]
fn panic_in_poll() {
    core(|| {
        let queue = Queue::new();
        let held = Arc::new(());
        let mut handle = spawn(&queue, {
            let held = held.clone();
            async move {
                let _held = held;
                panic_quietly("poll")
            }
        });
        let runner = runner(&queue);
        let (count, waker) = Count::new();
        let polled: Poll<Result<(), _>> = poll_once(&mut handle, &waker);
        runner.join().unwrap();
        let error = match polled {
            Poll::Ready(result) => result.unwrap_err(),
            Poll::Pending => {
                assert_eq!(count.get(), 1, "the joiner was not woken");
                result(&mut handle).unwrap_err()
            }
        };
        assert_eq!(error.into_panic().downcast_ref(), Some(&"poll"));
        assert_eq!(Arc::strong_count(&held), 1, "the future was not dropped");
    });
}

/// T3: a destructor of the future that panics when the task is aborted, against a wake. The panic is what is reported.
#[test]
fn panic_in_drop_of_the_future() {
    struct Future(#[expect(dead_code, reason = "dropped")] PanicsInDrop, bool);
    impl std::future::Future for Future {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if !std::mem::replace(&mut self.1, true) {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }
    }
    core(|| {
        let queue = Queue::new();
        let held = Arc::new(());
        let mut handle = spawn(&queue, Future(PanicsInDrop(held.clone()), false));
        let runner = runner(&queue);
        handle.abort();
        runner.join().unwrap();
        queue.run();
        assert!(result(&mut handle).unwrap_err().is_panic());
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

/// T3, T4: an output whose destructor panics, dropped by the handle or by the completer.
#[test]
fn panic_in_drop_of_the_output() {
    core(|| {
        let queue = Queue::new();
        let held = Arc::new(());
        let handle = spawn(&queue, {
            let output = PanicsInDrop(held.clone());
            async move { output }
        });
        let runner = runner(&queue);
        drop(handle);
        runner.join().unwrap();
        assert_eq!((Arc::strong_count(&held), Arc::strong_count(&queue)), (1, 1));
    });
}

/// T3, T4: a join waker that panics when it is woken ends neither the runner nor the way of the cell to its end.
#[test]
fn panic_in_a_join_waker() {
    static VTABLE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), |_| panic_quietly("wake"), |_| {}, |_| {});
    core(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async { Arc::new(7) });
        // SAFETY: the functions look at no data, so any pointer and any number of copies will do.
        let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
        let runner = runner(&queue);
        let polled = poll_once(&mut handle, &waker);
        runner.join().unwrap();
        if polled.is_pending() {
            assert_eq!(*result(&mut handle).unwrap(), 7);
        }
        drop(polled);
        drop(handle);
        assert_eq!(Arc::strong_count(&queue), 1, "the cell was not freed");
    });
}

/// T4, T6: the same destructor at the end of the runtime, which comes to its end all the same, against the last waker.
#[test]
fn panic_in_drop_at_shutdown() {
    core(|| {
        let queue = Queue::new();
        let held = Arc::new(());
        let (handle, flags, wakers) = parked_task::<1>(&queue);
        spawn(&queue, {
            let panics = PanicsInDrop(held.clone());
            async move {
                let _panics = panics;
                std::future::pending::<()>().await;
            }
        })
        .detach();
        let runner = runner(&queue);
        queue.shutdown();
        runner.join().unwrap();
        queue.shutdown();
        assert!(handle.is_finished());
        assert_eq!((Arc::strong_count(&held), Arc::strong_count(&flags)), (1, 1));
        drop(wakers);
    });
}
