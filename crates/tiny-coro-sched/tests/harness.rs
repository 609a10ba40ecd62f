#![cfg(not(tiny_coro_loom))]
//! Cancellation: each public asynchronous operation is polled k times and dropped, for k = 0, 1, 2, … until it completes. Each time
//! nothing may be left behind (tasks, deadlines, sources), nothing lost, and who comes next must be woken.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tiny_coro_sched::task::{self, JoinSet, LocalSet, coop};
use tiny_coro_sched::time::{Instant, interval, sleep_until, timeout_at};
use tiny_coro_sched::{Handle, sleep, spawn, spawn_blocking, time, timeout, yield_now};

mod common;
use common::{runtime, watched};

/// No operation here takes more polls than that.
const MOST_POLLS: usize = 1_000;
/// Long enough to be waited for, short enough for a clock that is not paused.
const SHORT: Duration = Duration::from_millis(1);

/// Polls `future` up to `polls` times, each but the first when it was woken, and drops it. `None` if it had not completed by then.
async fn poll_and_drop<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Waits until nothing is left of what an operation has started. What never ends is the watchdog's.
async fn nothing_is_left() {
    let handle = Handle::current();
    loop {
        let metrics = handle.metrics();
        if metrics.live_tasks + metrics.sleeps + metrics.io_sources + metrics.blocking_queued + metrics.injector_len
            == 0
        {
            return;
        }
        // On a paused clock this is what moves it.
        sleep(SHORT).await;
    }
}

/// Drops an operation at every point at which it waits. `attempt` is given the number of polls; it makes the operation, checks what
/// it must leave behind, and says whether it completed.
async fn at_every_await(what: &str, mut attempt: impl AsyncFnMut(usize) -> bool) {
    for polls in 0..MOST_POLLS {
        let completed = attempt(polls).await;
        nothing_is_left().await;
        if completed {
            assert!(polls > 0, "{what} completed without a poll");
            return;
        }
    }
    panic!("{what} did not complete within {MOST_POLLS} polls");
}

/// Runs `body` on each kind of runtime: on one thread with a clock that stands still, and on two with the real one.
fn on_each_runtime(body: impl AsyncFn() + Send + Copy + 'static) {
    watched(move || {
        let paused = tiny_coro_sched::Builder::new_current_thread().start_paused(true).build().unwrap();
        for runtime in [paused, runtime(2)] {
            runtime.block_on(body());
            let report = runtime.shutdown(std::time::Instant::now() + Duration::from_secs(60));
            assert!(report.is_clean(), "{report}");
        }
    });
}

/// Counts live instances.
#[derive(Debug)]
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

#[test]
fn sleeps_and_timeouts() {
    on_each_runtime(async || {
        at_every_await("sleep", async |polls| poll_and_drop(sleep(SHORT), polls).await.is_some()).await;
        at_every_await("sleep_until", async |polls| {
            poll_and_drop(sleep_until(Instant::now() + SHORT), polls).await.is_some()
        })
        .await;
        at_every_await("timeout, elapsed", async |polls| {
            let limited = timeout(SHORT, sleep(Duration::from_secs(3600)));
            poll_and_drop(limited, polls).await.inspect(|result| assert!(result.is_err())).is_some()
        })
        .await;
        at_every_await("timeout, in time", async |polls| {
            let limited = timeout_at(Instant::now() + Duration::from_secs(3600), async {
                sleep(SHORT).await;
                yield_now().await;
                7
            });
            poll_and_drop(limited, polls).await.inspect(|result| assert_eq!(*result, Ok(7))).is_some()
        })
        .await;
    });
}

/// A sleep that was dropped and made anew, and one that is awaited by reference and reset, wake whoever polls them last.
#[test]
fn a_sleep_may_change_hands() {
    on_each_runtime(async || {
        at_every_await("sleep by reference", async |polls| {
            let mut slept = Box::pin(sleep(SHORT));
            let completed = poll_and_drop(slept.as_mut(), polls).await.is_some();
            if !completed {
                // Its waker is that of a future that is gone; this task's takes its place.
                spawn(slept).await.unwrap();
            }
            completed
        })
        .await;
    });
}

