#![cfg(not(tiny_coro_loom))]
//! The mechanisms do the work that they are there for: read off the counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tiny_coro_sched::{Metrics, WorkerMetrics, spawn, yield_now};

mod common;
use common::{runtime, watched};

/// A few microseconds of work that the optimiser leaves alone.
fn work() -> u64 {
    (0..2_000u64).fold(0, |sum, n| std::hint::black_box(sum ^ n.wrapping_mul(31)))
}

/// The other backend of the deque does not tell that it grows.
fn deques_tell() -> bool {
    let deque = tiny_coro_deque::Worker::fifo();
    (0..10_000).for_each(|n| deque.push(n));
    deque.growths() > 0
}

fn deques_grow(total: &WorkerMetrics) -> bool {
    total.deque_growths > 0 || !deques_tell()
}

/// The other backend of the reclamation does not tell, that of the deque has a reclamation of its own.
fn epochs_advance(metrics: &Metrics) -> bool {
    metrics.epoch_advances > 0 || !tiny_coro_ebr::Collector::REPORTS || !deques_tell()
}

/// S1: in the ancestor work stealing was dead code. A fan-out from one worker must go through that worker's deque, make it
/// grow, be stolen by the others, and make the reclamation epoch advance.
#[test]
fn s1_local_pushes_steals_growth_and_epochs_really_happen() {
    watched(|| {
        let runtime = runtime(4);
        let mut metrics = Metrics::default();
        for _ in 0..200 {
            runtime.block_on(async {
                spawn(async {
                    let tasks: Vec<_> = (0..2_000).map(|_| spawn(async { work() })).collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                })
                .await
                .unwrap();
            });
            metrics = runtime.metrics();
            let total = metrics.total();
            let found = total.steals > 0 && deques_grow(&total) && epochs_advance(&metrics) && total.lifo_hits > 0;
            // In the first round the workers may all be awake from their start: nobody has to be woken then.
            if found && total.parks > 0 && total.wakes_sent + metrics.remote_wakes > 0 {
                break;
            }
        }
        let total = metrics.total();
        assert!(total.local_pushes >= 2_000, "spawns went elsewhere:\n{metrics}");
        assert!(total.steals > 0 && total.stolen_items >= total.steals, "nothing was stolen:\n{metrics}");
        assert!(deques_grow(&total), "the deque never grew:\n{metrics}");
        assert!(epochs_advance(&metrics), "no epoch advanced, so no buffer was reclaimed:\n{metrics}");
        assert!(total.lifo_hits > 0, "the LIFO slot was never used:\n{metrics}");
        assert!(
            total.injector_pops > 0 && total.injector_pops < total.polls / 100,
            "the injector did the work:\n{metrics}"
        );
        assert!(total.parks > 0 && total.driver_polls > 0 && total.steal_tries >= total.steals, "{metrics}");
        assert!(total.wakes_sent + metrics.remote_wakes > 0, "nobody was woken:\n{metrics}");
        assert!(total.polls >= 2_000, "{metrics}");
    });
}

/// A wake inside a worker goes to that worker's LIFO slot, and not through the injector.
#[test]
fn a_wake_inside_a_worker_stays_there() {
    watched(|| {
        let runtime = runtime(1);
        runtime.block_on(async {
            spawn(async {
                for _ in 0..1_000 {
                    spawn(async {}).await.unwrap();
                }
            })
            .await
            .unwrap();
        });
        let metrics = runtime.metrics();
        let total = metrics.total();
        assert!(total.lifo_hits >= 1_000, "{metrics}");
        assert!(total.injector_pops <= 2, "{metrics}");
    });
}

/// S8: in the ancestor spawn woke worker k mod n, also when that one was busy and others slept. With one worker held up,
/// every task from outside must still run.
#[test]
fn s8_a_spawn_wakes_a_worker_that_sleeps() {
    watched(|| {
        let runtime = runtime(2);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let blocker = runtime.spawn(async move {
            let _ = held.recv();
        });
        for n in 0..100 {
            let task = runtime.spawn(async move { n });
            assert_eq!(runtime.block_on(task).unwrap(), n);
        }
        drop(release);
        runtime.block_on(blocker).unwrap();
    });
}

/// At rest nothing moves: no polls, no parks, no system calls for events.
#[test]
fn an_idle_runtime_does_nothing() {
    watched(|| {
        let runtime = runtime(2);
        runtime.block_on(async { spawn(yield_now()).await.unwrap() });
        // A worker that has just published itself as parked still counts its last steps; one that is at rest counts none. So
        // there must come a while without any. A runtime that polls, or wakes up for nothing, never gets there.
        loop {
            let before = runtime.metrics();
            std::thread::sleep(Duration::from_millis(50));
            let after = runtime.metrics();
            if after.parked_workers == 2 && before.total() == after.total() {
                return;
            }
        }
    });
}

/// The LIFO slot does not let two tasks that wake each other starve a third on the same worker.
#[test]
fn a_ping_pong_does_not_starve_the_queue() {
    watched(|| {
        let runtime = runtime(1);
        let rounds = Arc::new(AtomicUsize::new(0));
        let seen = runtime.block_on(async {
            let ping = spawn({
                let rounds = rounds.clone();
                async move {
                    loop {
                        // Each child goes through the LIFO slot, and wakes its parent into it.
                        spawn(async {}).await.unwrap();
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            yield_now().await;
            let third = spawn({
                let rounds = rounds.clone();
                async move {
                    let start = rounds.load(Ordering::Relaxed);
                    for _ in 0..10 {
                        yield_now().await;
                    }
                    rounds.load(Ordering::Relaxed) - start
                }
            });
            let seen = third.await.unwrap();
            ping.abort();
            seen
        });
        assert!(seen <= 10 * 61, "{seen} rounds between ten yields");
    });
}

/// A task that always wakes itself does not keep timers, tasks from outside or other tasks waiting.
#[test]
fn a_busy_task_does_not_starve_timers_and_the_injector() {
    watched(|| {
        let runtime = runtime(1);
        let busy = runtime.spawn(async {
            loop {
                yield_now().await;
            }
        });
        let start = Instant::now();
        runtime.block_on(async {
            spawn(tiny_coro_sched::sleep(Duration::from_millis(5))).await.unwrap();
            for n in 0..100 {
                assert_eq!(runtime.spawn(async move { n }).await.unwrap(), n);
            }
        });
        assert!(start.elapsed() >= Duration::from_millis(5));
        busy.abort();
        assert!(runtime.block_on(busy).unwrap_err().is_cancelled());
    });
}
