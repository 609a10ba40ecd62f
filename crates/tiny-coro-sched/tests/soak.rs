#![cfg(not(tiny_coro_loom))]
//! Shutdowns at random moments of a loaded runtime: each ends in time, every future is dropped exactly once, and descriptors and
//! threads are back where they were.

use std::env;
use std::fs;
use std::future::{Future, pending, poll_fn};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_reactor::Source;
use tiny_coro_sched::task::JoinSet;
use tiny_coro_sched::{Builder, Handle, Runtime, block_in_place, sleep, spawn, spawn_blocking, yield_now};

mod common;
use common::{runtime, watched};

/// How long a shutdown may take on a machine that has nothing else to do.
const LIMIT: Duration = Duration::from_secs(1);
/// How long the small version waits: it runs beside other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// One at a time: they count the descriptors and threads of the process.
static ALONE: Mutex<()> = Mutex::new(());

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What the tasks of one round share with who ends it.
#[derive(Default)]
struct World {
    /// Made and not dropped. Below zero means dropped twice.
    live: AtomicIsize,
    made: AtomicUsize,
    wakers: Mutex<Vec<Waker>>,
    stop: AtomicBool,
    /// When the end of the runtime began.
    ended: OnceLock<Instant>,
}

struct Live(Arc<World>);