/// A tick that was dropped while it was waited for is not lost: the next call gives it.
#[test]
fn ticks_are_not_lost() {
    on_each_runtime(async || {
        at_every_await("tick", async |polls| {
            let start = Instant::now() + SHORT;
            let mut ticks = time::interval_at(start, SHORT);
            let dropped = poll_and_drop(ticks.tick(), polls).await;
            let next = ticks.tick().await;
            match dropped {
                Some(first) => assert_eq!((first, next), (start, start + SHORT)),
                None => assert_eq!(next, start),
            }
            dropped.is_some()
        })
        .await;
        at_every_await("first tick", async |polls| poll_and_drop(interval(SHORT).tick(), polls).await.is_some()).await;
    });
}

/// A result that was waited for is there for the next who asks; a handle that is dropped detaches its task, which runs to its end.
#[test]
fn join_handles() {
    on_each_runtime(async || {
        let count = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicUsize::new(0));
        let task = || {
            let (live, ended) = (Live::new(&count), ended.clone());
            spawn(async move {
                sleep(SHORT).await;
                ended.fetch_add(1, Ordering::SeqCst);
                live
            })
        };
        let mut started = 0;
        at_every_await("JoinHandle by reference", async |polls| {
            started += 1;
            let mut handle = task();
            let Some(result) = poll_and_drop(&mut handle, polls).await else {
                drop(handle.await.unwrap());
                return false;
            };
            drop(result.unwrap());
            true
        })
        .await;
        at_every_await("JoinHandle", async |polls| {
            started += 1;
            poll_and_drop(task(), polls).await.is_some()
        })
        .await;
        assert_eq!(ended.load(Ordering::SeqCst), started, "a detached task did not run to its end");
        at_every_await("aborted JoinHandle", async |polls| {
            let handle = task();
            handle.abort();
            poll_and_drop(handle, polls).await.inspect(|result| assert!(result.is_err())).is_some()
        })
        .await;
        at_every_await("JoinHandle of a blocking closure", async |polls| {
            let live = Live::new(&count);
            poll_and_drop(spawn_blocking(move || live), polls).await.is_some()
        })
        .await;
        while count.load(Ordering::SeqCst) > 0 {
            // A detached closure may still be on its thread.
            yield_now().await;
        }
    });
}

/// `join_next` gives each result once, whatever was dropped before it.
#[test]
fn join_sets() {
    on_each_runtime(async || {
        let set = || -> JoinSet<u32> {
            (0..3u32)
                .map(|n| async move {
                    sleep(SHORT * n).await;
                    n
                })
                .collect()
        };
        at_every_await("join_next", async |polls| {
            let mut set = set();
            let mut sum = 0;
            let first = poll_and_drop(set.join_next(), polls).await;
            let completed = first.is_some();
            sum += first.flatten().map_or(0, Result::unwrap);
            while let Some(result) = set.join_next_with_id().await {
                sum += result.unwrap().1;
            }
            assert_eq!(sum, 3, "a result was lost, or came twice");
            completed
        })
        .await;
        at_every_await("join_all", async |polls| {
            poll_and_drop(set().join_all(), polls).await.inspect(|all| assert_eq!(all.len(), 3)).is_some()
        })
        .await;
        at_every_await("JoinSet::shutdown", async |polls| {
            let mut set = set();
            let completed = poll_and_drop(set.shutdown(), polls).await.is_some();
            while set.join_next().await.is_some() {}
            completed
        })
        .await;
        at_every_await("JoinSet, dropped", async |polls| {
            let mut set = set();
            poll_and_drop(async { while set.join_next().await.is_some() {} }, polls).await.is_some()
        })
        .await;
    });
}

