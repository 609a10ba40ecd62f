//! Soaks: long runs, with exact counts. In release: `cargo xtask verify soak`, or
//! `cargo test --release -p tiny-coro-deque --test soak -- --ignored`.
#![cfg(not(tiny_coro_loom))]

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_deque::{Injector, Steal, Worker};

/// A number from the environment, or the one that is asked of this crate.
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Which of so many items were taken: a bit each.
struct Taken(Vec<AtomicU64>);

impl Taken {
    fn new(items: usize) -> Self {
        Self((0..items.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Notes that an item was taken, and asserts that it was not before.
    fn note(&self, item: usize) {
        let bit = 1 << (item % 64);
        assert_eq!(self.0[item / 64].fetch_or(bit, Ordering::Relaxed) & bit, 0, "item {item} was taken twice");
    }

    fn count(self) -> usize {
        self.0.into_iter().map(|word| word.into_inner().count_ones() as usize).sum()
    }
}

/// Ends a run that makes no more progress.
struct Watchdog {
    limit: Duration,
    seen: AtomicUsize,
    since: std::sync::Mutex<Instant>,
}

impl Watchdog {
    fn new() -> Self {
        Self { limit: Duration::from_secs(60), seen: AtomicUsize::new(0), since: Instant::now().into() }
    }

    fn pause(&self, progress: usize) {
        let mut since = self.since.lock().unwrap();
        if self.seen.swap(progress, Ordering::Relaxed) != progress {
            *since = Instant::now();
        }
        assert!(since.elapsed() < self.limit, "no progress");
        drop(since);
        thread::yield_now();
    }
}

/// What a thief does, by turns: each of the ways to steal, into a deque of either flavour. Returns how many it noted.
fn rob(round: usize, source: &dyn Source, dest: &Worker<usize>, note: &dyn Fn(usize)) -> Steal<usize> {
    let stolen = match round % 3 {
        0 => source.steal().map(|item| (Some(item), 1)),
        1 => source.steal_batch(dest).map(|count| (None, count)),
        _ => source.steal_batch_and_pop(dest).map(|(item, count)| (Some(item), count)),
    };
    stolen.map(|(first, count)| {
        let noted = first.into_iter().chain(std::iter::from_fn(|| dest.pop())).map(note).count();
        assert_eq!(noted, count);
        count
    })
}

/// A deque's end, or an injector.
trait Source: Sync {
    fn steal(&self) -> Steal<usize>;
    fn steal_batch(&self, dest: &Worker<usize>) -> Steal<usize>;
    fn steal_batch_and_pop(&self, dest: &Worker<usize>) -> Steal<(usize, usize)>;
}

macro_rules! source {
    ($type:ident) => {
        impl Source for tiny_coro_deque::$type<usize> {
            fn steal(&self) -> Steal<usize> {
                self.steal()
            }
            fn steal_batch(&self, dest: &Worker<usize>) -> Steal<usize> {
                self.steal_batch_counted(dest, 32)
            }
            fn steal_batch_and_pop(&self, dest: &Worker<usize>) -> Steal<(usize, usize)> {
                self.steal_batch_and_pop_counted(dest, 256)
            }
        }
    };
}

source!(Stealer);
source!(Injector);

/// So many thieves rob a source while `feed` runs, until it has, and nothing is left: each item is taken once.
fn soak(items: usize, thieves: usize, source: &dyn Source, feed: impl FnOnce(&dyn Fn(usize))) {
    let (taken, done, watchdog) = (Taken::new(items), AtomicBool::new(false), Watchdog::new());
    let progress = AtomicUsize::new(0);
    let note = |item| taken.note(item);
    thread::scope(|scope| {
        for thief in 0..thieves {
            let (note, done, watchdog, progress) = (&note, &done, &watchdog, &progress);
            scope.spawn(move || {
                let dest = if thief % 2 == 0 { Worker::fifo() } else { Worker::lifo() };
                for round in thief.. {
                    let last = done.load(Ordering::Acquire);
                    match rob(round, source, &dest, note) {
                        Steal::Success(count) => drop(progress.fetch_add(count, Ordering::Relaxed)),
                        Steal::Empty if last => break,
                        Steal::Empty | Steal::Retry => watchdog.pause(progress.load(Ordering::Relaxed)),
                    }
                }
            });
        }
        feed(&note);
        done.store(true, Ordering::Release);
    });
    assert_eq!(taken.count(), items);
    println!("  {} of them stolen", progress.into_inner());
}

/// Runs `round` with 2 and with 4 thieves, and then so many times with as many as are asked for.
fn rounds(round: impl Fn(usize, usize)) {
    let items = setting("TINY_CORO_SOAK_ITEMS", 100_000_000);
    let most = setting("TINY_CORO_SOAK_THIEVES", 16);
    let rounds = setting("TINY_CORO_SOAK_ROUNDS", 10);
    for thieves in [2, 4].into_iter().chain(std::iter::repeat_n(most, rounds)) {
        let start = Instant::now();
        round(items, thieves);
        println!("{items} items, {thieves} thieves: {:.1} s", start.elapsed().as_secs_f32());
    }
}

/// The owner of a deque pushes in bursts, pops some, and leaves most to the thieves; it waits for them where they do
/// not keep up.
fn deque(items: usize, thieves: usize, worker: &Worker<usize>) {
    let growths = worker.growths();
    soak(items, thieves, &worker.stealer(), |note| {
        let mut item = 0;
        for burst in (1..=1_000_usize).cycle() {
            let end = items.min(item + burst);
            (item..end).for_each(|item| worker.push(item));
            item = end;
            (0..burst / 4).map_while(|_| worker.pop()).for_each(note);
            if item == items {
                break;
            }
            while worker.len() > 4_096 {
                thread::yield_now();
            }
        }
        std::iter::from_fn(|| worker.pop()).for_each(note);
    });
    assert!(items < 1_000_000 || worker.growths() > growths, "the buffer never grew");
}

#[test]
#[ignore = "soak: minutes"]
fn each_item_is_taken_once() {
    rounds(|items, thieves| {
        // Half of them in each flavour.
        deque(items / 2, thieves, &Worker::fifo());
        deque(items - items / 2, thieves, &Worker::lifo());
    });
}

#[test]
#[ignore = "soak: minutes"]
fn each_injected_item_is_taken_once() {
    rounds(|items, thieves| {
        let injector = Injector::new();
        let pushers = thieves.div_ceil(4).max(2);
        soak(items, thieves, &injector, |_| {
            thread::scope(|scope| {
                for pusher in 0..pushers {
                    let injector = &injector;
                    scope.spawn(move || {
                        for item in (pusher..items).step_by(pushers) {
                            injector.push(item);
                            // Lets the thieves catch up, or the queue becomes as long as the run.
                            while item % 1_024 == pusher && injector.len() > 1 << 20 {
                                thread::yield_now();
                            }
                        }
                    });
                }
            });
        });
    });
}
