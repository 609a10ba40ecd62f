#![cfg(not(tiny_coro_loom))]
//! Random schedules on a real machine: sixteen workers on however few processors, everything at once, and exact counts at the end.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_sched::{Handle, Runtime, block_in_place, sleep, spawn, spawn_blocking, task, timeout, yield_now};

mod common;
use common::{runtime, watched};

const WORKERS: usize = 16;
/// How long a task that can run may wait while a worker sleeps, and a machine that is busy with other things may take to notice.
const LIVENESS: Duration = Duration::from_secs(10);

/// A small generator of random numbers, so that a seed repeats the program, if not the schedule.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn split(&mut self) -> Self {
        Self(self.below(u64::MAX) | 1)
    }
}

/// What the tasks have in common.
#[derive(Default)]
struct World {
    /// Futures that are neither completed nor dropped.
    live: AtomicUsize,
    started: AtomicUsize,
    /// Tasks that wait for a thread outside.
    wakers: Mutex<HashMap<usize, Waker>>,
    next: AtomicUsize,
    stop: AtomicBool,
}

struct Live(Arc<World>);

impl Live {
    fn new(world: &Arc<World>) -> Self {
        world.live.fetch_add(1, Ordering::SeqCst);
        world.started.fetch_add(1, Ordering::SeqCst);
        Self(world.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits until a thread outside has taken its waker out and called it; takes it out itself when it is dropped.
struct Outside {
    world: Arc<World>,
    key: usize,
    registered: bool,
}

impl Future for Outside {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let key = self.key;
        let mut wakers = self.world.wakers.lock().unwrap();
        if self.registered && !wakers.contains_key(&key) {
            return Poll::Ready(());
        }
        wakers.insert(key, cx.waker().clone());
        drop(wakers);
        self.registered = true;
        Poll::Pending
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let left = self.world.wakers.lock().unwrap().remove(&self.key);
        drop(left);
    }
}

fn outside(world: &Arc<World>) -> Outside {
    Outside { world: world.clone(), key: world.next.fetch_add(1, Ordering::Relaxed), registered: false }
}

/// A task that does a few random things, among them more tasks.
fn anything(world: Arc<World>, mut random: Random, depth: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    let live = Live::new(&world);
    Box::pin(async move {
        let _live = live;
        let mut sum = 1;
        for _ in 0..1 + random.below(4) {
            match random.below(9) {
                0 => yield_now().await,
                1 => sleep(Duration::from_micros(random.below(2_000))).await,
                2 => outside(&world).await,
                3 if depth > 0 => sum += spawn(anything(world.clone(), random.split(), depth - 1)).await.unwrap_or(0),
                4 if depth > 0 => {
                    let children: Vec<_> = (0..1 + random.below(8))
                        .map(|_| spawn(anything(world.clone(), random.split(), depth - 1)))
                        .collect();
                    let aborted = random.below(children.len() as u64 + 1) as usize;
                    children[..aborted].iter().for_each(task::JoinHandle::abort);
                    for child in children {
                        sum += child.await.unwrap_or(0);
                    }
                }
                5 => {
                    let micros = random.below(300);
                    block_in_place(|| thread::sleep(Duration::from_micros(micros)));
                }
                6 => sum += spawn_blocking(|| 0).await.unwrap_or(0),
                7 => drop(timeout(Duration::from_micros(random.below(500)), outside(&world)).await),
                _ => {
                    let mut polls = random.below(5);
                    poll_fn(|cx| {
                        if polls == 0 {
                            return Poll::Ready(());
                        }
                        polls -= 1;
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    })
                    .await;
                }
            }
        }
        sum
    })
}

/// Wakes what waits for a thread outside: by value, by reference, twice, and too late.
fn wake_from_outside(world: &World, mut random: Random) {
    while !world.stop.load(Ordering::Relaxed) {
        let taken = {
            let mut wakers = world.wakers.lock().unwrap();
            let key = wakers.keys().next().copied();
            key.and_then(|key| wakers.remove(&key))
        };
        let Some(waker) = taken else {
            thread::yield_now();
            continue;
        };
        match random.below(3) {
            0 => waker.wake(),
            1 => waker.wake_by_ref(),
            _ => {
                let another = waker.clone();
                waker.wake();
                another.wake();
            }
        }
    }
}

/// No task that can run waits for long while a worker sleeps. Stops when the runtime has.
fn watch_liveness(handle: &Handle, world: &World) {
    let mut stuck: Option<(Instant, u64)> = None;
    while !world.stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(5));
        let metrics = handle.metrics();
        let queued = metrics.injector_len + metrics.workers.iter().map(|worker| worker.queued).sum::<u64>();
        let polls = metrics.total().polls;
        let waits = queued > 0 && metrics.parked_workers > 0 && metrics.searching_workers == 0;
        stuck = match stuck {
            Some((since, at)) if waits && at == polls => {
                assert!(since.elapsed() < LIVENESS, "tasks wait beside parked workers:\n{metrics}");
                Some((since, at))
            }
            _ if waits => Some((Instant::now(), polls)),
            _ => None,
        };
    }
}

