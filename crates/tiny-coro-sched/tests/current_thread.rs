#![cfg(not(tiny_coro_loom))]
//! The current-thread runtime.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;
use tiny_coro_sched::{Builder, Handle, PanicPolicy, Runtime, sleep, spawn, spawn_blocking, timeout, yield_now};

mod common;
use common::{runtime, watched};

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Tasks run on the thread that blocks, in the order of their spawns (up to `global_queue_interval`), and only while it does.
#[test]
fn tasks_run_on_this_thread_in_order() {
    watched(|| {
        let runtime = current_thread();
        let here = thread::current().id();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        for n in 0..50 {
            let order = order.clone();
            runtime
                .spawn(async move {
                    assert_eq!(thread::current().id(), here);
                    order.lock().unwrap().push(n);
                })
                .detach();
        }
        assert!(order.lock().unwrap().is_empty());
        runtime.block_on(async {
            while order.lock().unwrap().len() < 50 {
                yield_now().await;
            }
        });
        assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
        // Also of those that a task spawns, or the main future.
        order.lock().unwrap().clear();
        let spawn_some = |numbers: std::ops::Range<i32>, order: &Arc<std::sync::Mutex<Vec<i32>>>| {
            for n in numbers {
                let order = order.clone();
                spawn(async move { order.lock().unwrap().push(n) }).detach();
            }
        };
        let ordered = order.clone();
        runtime.block_on(async move {
            spawn_some(0..6, &ordered);
            let (inner, ran) = (ordered.clone(), || ordered.lock().unwrap().len());
            spawn(async move { spawn_some(6..12, &inner) }).detach();
            while ran() < 12 {
                yield_now().await;
            }
        });
        assert_eq!(*order.lock().unwrap(), (0..12).collect::<Vec<_>>());
    });
}

/// Timers, the blocking pool and wakes from other threads reach it.
#[test]
fn it_sleeps_and_is_woken() {
    watched(|| {
        let runtime = current_thread();
        runtime.block_on(async {
            sleep(Duration::from_millis(2)).await;
            assert_eq!(spawn_blocking(|| 5).await.unwrap(), 5);
            let slept = spawn(async {
                sleep(Duration::from_millis(2)).await;
                6
            });
            assert_eq!(slept.await.unwrap(), 6);
            assert!(timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
        });
        assert_eq!(runtime.metrics().live_tasks, 0);
    });
}

/// `block_on` inside a task goes on with the other tasks.
#[test]
fn block_on_inside_a_task() {
    watched(|| {
        let runtime = Arc::new(current_thread());
        let inner = runtime.clone();
        let result = runtime.block_on(async move {
            let other = spawn(async {
                yield_now().await;
                sleep(Duration::from_millis(1)).await;
                20
            });
            spawn(async move { 1 + inner.block_on(async { other.await.unwrap() }) }).await.unwrap()
        });
        assert_eq!(result, 21);
    });
}

/// A task that wakes itself before or after a `block_on` in its poll, which polls other tasks, is polled again.
#[test]
fn a_task_wakes_itself_around_a_nested_block_on() {
    watched(|| {
        let runtime = Arc::new(current_thread());
        for before in [true, false] {
            let inner = runtime.clone();
            let mut polls = 0;
            let task = poll_fn(move |cx| {
                polls += 1;
                if before {
                    cx.waker().wake_by_ref();
                }
                inner.block_on(async { spawn(yield_now()).await.unwrap() });
                if !before {
                    cx.waker().wake_by_ref();
                }
                if polls < 100 { Poll::Pending } else { Poll::Ready(polls) }
            });
            assert_eq!(runtime.block_on(async { spawn(task).await.unwrap() }), 100);
        }
    });
}

/// Several threads block on one runtime: whoever has the worker polls the tasks, and hands it on when its future is done.
#[test]
fn several_threads_share_the_worker() {
    watched(|| {
        let (runtime, other) = (current_thread(), runtime(1));
        let polls = AtomicUsize::new(0);
        thread::scope(|scope| {
            for n in 0..8 {
                let (runtime, other, polls) = (&runtime, &other, &polls);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let task = runtime.spawn(async move {
                            yield_now().await;
                            n
                        });
                        // A task of another runtime changes nothing.
                        let elsewhere = other.spawn(async move { n });
                        assert_eq!(runtime.block_on(task).unwrap(), n);
                        assert_eq!(runtime.block_on(elsewhere).unwrap(), n);
                        polls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(polls.into_inner(), 1600);
    });
}

/// A panic of the main future leaves a runtime that works.
#[test]
fn a_panic_gives_the_worker_back() {
    watched(|| {
        let runtime = current_thread();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async { panic!("main") });
        }));
        assert!(panicked.is_err());
        assert_eq!(runtime.block_on(async { spawn(async { 3 }).await.unwrap() }), 3);
    });
}

