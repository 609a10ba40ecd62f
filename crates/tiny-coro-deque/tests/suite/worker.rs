//! One owner, many thieves.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread;

use super::{Loot, Random, THIEVES, Traced, Watchdog, against_thieves, settled};
use crate::names::{Steal, Stealer, Worker, fifo, lifo};

#[test]
fn fifo_smoke() {
    let worker = fifo();
    let stealer = worker.stealer();
    assert_eq!((worker.pop(), stealer.steal()), (None, Steal::Empty));
    (1..=5).for_each(|value| worker.push(value));
    assert_eq!((worker.pop(), worker.pop()), (Some(1), Some(2)));
    assert_eq!((stealer.steal(), stealer.steal()), (Steal::Success(3), Steal::Success(4)));
    assert_eq!((worker.pop(), worker.pop()), (Some(5), None));
    worker.push(6);
    assert_eq!((stealer.steal(), worker.pop(), stealer.steal()), (Steal::Success(6), None, Steal::Empty));
}

#[test]
fn lifo_smoke() {
    let worker = lifo();
    let stealer = worker.stealer();
    assert_eq!((worker.pop(), stealer.steal()), (None, Steal::Empty));
    (1..=5).for_each(|value| worker.push(value));
    assert_eq!((worker.pop(), worker.pop()), (Some(5), Some(4)));
    assert_eq!((stealer.steal(), stealer.steal()), (Steal::Success(1), Steal::Success(2)));
    assert_eq!((worker.pop(), worker.pop()), (Some(3), None));
    worker.push(6);
    assert_eq!((stealer.steal(), worker.pop(), stealer.steal()), (Steal::Success(6), None, Steal::Empty));
}

fn is_empty(worker: &Worker<usize>) {
    let stealer = worker.stealer();
    for count in 0..200 {
        assert_eq!((worker.len(), worker.is_empty()), (count, count == 0));
        assert_eq!((stealer.len(), stealer.is_empty()), (count, count == 0));
        worker.push(count);
    }
    for count in (0..200).rev() {
        assert!(if count % 2 == 0 { worker.pop().is_some() } else { stealer.steal().is_success() });
        assert_eq!((worker.len(), stealer.len(), stealer.is_empty()), (count, count, count == 0));
    }
}

#[test]
fn fifo_is_empty() {
    is_empty(&fifo());
}

#[test]
fn lifo_is_empty() {
    is_empty(&lifo());
}

/// One pushes, one steals: everything arrives, in order.
fn spsc(worker: &Worker<usize>) {
    const COUNT: usize = 30_000;
    let (stealer, watchdog) = (worker.stealer(), Watchdog::new());
    thread::scope(|scope| {
        scope.spawn(move || {
            for value in 0..COUNT {
                while match settled(watchdog, || stealer.steal()) {
                    Some(stolen) => stolen != value,
                    None => true,
                } {
                    watchdog.pause();
                }
            }
            assert_eq!(stealer.steal(), Steal::Empty);
        });
        (0..COUNT).for_each(|value| worker.push(value));
    });
}

#[test]
fn fifo_spsc() {
    spsc(&fifo());
}

#[test]
fn lifo_spsc() {
    spsc(&lifo());
}

/// The deque is full, then everybody takes: each element goes to one, and everybody sees the elements in the order of
/// its own end.
fn stampede(worker: &Worker<Box<usize>>, owner_ascends: bool) {
    const COUNT: usize = 20_000;
    (0..COUNT).for_each(|value| worker.push(Box::new(value)));
    let (loot, watchdog, stealers) = (Loot::default(), Watchdog::new(), [(); THIEVES].map(|()| worker.stealer()));
    thread::scope(|scope| {
        for stealer in stealers {
            let loot = &loot;
            scope.spawn(move || {
                let got: Vec<_> = std::iter::from_fn(|| settled(watchdog, || stealer.steal())).map(|it| *it).collect();
                assert!(got.is_sorted());
                loot.add(got);
            });
        }
        let got: Vec<_> = std::iter::from_fn(|| worker.pop()).map(|it| *it).collect();
        assert!(if owner_ascends { got.is_sorted() } else { got.is_sorted_by(|a, b| a > b) });
        loot.add(got);
    });
    loot.assert_each_once(COUNT);
}