fn storm(runtime: &Runtime, roots: u64, seed: u64) {
    let world = Arc::<World>::default();
    let mut random = Random(seed);
    let mut threads = Vec::new();
    for _ in 0..2 {
        let (world, random) = (world.clone(), random.split());
        threads.push(thread::spawn(move || wake_from_outside(&world, random)));
    }
    threads.push({
        let (handle, world) = (runtime.handle().clone(), world.clone());
        thread::spawn(move || watch_liveness(&handle, &world))
    });
    let tasks: Vec<_> = (0..roots).map(|_| runtime.spawn(anything(world.clone(), random.split(), 3))).collect();
    let sum = runtime.block_on(async {
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("nobody aborts these");
        }
        sum
    });
    assert!(sum >= roots);
    // Aborted children end a moment after who aborted them has heard of it.
    while world.live.load(Ordering::SeqCst) > 0 || runtime.metrics().live_tasks > 0 {
        thread::yield_now();
    }
    world.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap_or_else(|_| panic!("seed {seed}"));
    }
    let metrics = runtime.metrics();
    let started = world.started.load(Ordering::SeqCst);
    assert!(started as u64 >= roots);
    let left = (metrics.live_tasks, metrics.sleeps, metrics.io_sources, metrics.injector_len, metrics.blocking_queued);
    assert_eq!(left, (0, 0, 0, 0, 0), "of {started} tasks, seed {seed}:\n{metrics}");
    assert!(metrics.workers.iter().all(|worker| worker.queued == 0), "seed {seed}:\n{metrics}");
    println!("{started} tasks, seed {seed}\n{metrics}");
    assert!(world.wakers.lock().unwrap().is_empty());
}

/// I1, W1, T1 to T6 at once: nothing is lost, nothing is left, and whoever can run is run.
#[test]
fn sixteen_workers_do_everything_at_once() {
    watched(|| {
        let runtime = runtime(WORKERS);
        for seed in 1..=5 {
            storm(&runtime, 2_000, 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        }
        let report = runtime.shutdown(Instant::now() + Duration::from_secs(60));
        assert!(report.is_clean(), "{report}");
    });
}

/// The same where the blocking pool has one thread, and every other look at the driver and the injector comes at once.
#[test]
fn small_limits_change_nothing() {
    watched(|| {
        let mut builder = Runtime::builder();
        builder.worker_threads(3).max_blocking_threads(1).global_queue_interval(1).event_interval(1);
        let runtime = builder.blocking_keep_alive(Duration::ZERO).build().unwrap();
        for seed in 1..=3 {
            storm(&runtime, 1_000, 0xD134_2543_DE82_EF95_u64.wrapping_mul(seed));
        }
    });
}

/// M1, M2: several threads share a current-thread runtime's worker, whose tasks they run in turn.
#[test]
fn callers_of_block_on_take_turns() {
    watched(|| {
        let runtime = Arc::new(tiny_coro_sched::Builder::new_current_thread().build().unwrap());
        let callers: Vec<_> = (0..4u64)
            .map(|caller| {
                let runtime = runtime.clone();
                thread::spawn(move || {
                    for round in 0..200 {
                        let task = runtime.spawn(async move {
                            yield_now().await;
                            if round % 16 == caller {
                                sleep(Duration::from_micros(100)).await;
                            }
                            round
                        });
                        assert_eq!(runtime.block_on(task).unwrap(), round);
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        let metrics = runtime.metrics();
        assert_eq!((metrics.live_tasks, metrics.sleeps, metrics.injector_len), (0, 0, 0), "{metrics}");
    });
}

/// W1: while one of two workers is in a long poll after another, a task from outside with a deadline is run in time.
#[test]
fn a_probe_beside_long_polls_is_run_in_time() {
    watched(|| {
        let runtime = runtime(2);
        let stop = Arc::new(AtomicBool::new(false));
        // One worker of two is in a long poll at any time.
        let busy = runtime.spawn({
            let stop = stop.clone();
            async move {
                while !stop.load(Ordering::Relaxed) {
                    let until = Instant::now() + Duration::from_millis(15);
                    // What it wakes lands in its own LIFO slot, and must not wait for the end of the poll.
                    let woken = spawn(async {});
                    while Instant::now() < until {
                        std::hint::spin_loop();
                    }
                    woken.await.unwrap();
                }
            }
        });
        for _ in 0..50 {
            let (done, ended) = std::sync::mpsc::channel();
            runtime
                .spawn(async move {
                    sleep(Duration::from_micros(100)).await;
                    let _ = done.send(());
                })
                .detach();
            ended.recv_timeout(LIVENESS).expect("a task waits beside a parked worker");
        }
        stop.store(true, Ordering::Relaxed);
        runtime.block_on(busy).unwrap();
    });
}
