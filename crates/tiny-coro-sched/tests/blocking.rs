#![cfg(not(tiny_coro_loom))]
//! Blocking: in place, in `block_on` inside a task, on the pool with its limits.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Poll, Waker};
use std::time::Duration;
use tiny_coro_sched::{Builder, Handle, Runtime, block_in_place, sleep, spawn, spawn_blocking, yield_now};

mod common;
use common::{runtime, watched};

/// While a worker blocks in place another thread does its work: with one worker, the closure can wait for a task.
#[test]
fn block_in_place_lets_the_other_tasks_run() {
    watched(|| {
        let runtime = runtime(1);
        let sum = runtime.block_on(async {
            spawn(async {
                let mut sum = 0;
                for round in 0..20 {
                    let (sender, receiver) = mpsc::channel();
                    let task = spawn(async move {
                        yield_now().await;
                        sender.send(round).unwrap();
                        round
                    });
                    sum += block_in_place(move || receiver.recv().unwrap());
                    sum += task.await.unwrap();
                }
                sum
            })
            .await
            .unwrap()
        });
        assert_eq!(sum, 2 * (0..20).sum::<i32>());
    });
}

/// As many tasks block at once as there are, each waiting for all others.
#[test]
fn many_tasks_block_in_place_at_once() {
    watched(|| {
        let runtime = runtime(2);
        let barrier = Arc::new(Barrier::new(20));
        runtime.block_on(async {
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let barrier = barrier.clone();
                    spawn(async move {
                        block_in_place(|| barrier.wait());
                        // Without a worker or with one: the task goes on waiting and being woken.
                        sleep(Duration::from_millis(1)).await;
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(runtime.metrics().live_tasks, 0);
    });
}

/// `block_on` inside a task neither panics nor deadlocks, not even when tasks inside it do it again.
#[test]
fn block_on_inside_a_task() {
    fn nested(depth: usize) -> usize {
        if depth == 0 {
            return 0;
        }
        let task = spawn(async move { nested(depth - 1) });
        Handle::current().block_on(async { 1 + task.await.unwrap() })
    }
    watched(|| {
        for runtime in [runtime(1), runtime(2)] {
            assert_eq!(runtime.block_on(async { spawn(async { nested(10) }).await.unwrap() }), 10);
        }
    });
}

/// A task that wakes itself before, inside or after a `block_on` in its poll is polled again, and so is one that does so while its worker is
/// another thread's; each as often as it says.
#[test]
fn a_task_wakes_itself_around_other_polls() {
    const POLLS: usize = 100;
    async fn inner() {
        spawn(yield_now()).await.unwrap();
    }
    let ways: [fn(&Waker); 5] = [
        |own| {
            own.wake_by_ref();
            Handle::current().block_on(inner());
        },
        |own| Handle::current().block_on(async { own.wake_by_ref() }),
        |own| {
            Handle::current().block_on(inner());
            own.wake_by_ref();
        },
        |own| block_in_place(|| own.wake_by_ref()),
        |own| {
            block_in_place(|| ());
            own.wake_by_ref();
        },
    ];
    watched(move || {
        for runtime in [runtime(1), runtime(2)] {
            for way in ways {
                let mut polls = 0;
                let task = poll_fn(move |cx| {
                    polls += 1;
                    if polls == POLLS {
                        return Poll::Ready(polls);
                    }
                    way(cx.waker());
                    Poll::Pending
                });
                let task = runtime.spawn(task);
                assert_eq!(runtime.block_on(task).unwrap(), POLLS);
            }
        }
    });
}

/// A panic in the closure reaches the caller, and the worker is still there.
#[test]
fn a_panic_in_place_leaves_the_worker() {
    watched(|| {
        let runtime = runtime(1);
        let error = runtime.block_on(spawn_on(&runtime, async { block_in_place(|| panic!("in place")) })).unwrap_err();
        assert!(error.to_string().ends_with("panicked: in place"), "{error}");
        assert_eq!(runtime.block_on(spawn_on(&runtime, async { 1 })).unwrap(), 1);
    });
}

fn spawn_on<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = T> + Send + 'static,
) -> tiny_coro_sched::JoinHandle<T> {
    runtime.spawn(future)
}

/// Dropping the runtime while a task blocks in place waits for the closure, and drops every future once.
#[test]
fn the_end_waits_for_what_blocks_in_place() {
    watched(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let runtime = runtime(2);
        let (started, wait_started) = mpsc::channel();
        let (release, wait_release) = mpsc::channel::<()>();
        let token = Counted(dropped.clone());
        runtime
            .spawn(async move {
                let _token = token;
                block_in_place(|| {
                    started.send(()).unwrap();
                    wait_release.recv().unwrap();
                });
                std::future::pending::<()>().await;
            })
            .detach();
        wait_started.recv().unwrap();
        let ending = std::thread::spawn(move || drop(runtime));
        release.send(()).unwrap();
        ending.join().unwrap();
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A full queue refuses, with an error that says so, and accepts again once there is room.
#[test]
fn a_full_pool_refuses_and_recovers() {
    watched(|| {
        let runtime =
            Runtime::builder().worker_threads(1).max_blocking_threads(2).blocking_queue_capacity(3).build().unwrap();
        runtime.block_on(async {
            let (release, wait) = mpsc::channel::<()>();
            let wait = Arc::new(std::sync::Mutex::new(wait));
            let accepted: Vec<_> = (0..5)
                .map(|_| {
                    let wait = wait.clone();
                    spawn_blocking(move || wait.lock().unwrap().recv().unwrap())
                })
                .collect();
            let refused = spawn_blocking(|| ()).await.unwrap_err();
            assert!(refused.is_refused() && !refused.is_cancelled() && !refused.is_panic());
            assert!(refused.to_string().contains("blocking_queue_capacity"), "{refused}");
            let back = Handle::current().try_spawn_blocking(|| "the closure").unwrap_err();
            assert_eq!(back(), "the closure");

            (0..5).for_each(|_| release.send(()).unwrap());
            for task in accepted {
                task.await.unwrap();
            }
            assert_eq!(spawn_blocking(|| 7).await.unwrap(), 7);
        });
    });
}

/// Capacity 0 still uses every thread.
#[test]
fn without_a_queue_every_thread_is_used() {
    watched(|| {
        let runtime = Builder::new_current_thread().max_blocking_threads(3).blocking_queue_capacity(0).build().unwrap();
        runtime.block_on(async {
            let barrier = Arc::new(Barrier::new(3));
            let tasks: Vec<_> = (0..3)
                .map(|_| {
                    let barrier = barrier.clone();
                    spawn_blocking(move || barrier.wait().is_leader())
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

/// A task that blocked in place while its runtime ended, and then gives way, is cancelled: it had never waited, so only its own thread
/// knows it.
#[test]
fn a_task_that_gives_way_after_the_end_is_cancelled() {
    watched(|| {
        let runtime = runtime(2);
        let (started, wait_started) = mpsc::channel();
        let (release, wait_release) = mpsc::channel::<()>();
        let task = runtime.spawn(async move {
            block_in_place(|| {
                started.send(()).unwrap();
                wait_release.recv().unwrap();
            });
            yield_now().await;
        });
        wait_started.recv().unwrap();
        runtime.shutdown_background();
        release.send(()).unwrap();
        let waiting = Builder::new_current_thread().build().unwrap();
        if let Err(error) = waiting.block_on(task) {
            assert!(error.is_cancelled(), "{error}");
        }
    });
}

/// A runtime may be dropped in a closure that blocks in place on one of its own threads.
#[test]
fn the_runtime_is_dropped_in_place() {
    watched(|| {
        let runtime = runtime(2);
        let handle = runtime.handle().clone();
        let (done, ended) = mpsc::channel();
        handle
            .spawn(async move {
                block_in_place(|| drop(runtime));
                done.send(()).unwrap();
            })
            .detach();
        ended.recv().unwrap();
    });
}

/// A deadline of `shutdown` counts also when the only worker is in a long poll.
#[test]
fn shutdown_sees_its_deadline() {
    watched(|| {
        let runtime = runtime(1);
        let (release, wait) = mpsc::channel::<()>();
        let (started, wait_started) = mpsc::channel();
        runtime
            .spawn(async move {
                started.send(()).unwrap();
                let _ = wait.recv();
            })
            .detach();
        wait_started.recv().unwrap();
        let report = runtime.shutdown(std::time::Instant::now() + Duration::from_millis(10));
        assert_eq!(report.tasks.len(), 1, "{report}");
        drop(release);
    });
}

/// A limit of `shutdown_timeout` counts also while a task blocks in place.
#[test]
fn shutdown_timeout_does_not_wait_for_what_blocks_in_place() {
    watched(|| {
        let runtime = runtime(2);
        let (release, wait) = mpsc::channel::<()>();
        let (started, wait_started) = mpsc::channel();
        runtime
            .spawn(async move {
                block_in_place(|| {
                    started.send(()).unwrap();
                    let _ = wait.recv();
                });
            })
            .detach();
        wait_started.recv().unwrap();
        assert!(!runtime.shutdown_timeout(Duration::from_millis(10)));
        drop(release);
    });
}

/// A task that blocks in place after the end has begun, on what only the end cancels, does not hold it up.
#[test]
fn blocking_in_place_after_the_end_has_begun() {
    watched(|| {
        let runtime = runtime(2);
        let handle = runtime.handle().clone();
        let never = runtime.spawn(std::future::pending::<()>());
        let (release, wait) = mpsc::channel::<()>();
        let (started, wait_started) = mpsc::channel();
        runtime
            .spawn(async move {
                started.send(()).unwrap();
                wait.recv().unwrap();
                assert!(handle.block_on(never).unwrap_err().is_cancelled());
            })
            .detach();
        wait_started.recv().unwrap();
        let ending = std::thread::spawn(move || drop(runtime));
        std::thread::sleep(Duration::from_millis(5)); // the end has begun by now, or the test shows less
        release.send(()).unwrap();
        ending.join().unwrap();
    });
}