impl Live {
    fn new(world: &Arc<World>) -> Self {
        world.live.fetch_add(1, Ordering::SeqCst);
        world.made.fetch_add(1, Ordering::SeqCst);
        Self(world.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        assert!(self.0.live.fetch_sub(1, Ordering::SeqCst) > 0, "a future was dropped twice");
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts tasks of every kind, which start more.
fn load(world: Arc<World>, depth: usize) -> Task {
    let live = Live::new(&world);
    Box::pin(async move {
        let _live = live;
        let mut set = JoinSet::new();
        for kind in 0..8 {
            let live = Live::new(&world);
            let task = one(kind, world.clone(), depth);
            set.spawn(async move {
                let _live = live;
                task.await;
            });
        }
        while set.join_next().await.is_some() {}
    })
}

fn one(kind: usize, world: Arc<World>, depth: usize) -> Task {
    match kind {
        0 => Box::pin(pending()),
        1 => Box::pin(async {
            loop {
                sleep(Duration::from_micros(50)).await;
            }
        }),
        2 => Box::pin(async {
            loop {
                yield_now().await;
            }
        }),
        3 if depth > 0 => load(world, depth - 1),
        3 => Box::pin(poll_fn(move |cx| {
            // Woken from outside, for as long as there is somebody there.
            world.wakers.lock().unwrap().push(cx.waker().clone());
            Poll::Pending
        })),
        4 => Box::pin(async move {
            loop {
                let live = Live::new(&world);
                if spawn_blocking(move || drop(live)).await.is_err() {
                    return;
                }
            }
        }),
        5 => Box::pin(async {
            loop {
                block_in_place(|| thread::sleep(Duration::from_micros(20)));
                yield_now().await;
            }
        }),
        6 => Box::pin(ping_pong()),
        _ => Box::pin(async move { while spawn(async move { yield_now().await }).await.is_ok() {} }),
    }
}

/// Two ends of a socket that send a byte to and fro, until the runtime ends.
async fn ping_pong() {
    let Ok((one, other)) = UnixStream::pair() else { return };
    let end = |stream: UnixStream| -> Option<Source<UnixStream>> {
        stream.set_nonblocking(true).ok()?;
        Source::new(stream).ok()
    };
    let (Some(one), Some(other)) = (end(one), end(other)) else { return };
    let peer = spawn(async move { while pass_on(&other).await.is_ok() {} });
    let _ =
        one.async_io(tiny_coro_reactor::Direction::Write, |mut stream| std::io::Write::write(&mut stream, &[1])).await;
    while pass_on(&one).await.is_ok() {}
    let _ = peer.await;
}

async fn pass_on(source: &Source<UnixStream>) -> std::io::Result<()> {
    use tiny_coro_reactor::Direction;
    let mut byte = [0];
    let read = source.async_io(Direction::Read, |mut stream| std::io::Read::read(&mut stream, &mut byte)).await?;
    if read == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    source.async_io(Direction::Write, |mut stream| std::io::Write::write(&mut stream, &byte)).await.map(drop)
}

/// Wakes tasks, spawns and aborts from outside, also when the runtime is gone.
fn disturb(handle: &Handle, world: &Arc<World>) {
    while !world.stop.load(Ordering::Relaxed) {
        let wakers = std::mem::take(&mut *world.wakers.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
        let live = Live::new(world);
        let task = handle.spawn(async move {
            let _live = live;
            yield_now().await;
        });
        if world.made.load(Ordering::Relaxed).is_multiple_of(2) {
            task.abort();
        }
        thread::yield_now();
    }
    drop(std::mem::take(&mut *world.wakers.lock().unwrap()));
}

/// Ends `runtime` in one of the ways there are: from outside, or on one of its own threads, if it has any.
fn end(runtime: Runtime, random: &mut Random, has_workers: bool, world: Arc<World>) {
    let handle = runtime.handle().clone();
    // On a thread of its own it ends when its turn has come.
    let begin = move || world.ended.set(Instant::now()).expect("a runtime ends once");
    match random.below(6) {
        3 if has_workers => handle
            .spawn(async move {
                begin();
                drop(runtime);
            })
            .detach(),
        4 => handle
            .spawn_blocking(move || {
                begin();
                drop(runtime);
            })
            .detach(),
        way => {
            begin();
            match way {
                0 => assert!(runtime.shutdown_timeout(PATIENCE)),
                1 => drop(runtime.shutdown(Instant::now() + Duration::from_micros(random.below(500)))),
                2 => runtime.shutdown_background(),
                _ => drop(runtime),
            }
        }
    }
}

/// Loads a runtime, and ends it after a random while. Returns how long the end took, up to the last destructor.
fn round(random: &mut Random) -> Duration {
    let world = Arc::<World>::default();
    let workers = random.below(5) as usize;
    let runtime = match workers {
        0 => Builder::new_current_thread().build().expect("the machine has descriptors for a runtime"),
        _ => runtime(workers),
    };
    runtime.spawn(load(world.clone(), 2)).detach();
    let disturbing = {
        let (handle, world) = (runtime.handle().clone(), world.clone());
        thread::spawn(move || disturb(&handle, &world))
    };
    // Up to two milliseconds: from before the first poll to the middle of everything.
    let while_it_runs = Duration::from_micros(random.below(2_000));
    runtime.block_on(async { sleep(while_it_runs).await });
    let start = Instant::now();
    end(runtime, random, workers > 0, world.clone());
    world.stop.store(true, Ordering::Relaxed);
    disturbing.join().unwrap();
    while world.live.load(Ordering::SeqCst) > 0 {
        assert!(start.elapsed() < PATIENCE, "{} futures were not dropped", world.live.load(Ordering::SeqCst));
        thread::yield_now();
    }
    world.ended.get().expect("it has ended").elapsed()
}

fn count(folder: &str) -> Option<usize> {
    fs::read_dir(folder).ok().map(Iterator::count)
}

/// The descriptors and threads of this process, where the system tells.
fn belongings() -> Option<(usize, usize)> {
    Some((count("/proc/self/fd")?, count("/proc/self/task")?))
}

/// Waits until the threads that end after their runtime have gone, with what they held.
fn back_to(baseline: Option<(usize, usize)>) {
    let start = Instant::now();
    while let (Some((fds, threads)), Some(before)) = (belongings(), baseline) {
        if fds <= before.0 && threads <= before.1 {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{fds} descriptors and {threads} threads instead of {before:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns how long the longest took.
fn shutdowns(rounds: usize, seed: u64, limit: Duration) -> Duration {
    let mut random = Random(seed);
    // What the process opens once and keeps.
    round(&mut random);
    thread::sleep(Duration::from_millis(50));
    let baseline = belongings();
    let mut longest = Duration::ZERO;
    for number in 1..=rounds {
        let seed = random.0;
        let took = round(&mut random);
        assert!(took < limit, "round {number}, seed {seed:#x}: took {took:?}");
        longest = longest.max(took);
    }
    back_to(baseline);
    longest
}

#[test]
fn fifty_shutdowns_at_random_moments() {
    let _alone = ALONE.lock();
    watched(|| shutdowns(50, 0x9E37_79B9_7F4A_7C15, PATIENCE));
}

#[test]
#[ignore = "soak: ten thousand shutdowns at random moments, minutes"]
fn ten_thousand_shutdowns_at_random_moments() {
    const AT_ONCE: usize = 100;
    let _alone = ALONE.lock();
    let quick = env::var_os("TINY_CORO_SOAK_QUICK").map(|_| 500);
    let rounds = env::var("TINY_CORO_SOAK_ROUNDS").ok().map(|rounds| rounds.parse().expect("a number of rounds"));
    let rounds = rounds.or(quick).unwrap_or(10_000_usize);
    let longest = (1..=rounds.div_ceil(AT_ONCE) as u64)
        .map(|part| watched(move || shutdowns(AT_ONCE, part.wrapping_mul(0x9E37_79B9_7F4A_7C15), LIMIT)));
    println!("{rounds} shutdowns, the longest took {:?}", longest.max());
}