/// The end drops every task, whether it has run or not.
#[test]
fn the_end_drops_every_task() {
    watched(|| {
        let alive = Arc::new(());
        let runtime = current_thread();
        for n in 0..10 {
            let alive = alive.clone();
            let task = async move {
                let _alive = alive;
                sleep(Duration::from_secs(3600)).await;
            };
            runtime.spawn(task).detach();
            if n == 5 {
                runtime.block_on(async { yield_now().await });
            }
        }
        let handle = runtime.handle().clone();
        drop(runtime);
        assert_eq!(Arc::strong_count(&alive), 1);
        let late = handle.spawn(async {});
        assert!(Handle::block_on(&handle, late).unwrap_err().is_cancelled());
    });
}

/// A task of one current-thread runtime runs another's `block_on`, one of whose tasks comes back to the first.
#[test]
fn block_on_by_way_of_another_runtime() {
    watched(|| {
        let (outer, between) = (Arc::new(current_thread()), Arc::new(current_thread()));
        let (again, other) = (outer.clone(), between.clone());
        let result = outer.block_on(async move {
            let task = spawn(async {
                yield_now().await;
                20
            });
            let back = async move { 1 + again.block_on(task).unwrap() };
            spawn(async move { other.block_on(async { spawn(back).await.unwrap() }) }).await.unwrap()
        });
        assert_eq!(result, 21);
        // Each runtime has its worker again.
        for runtime in [outer, between] {
            assert_eq!(runtime.block_on(async { spawn(async { 3 }).await.unwrap() }), 3);
        }
    });
}

/// The only worker of a multi-threaded runtime runs a current-thread one, which waits for the first one's other tasks.
#[test]
fn block_on_inside_a_task_of_another_runtime() {
    watched(|| {
        let (one, inner) = (runtime(1), current_thread());
        let handle = one.handle().clone();
        let task = one.spawn(async move {
            let other = handle.spawn(async {
                yield_now().await;
                20
            });
            1 + inner.block_on(other).unwrap()
        });
        assert_eq!(one.block_on(task).unwrap(), 21);
    });
}

/// The end, by a panic, while a task's `block_on` waits for another one, which only the end cancels.
#[test]
fn the_end_inside_a_nested_block_on() {
    watched(|| {
        for by_way_of_another in [false, true] {
            let runtime = Arc::new(Builder::new_current_thread().panic_policy(PanicPolicy::ShutDown).build().unwrap());
            let inner = runtime.clone();
            let result = runtime.block_on(async move {
                let never = spawn(std::future::pending::<()>());
                let task = spawn(async move {
                    spawn(async { panic!("the end") }).detach();
                    let wait = async move { never.await.unwrap_err().is_cancelled() };
                    if by_way_of_another {
                        current_thread().block_on(async { inner.block_on(wait) })
                    } else {
                        inner.block_on(wait)
                    }
                });
                task.await
            });
            assert!(result.unwrap(), "its poll was under way when the end came");
            assert!(runtime.block_on(runtime.spawn(async {})).unwrap_err().is_cancelled());
        }
    });
}
