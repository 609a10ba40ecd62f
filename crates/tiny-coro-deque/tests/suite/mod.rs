//! A suite for work-stealing deques, written against the names of the program that includes it.
//!
//! Each test is a promise that every such deque makes, of either flavour, and that an injector makes. Sizes are such
//! that buffers grow and blocks follow one another many times; there is no timing in it, only a watchdog.

mod batch;
mod injector;
mod worker;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::names::{Steal, Worker};

/// Thieves in the tests with several.
const THIEVES: usize = 4;

/// Ends a test that would otherwise spin for ever.
#[derive(Clone, Copy)]
struct Watchdog(Instant);

impl Watchdog {
    fn new() -> Self {
        Self(Instant::now() + Duration::from_secs(60))
    }

    /// Lets others run; called in every loop that waits.
    fn pause(self) {
        assert!(Instant::now() < self.0, "no progress");
        thread::yield_now();
    }
}

/// xorshift32: programs that differ, and are the same each time.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % bound
    }
}

/// What the threads of a test took.
#[derive(Default)]
struct Loot(Mutex<Vec<usize>>);

impl Loot {
    fn add(&self, values: Vec<usize>) {
        self.0.lock().unwrap().extend(values);
    }

    /// Asserts that it is each of `0..count`, once.
    fn assert_each_once(self, count: usize) {
        let all = self.0.into_inner().unwrap();
        assert_eq!(all.len(), count);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), count);
    }
}

/// An element that puts its number on a list when it is dropped.
struct Traced<'a>(usize, &'a Mutex<Vec<usize>>);

impl Drop for Traced<'_> {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// Repeats an attempt to steal until it says something else than `Retry`.
fn settled<T>(watchdog: Watchdog, mut attempt: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match attempt() {
            Steal::Success(value) => return Some(value),
            Steal::Empty => return None,
            Steal::Retry => watchdog.pause(),
        }
    }
}

/// Lets [`THIEVES`] threads rob while `work` runs in this one, and after that until nothing is left.
///
/// `rob` is given a deque of the thread's own and where to put what it gets, and returns whether to try again at once.
/// `work` is given how many thieves have got anything so far, and returns what it took itself.
fn against_thieves(
    make: fn() -> Worker<usize>,
    rob: impl Fn(&Worker<usize>, &mut Vec<usize>) -> bool + Sync,
    work: impl FnOnce(&AtomicUsize) -> Vec<usize>,
) -> Loot {
    let (loot, watchdog) = (Loot::default(), Watchdog::new());
    let (done, fed) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THIEVES {
            scope.spawn(|| {
                let (dest, mut got) = (make(), Vec::new());
                loop {
                    let last = done.load(Ordering::Acquire);
                    let hungry = got.is_empty();
                    let found = rob(&dest, &mut got);
                    fed.fetch_add(usize::from(hungry && !got.is_empty()), Ordering::Relaxed);
                    if !found && last {
                        break;
                    }
                    if !found {
                        watchdog.pause();
                    }
                }
                loot.add(got);
            });
        }
        loot.add(work(&fed));
        done.store(true, Ordering::Release);
    });
    loot
}