/// A scope that is dropped aborts its children; one that completes has none.
#[test]
fn scopes() {
    on_each_runtime(async || {
        let count = Arc::new(AtomicUsize::new(0));
        at_every_await("scope", async |polls| {
            let scope = task::scope(async |scope| {
                for n in 0..3u32 {
                    let live = Live::new(&count);
                    scope.spawn(async move {
                        let _live = live;
                        sleep(SHORT * n).await;
                    });
                }
                let live = Live::new(&count);
                scope.spawn(async move { live }).await.map(drop).unwrap();
                yield_now().await;
            });
            let completed = poll_and_drop(scope, polls).await.is_some();
            if completed {
                assert_eq!(count.load(Ordering::SeqCst), 0, "a scope has ended before its children");
            }
            nothing_is_left().await;
            assert_eq!(count.load(Ordering::SeqCst), 0, "a child has outlived its scope");
            completed
        })
        .await;
    });
}

/// What `run_until` is dropped with stays in the set, and goes on with the next who polls it.
#[test]
fn local_sets() {
    on_each_runtime(async || {
        let ended = Arc::new(AtomicUsize::new(0));
        let local = LocalSet::new();
        let mut started = 0;
        at_every_await("run_until", async |polls| {
            started += 1;
            let ended = ended.clone();
            let body = local.run_until(async {
                let task = task::spawn_local(async move {
                    let held = std::rc::Rc::new(ended);
                    sleep(SHORT).await;
                    held.fetch_add(1, Ordering::SeqCst);
                });
                yield_now().await;
                task.await.unwrap();
            });
            let polled = polls > 0;
            let completed = poll_and_drop(body, polls).await.is_some();
            if !polled {
                started -= 1;
            }
            local.run_until(async { sleep(SHORT * 2).await }).await;
            completed
        })
        .await;
        local.await;
        assert_eq!(ended.load(Ordering::SeqCst), started, "a task of the set was lost");

        at_every_await("LocalSet", async |polls| {
            let local = LocalSet::new();
            let held = std::rc::Rc::new(());
            let task = local.spawn_local({
                let held = held.clone();
                async move {
                    sleep(SHORT).await;
                    drop(held);
                }
            });
            let completed = poll_and_drop(local, polls).await.is_some();
            assert_eq!(std::rc::Rc::strong_count(&held), 1, "the set was dropped without its tasks");
            assert_eq!(task.await.is_ok(), completed);
            completed
        })
        .await;
    });
}

#[test]
fn yields_and_budgets() {
    on_each_runtime(async || {
        at_every_await("yield_now", async |polls| poll_and_drop(yield_now(), polls).await.is_some()).await;
        at_every_await("consume_budget", async |polls| {
            // More than one poll's budget, so that it gives way in between.
            let much = async {
                for _ in 0..300 {
                    coop::consume_budget().await;
                }
            };
            poll_and_drop(much, polls).await.is_some()
        })
        .await;
        at_every_await("cooperative", async |polls| {
            let much = async {
                for _ in 0..300 {
                    coop::cooperative(async {}).await;
                }
            };
            poll_and_drop(much, polls).await.is_some()
        })
        .await;
        at_every_await("unconstrained", async |polls| {
            poll_and_drop(coop::unconstrained(sleep(SHORT)), polls).await.is_some()
        })
        .await;
    });
}

#[test]
fn task_locals() {
    tiny_coro_sched::task_local! {
        static HELD: Live;
    }
    on_each_runtime(async || {
        let count = Arc::new(AtomicUsize::new(0));
        at_every_await("task-local scope", async |polls| {
            let body = HELD.scope(Live::new(&count), async {
                sleep(SHORT).await;
                HELD.with(|live| assert!(live.0.load(Ordering::SeqCst) > 0));
            });
            let completed = poll_and_drop(body, polls).await.is_some();
            assert!(HELD.try_with(|_| ()).is_err(), "the value was left on the thread");
            assert_eq!(count.load(Ordering::SeqCst), 0);
            completed
        })
        .await;
    });
}

/// Moving the clock by hand, dropped on the way: the clock stands or has moved, and sleeps go on in either case.
#[test]
fn advances() {
    watched(|| {
        let runtime = tiny_coro_sched::Builder::new_current_thread().start_paused(true).build().unwrap();
        runtime.block_on(async {
            at_every_await("advance", async |polls| {
                let sleeping = spawn(sleep(SHORT));
                let completed = poll_and_drop(time::advance(SHORT * 2), polls).await.is_some();
                sleeping.await.unwrap();
                completed
            })
            .await;
        });
    });
}