#[test]
fn fifo_stampede() {
    stampede(&fifo(), true);
}

#[test]
fn lifo_stampede() {
    stampede(&lifo(), false);
}

/// Steals in the three ways there are, and pops what has landed.
fn rob(stealer: &Stealer<usize>, dest: &Worker<usize>, got: &mut Vec<usize>) -> bool {
    let before = got.len();
    let retry = [
        stealer.steal().hand_on(|value| got.push(value)),
        stealer.steal_batch(dest).hand_on(|()| ()),
        stealer.steal_batch_and_pop(dest).hand_on(|value| got.push(value)),
    ];
    got.extend(std::iter::from_fn(|| dest.pop()));
    got.len() > before || retry.contains(&true)
}

/// What is the same in all crates of this kind.
pub(super) trait Attempt<T> {
    /// Hands what was stolen on; returns whether to try again.
    fn hand_on(self, use_it: impl FnOnce(T)) -> bool;
}

impl<T> Attempt<T> for Steal<T> {
    fn hand_on(self, use_it: impl FnOnce(T)) -> bool {
        let retry = self.is_retry();
        self.success().map(use_it);
        retry
    }
}

/// The owner pushes and pops at random; thieves rob in all ways: each element goes to exactly one.
fn stress(make: fn() -> Worker<usize>) {
    const COUNT: usize = 40_000;
    let worker = make();
    let stealer = worker.stealer();
    let loot = against_thieves(
        make,
        |dest, got| rob(&stealer, dest, got),
        |_| {
            let (mut random, mut got) = (Random(42), Vec::new());
            for value in 0..COUNT {
                worker.push(value);
                // Long runs of one, then of the other: the buffer grows, and shrinks.
                for _ in 0..if value / 1_000 % 2 == 0 { random.below(2) } else { random.below(5) } {
                    got.extend(worker.pop());
                }
            }
            got.extend(std::iter::from_fn(|| worker.pop()));
            got
        },
    );
    loot.assert_each_once(COUNT);
}

#[test]
fn fifo_stress() {
    stress(fifo);
}

#[test]
fn lifo_stress() {
    stress(lifo);
}

/// While the owner works on, every thief gets something.
fn no_starvation(make: fn() -> Worker<usize>) {
    let worker = make();
    let (stealer, watchdog) = (worker.stealer(), Watchdog::new());
    against_thieves(
        make,
        |dest, got| {
            watchdog.pause();
            rob(&stealer, dest, got)
        },
        |fed| {
            while fed.load(Ordering::Relaxed) < THIEVES {
                (0..64).for_each(|value| worker.push(value));
                watchdog.pause();
                (0..32).for_each(|_| assert!(worker.pop().is_none_or(|value| value < 64)));
            }
            Vec::new()
        },
    );
}

#[test]
fn fifo_no_starvation() {
    no_starvation(fifo);
}

#[test]
fn lifo_no_starvation() {
    no_starvation(lifo);
}

/// What is taken is dropped by whoever took it; the rest once, when the last handle goes.
fn destructors<'a>(make: fn() -> Worker<Traced<'a>>, dropped: &'a Mutex<Vec<usize>>) {
    const COUNT: usize = 10_000;
    let worker = make();
    (0..COUNT).for_each(|value| worker.push(Traced(value, dropped)));
    let (stealer, watchdog) = (worker.stealer(), Watchdog::new());
    thread::scope(|scope| {
        for _ in 0..THIEVES {
            scope.spawn(|| {
                let dest = make();
                for _ in 0..100 {
                    drop(settled(watchdog, || stealer.steal()));
                    drop(settled(watchdog, || stealer.steal_batch_and_pop(&dest)));
                }
            });
        }
        (0..500).for_each(|_| drop(worker.pop()));
    });
    let taken = dropped.lock().unwrap().len();
    assert_eq!(taken, COUNT - worker.len());
    drop(worker);
    assert_eq!(dropped.lock().unwrap().len(), taken, "a stealer is left");
    drop(stealer);
    let mut all = dropped.lock().unwrap().clone();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..COUNT));
}

#[test]
fn fifo_destructors() {
    destructors(fifo, &Mutex::default());
}

#[test]
fn lifo_destructors() {
    destructors(lifo, &Mutex::default());
}
