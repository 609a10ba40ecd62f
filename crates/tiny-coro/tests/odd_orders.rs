#![cfg(not(tiny_coro_loom))]
//! Code of users in odd places: `block_on` inside polls and wakers, deferred functions that wake tasks, futures polled beside greedy ones.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;
use tiny_coro::runtime::{Builder, PanicPolicy, Runtime};
use tiny_coro::sync::{channel, oneshot};
use tiny_coro::task::{self, LocalSet};
use tiny_coro::time::{sleep, timeout};

/// Runs `body` on a thread of its own, and fails if it takes longer than any machine should need.
fn watched<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || done.send(body()));
    match ended.recv_timeout(Duration::from_secs(120)) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().expect_err("the body panicked"))
        }
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn ended_by_panics() -> Runtime {
    Builder::new_current_thread().panic_policy(PanicPolicy::ShutDown).build().unwrap()
}

/// Polls two futures, the first one first, until both have completed.
async fn both<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (Box::pin(first), Box::pin(second));
    let (mut one, mut other) = (None, None);
    poll_fn(|cx| {
        if one.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(cx)
        {
            one = Some(output);
        }
        if other.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(cx)
        {
            other = Some(output);
        }
        if one.is_some() && other.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (one.unwrap(), other.unwrap())
}

/// The runtime ends inside a `block_on` that the main future has called, and the main future goes on waiting.
#[test]
fn the_end_inside_the_main_future() {
    watched(|| {
        let runtime = ended_by_panics();
        let mut polls = 0;
        let polled = runtime.block_on(poll_fn(|cx| {
            polls += 1;
            if polls > 1 {
                return Poll::Ready(polls);
            }
            let never = runtime.spawn(pending::<()>());
            runtime.spawn(async { panic!("the end") }).detach();
            assert!(runtime.block_on(never).unwrap_err().is_cancelled());
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        assert_eq!(polled, 2);
        assert!(runtime.block_on(runtime.spawn(async {})).unwrap_err().is_cancelled());
    });
}

/// A waker that the reactor calls runs the runtime on top of itself; it ends there, and nobody is the worse for it.
#[test]
fn a_waker_that_blocks() {
    struct Blocks(Arc<Runtime>, mpsc::Sender<u32>);
    impl Wake for Blocks {
        fn wake(self: Arc<Self>) {
            let task = self.0.spawn(async {
                task::yield_now().await;
                5
            });
            self.1.send(self.0.block_on(task).unwrap()).unwrap();
            self.0.spawn(async { panic!("the end") }).detach();
            // It ends before this does, or sees that the end has begun.
            let _ = self.0.block_on(self.0.spawn(async {}));
        }
    }
    watched(|| {
        let runtime = Arc::new(ended_by_panics());
        let (sender, receiver) = mpsc::channel();
        let waker = Waker::from(Arc::new(Blocks(runtime.clone(), sender)));
        runtime.block_on(async {
            let mut deadline = Box::pin(sleep(Duration::from_millis(1)));
            assert!(deadline.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert!(tiny_coro::spawn(pending::<()>()).await.unwrap_err().is_cancelled());
        });
        assert_eq!(receiver.recv(), Ok(5));
    });
}

/// A function that epoch reclamation calls wakes tasks, in the midst of whatever the worker does with its deque: while that grows, and
/// while the worker goes to sleep after a burst. None is lost.
#[test]
fn deferred_functions_that_wake() {
    watched(|| {
        for spawned in [1_000, 20_000] {
            let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
            let ran = Arc::new(AtomicUsize::new(0));
            let (counted, called) = (ran.clone(), Arc::new(AtomicBool::new(false)));
            let calls = called.clone();
            let main = runtime.spawn(async move {
                let (senders, waiting): (Vec<_>, Vec<_>) = (0..8).map(|_| oneshot::channel::<()>()).unzip();
                let waiting: Vec<_> = waiting.into_iter().map(tiny_coro::spawn).collect();
                (0..20).for_each(|_| drop(tiny_coro::spawn(async {})));
                task::yield_now().await;
                tiny_coro_ebr::pin().defer(move || {
                    calls.store(true, Ordering::SeqCst);
                    senders.into_iter().for_each(|sender| sender.send(()).unwrap());
                });
                if spawned == 1_000 {
                    // The next pin calls it.
                    let elsewhere = thread::spawn(|| (0..100).for_each(|_| tiny_coro_ebr::pin().flush()));
                    elsewhere.join().unwrap();
                }
                for _ in 0..spawned {
                    let counted = counted.clone();
                    tiny_coro::spawn(async move { counted.fetch_add(1, Ordering::SeqCst) }).detach();
                }
                waiting
            });
            let waiting = runtime.block_on(main).unwrap();
            // Nothing else happens in the runtime from here on, once the function was called. A sleeping worker frees its deque's old
            // buffer, and calls the function on the way; a backend that has no such step is told to.
            for looks in 0.. {
                if waiting.iter().all(task::JoinHandle::is_finished) {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
                if looks > 200 && !called.load(Ordering::SeqCst) {
                    runtime.spawn(async { (0..3).for_each(|_| tiny_coro_ebr::pin().flush()) }).detach();
                }
            }
            while runtime.metrics().live_tasks > 0 {
                thread::yield_now();
            }
            assert_eq!(ran.load(Ordering::SeqCst), spawned);
        }
    });
}

/// The same with functions that block in place, which would give the worker away in the midst of it: while it is used otherwise it stays.
/// Also as the runtime ends.
#[test]
fn deferred_functions_that_block() {
    const SPAWNED: usize = 1_000;
    const WRONG: usize = 1_000_000;
    watched(|| {
        for round in 0..20 {
            let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
            let ran = Arc::new(AtomicUsize::new(0));
            let counted = ran.clone();
            let main = runtime.spawn(async move {
                (0..20).for_each(|_| drop(tiny_coro::spawn(async {})));
                task::yield_now().await;
                // Any thread that pins may come to call it, also of another test; mostly it is this one, which grows its deque below. Then
                // nobody runs the tasks that are there meanwhile.
                let (here, before) = (thread::current().id(), counted.clone());
                tiny_coro_ebr::pin().defer(move || {
                    let ran = || before.load(Ordering::SeqCst);
                    let (is_here, old) = (thread::current().id() == here, ran());
                    task::block_in_place(|| thread::sleep(Duration::from_millis(2)));
                    before.fetch_add(if is_here && ran() != old { WRONG } else { 0 }, Ordering::SeqCst);
                });
                let elsewhere = thread::spawn(|| (0..100).for_each(|_| tiny_coro_ebr::pin().flush()));
                elsewhere.join().unwrap();
                for _ in 0..SPAWNED {
                    let counted = counted.clone();
                    tiny_coro::spawn(async move { counted.fetch_add(1, Ordering::SeqCst) }).detach();
                }
            });
            if round % 2 == 0 {
                runtime.block_on(main).unwrap();
                while runtime.metrics().live_tasks > 0 {
                    thread::yield_now();
                }
                assert_eq!(ran.load(Ordering::SeqCst), SPAWNED);
            }
            drop(runtime);
            assert!(ran.load(Ordering::SeqCst) < WRONG, "the worker left in the midst of a push");
        }
    });
}

/// A task that is added to an empty local set from outside wakes who waits for it.
#[test]
fn an_empty_local_set_is_not_forgotten() {
    watched(|| {
        let runtime = current_thread();
        let set = LocalSet::new();
        let (sender, receiver) = oneshot::channel();
        let added = async { set.spawn_local(async move { sender.send(7).unwrap() }).detach() };
        assert_eq!(runtime.block_on(both(set.run_until(receiver), added)).0, Ok(7));
    });
}

/// What is polled beside a future that spends the whole budget comes to something.
#[test]
fn a_greedy_neighbour_in_one_task() {
    let (sender, receiver) = channel::unbounded();
    let (complete, completed) = oneshot::channel();
    complete.send(()).unwrap();
    let done = Cell::new(false);
    let greedy = async {
        let mut received = 0;
        while !done.get() {
            sender.try_send(0).unwrap();
            receiver.recv().await.unwrap();
            received += 1;
            assert!(received < 1_000_000, "the neighbour starves");
        }
    };
    let neighbour = async {
        completed.await.unwrap();
        done.set(true);
    };
    current_thread().block_on(both(greedy, neighbour));
}

/// A future that is ready is no time-out, also where the budget is spent and the time is up.
#[test]
fn a_spent_budget_is_no_timeout() {
    current_thread().block_on(async {
        let (sender, receiver) = channel::unbounded();
        (0..1_000).for_each(|n| sender.try_send(n).unwrap());
        let mut received = 0;
        while timeout(Duration::ZERO, receiver.recv()).await.is_ok() {
            received += 1;
        }
        assert_eq!(received, 1_000);
    });
}

/// A task that runs another runtime keeps its own budget.
#[test]
fn a_nested_runtime_leaves_the_budget() {
    watched(|| {
        current_thread().block_on(async {
            let turns = Arc::new(AtomicUsize::new(0));
            let counting = turns.clone();
            let neighbour = tiny_coro::spawn(async move {
                loop {
                    counting.fetch_add(1, Ordering::SeqCst);
                    task::yield_now().await;
                }
            });
            let greedy = tiny_coro::spawn(async move {
                current_thread().block_on(async {});
                let (sender, receiver) = channel::unbounded();
                let before = turns.load(Ordering::SeqCst);
                for _ in 0..10_000 {
                    sender.send(0).await.unwrap();
                    receiver.recv().await.unwrap();
                }
                turns.load(Ordering::SeqCst) - before
            });
            assert!(greedy.await.unwrap() > 100);
            neighbour.abort();
        });
    });
}
