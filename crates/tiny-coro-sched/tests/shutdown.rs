#![cfg(not(tiny_coro_loom))]
//! The end of a runtime: it comes, whatever is under way, and each future is dropped exactly once.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tiny_coro_sched::{Handle, Runtime, sleep, spawn, spawn_blocking, yield_now};

mod common;
use common::{runtime, watched};

/// Counts live instances.
struct Live(Arc<AtomicUsize>);

impl Live {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Spawns tasks of every kind, which spawn more.
fn load(count: Arc<AtomicUsize>, depth: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let _live = Live::new(&count);
        for kind in 0..4 {
            let live = Live::new(&count);
            let count = count.clone();
            spawn(async move {
                let _live = live;
                match kind {
                    0 => pending().await,
                    1 => sleep(Duration::from_secs(3600)).await,
                    2 if depth > 0 => load(count, depth - 1).await,
                    2 => spawn_blocking(move || drop(Live::new(&count))).await.unwrap_or(()),
                    _ => loop {
                        yield_now().await;
                    },
                }
            })
            .detach();
        }
        yield_now().await;
    })
}

#[test]
fn every_future_is_dropped_once_at_any_moment() {
    watched(|| {
        for round in 0..100 {
            let count = Arc::new(AtomicUsize::new(0));
            let runtime = runtime(1 + round % 3);
            runtime.spawn(load(count.clone(), 3)).detach();
            for _ in 0..round * 1_000 {
                std::hint::spin_loop();
            }
            drop(runtime);
            assert_eq!(count.load(Ordering::SeqCst), 0, "round {round}");
        }
    });
}

#[test]
fn threads_that_spawn_and_wake_during_shutdown_lose_nothing() {
    watched(|| {
        for _ in 0..50 {
            let count = Arc::new(AtomicUsize::new(0));
            let runtime = runtime(2);
            let spawners: Vec<_> = (0..2)
                .map(|_| {
                    let (handle, count) = (runtime.handle().clone(), count.clone());
                    thread::spawn(move || {
                        for _ in 0..500 {
                            let live = Live::new(&count);
                            let task = handle.spawn(async move {
                                let _live = live;
                                yield_now().await;
                            });
                            task.abort();
                        }
                    })
                })
                .collect();
            thread::yield_now();
            drop(runtime);
            spawners.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(count.load(Ordering::SeqCst), 0);
        }
    });
}

#[test]
fn what_is_spawned_after_the_end_is_cancelled_at_once() {
    watched(|| {
        let runtime = runtime(1);
        let handle: Handle = runtime.handle().clone();
        drop(runtime);
        let other = common::runtime(1);
        assert!(other.block_on(handle.spawn(async { 5 })).unwrap_err().is_cancelled());
        assert!(other.block_on(handle.spawn_blocking(|| 5)).unwrap_err().is_cancelled());
    });
}

/// A task owns the runtime it runs on, and drops it.
#[test]
fn a_runtime_dropped_on_its_own_worker_ends_without_deadlock() {
    watched(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let runtime = runtime(2);
        let handle = runtime.handle().clone();
        let live = Live::new(&count);
        handle
            .spawn(async move {
                let _live = live;
                pending::<()>().await;
            })
            .detach();
        handle.spawn(async move { drop(runtime) }).detach();
        while count.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
    });
}

#[test]
fn a_runtime_dropped_on_its_own_blocking_thread_ends_without_deadlock() {
    watched(|| {
        let runtime = runtime(1);
        let handle = runtime.handle().clone();
        let (done, ended) = std::sync::mpsc::channel();
        handle
            .spawn_blocking(move || {
                drop(runtime);
                done.send(()).unwrap();
            })
            .detach();
        ended.recv_timeout(Duration::from_secs(60)).unwrap();
    });
}

#[test]
fn shutdown_timeout_gives_up_on_a_task_that_blocks() {
    watched(|| {
        let runtime = runtime(1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, running) = std::sync::mpsc::channel();
        runtime
            .spawn(async move {
                started.send(()).unwrap();
                let _ = held.recv();
            })
            .detach();
        running.recv().unwrap();
        assert!(!runtime.shutdown_timeout(Duration::from_millis(10)));
        drop(release);
    });
    watched(|| assert!(Runtime::new().unwrap().shutdown_timeout(Duration::from_secs(60))));
    watched(|| Runtime::new().unwrap().shutdown_background());
}

/// A destructor that spawns and wakes while the runtime ends.
#[test]
fn destructors_may_use_the_runtime_that_ends() {
    struct Spawns;
    impl Drop for Spawns {
        fn drop(&mut self) {
            if let Ok(handle) = Handle::try_current() {
                handle.spawn(async {}).detach();
                handle.spawn_blocking(|| {}).detach();
            }
        }
    }
    watched(|| {
        let runtime = runtime(2);
        for _ in 0..100 {
            let spawns = Spawns;
            runtime
                .spawn(async move {
                    let _spawns = spawns;
                    pending::<()>().await;
                })
                .detach();
        }
        drop(runtime);
    });
}

/// A mandatory closure is run even if the runtime ends before a thread has come to it; an optional one is cancelled.
#[test]
fn mandatory_closures_are_run_at_the_end() {
    watched(|| {
        for _ in 0..200 {
            let done = Arc::new(AtomicUsize::new(0));
            let runtime = Runtime::builder().worker_threads(1).max_blocking_threads(1).build().unwrap();
            for _ in 0..3 {
                let done = done.clone();
                let count = move || done.fetch_add(1, Ordering::SeqCst);
                runtime.handle().spawn_mandatory_blocking(count).detach();
            }
            drop(runtime);
            assert_eq!(done.load(Ordering::SeqCst), 3);
        }
    });
}

/// A sleep that is awaited elsewhere does not hang when its runtime ends.
#[test]
fn a_sleep_of_an_ended_runtime_completes() {
    watched(|| {
        let (first, second) = (runtime(1), runtime(1));
        let far = Duration::from_secs(3600);
        let entered = first.enter();
        let (asleep, late) = (sleep(far), sleep(far));
        drop(entered);
        let waiting = second.spawn(asleep);
        while first.metrics().sleeps == 0 {
            thread::yield_now();
        }
        drop(first);
        second.block_on(waiting).unwrap();
        second.block_on(late);
    });
}
