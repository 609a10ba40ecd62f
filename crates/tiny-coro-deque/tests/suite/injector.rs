//! Many pushers, many thieves.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::worker::Attempt;
use super::{Loot, Random, THIEVES, Traced, Watchdog, against_thieves, settled};
use crate::names::{Injector, Steal, Worker, fifo, lifo};

#[test]
fn smoke() {
    let injector = Injector::default();
    assert_eq!(injector.steal(), Steal::Empty);
    (1..=3).for_each(|value| injector.push(value));
    assert_eq!((injector.steal(), injector.steal()), (Steal::Success(1), Steal::Success(2)));
    injector.push(4);
    assert_eq!((injector.steal(), injector.steal()), (Steal::Success(3), Steal::Success(4)));
    assert_eq!(injector.steal(), Steal::Empty);
}

#[test]
fn is_empty() {
    let injector = Injector::new();
    for count in 0..300 {
        assert_eq!((injector.len(), injector.is_empty()), (count, count == 0));
        injector.push(count);
    }
    for count in (0..300).rev() {
        assert!(injector.steal().is_success());
        assert_eq!((injector.len(), injector.is_empty()), (count, count == 0));
    }
}

#[test]
fn spsc() {
    const COUNT: usize = 30_000;
    let (injector, watchdog) = (Injector::new(), Watchdog::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for value in 0..COUNT {
                while match settled(watchdog, || injector.steal()) {
                    Some(stolen) => stolen != value,
                    None => true,
                } {
                    watchdog.pause();
                }
            }
            assert_eq!(injector.steal(), Steal::Empty);
        });
        (0..COUNT).for_each(|value| injector.push(value));
    });
}

/// Several push the same numbers: each number comes out as often.
#[test]
fn mpmc() {
    const COUNT: usize = 10_000;
    let (injector, watchdog) = (Injector::new(), Watchdog::new());
    let (seen, left) = ((0..COUNT).map(|_| AtomicUsize::new(0)).collect::<Vec<_>>(), AtomicUsize::new(THIEVES * COUNT));
    thread::scope(|scope| {
        for _ in 0..THIEVES {
            scope.spawn(|| (0..COUNT).for_each(|value| injector.push(value)));
            scope.spawn(|| {
                while left.load(Ordering::Relaxed) > 0 {
                    let Some(value) = settled(watchdog, || injector.steal()) else {
                        watchdog.pause();
                        continue;
                    };
                    seen[value].fetch_add(1, Ordering::Relaxed);
                    left.fetch_sub(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(seen.into_iter().all(|times| times.into_inner() == THIEVES));
}

/// Each thief sees the elements of one pusher in the order in which they were pushed.
#[test]
fn stampede() {
    const COUNT: usize = 20_000;
    let (injector, loot, watchdog) = (Injector::new(), Loot::default(), Watchdog::new());
    (0..COUNT).for_each(|value| injector.push(Box::new(value)));
    thread::scope(|scope| {
        for _ in 0..THIEVES {
            scope.spawn(|| {
                let got: Vec<_> = std::iter::from_fn(|| settled(watchdog, || injector.steal())).map(|it| *it).collect();
                assert!(got.is_sorted());
                loot.add(got);
            });
        }
    });
    loot.assert_each_once(COUNT);
}

fn rob(injector: &Injector<usize>, dest: &Worker<usize>, got: &mut Vec<usize>) -> bool {
    let before = got.len();
    let retry = [
        injector.steal().hand_on(|value| got.push(value)),
        injector.steal_batch(dest).hand_on(|()| ()),
        injector.steal_batch_and_pop(dest).hand_on(|value| got.push(value)),
    ];
    got.extend(std::iter::from_fn(|| dest.pop()));
    got.len() > before || retry.contains(&true)
}

/// Several push, one of them also steals at random; thieves rob in all ways: each element goes to exactly one.
#[test]
fn stress() {
    const COUNT: usize = 30_000;
    for make in [fifo as fn() -> Worker<usize>, lifo] {
        let injector = Injector::new();
        let loot = against_thieves(
            make,
            |dest, got| rob(&injector, dest, got),
            |_| {
                let mut got = Vec::new();
                thread::scope(|scope| {
                    scope.spawn(|| (0..COUNT).step_by(2).for_each(|value| injector.push(value)));
                    let mut random = Random(42);
                    for value in (1..COUNT).step_by(2) {
                        injector.push(value);
                        if random.below(3) == 0 {
                            got.extend(injector.steal().success());
                        }
                    }
                });
                got
            },
        );
        loot.assert_each_once(COUNT);
    }
}

#[test]
fn no_starvation() {
    let (injector, watchdog) = (Injector::new(), Watchdog::new());
    against_thieves(
        fifo,
        |dest, got| {
            watchdog.pause();
            rob(&injector, dest, got)
        },
        |fed| {
            while fed.load(Ordering::Relaxed) < THIEVES {
                (0..64).for_each(|value| injector.push(value));
                watchdog.pause();
            }
            Vec::new()
        },
    );
}

#[test]
fn destructors() {
    const COUNT: usize = 10_000;
    let dropped = Mutex::default();
    let (injector, watchdog) = (Injector::new(), Watchdog::new());
    (0..COUNT).for_each(|value| injector.push(Traced(value, &dropped)));
    thread::scope(|scope| {
        for _ in 0..THIEVES {
            scope.spawn(|| {
                let dest = fifo();
                for _ in 0..50 {
                    drop(settled(watchdog, || injector.steal()));
                    drop(settled(watchdog, || injector.steal_batch_and_pop(&dest)));
                }
            });
        }
    });
    assert_eq!(dropped.lock().unwrap().len(), COUNT - injector.len());
    drop(injector);
    let mut all = dropped.lock().unwrap().clone();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..COUNT));
}

/// A block of 127 of these is larger than the thread's stack, which holds 60: it is not built there.
#[test]
fn large_elements() {
    const SIZE: usize = 32 * 1024;
    let body = || {
        let injector = Injector::new();
        (0..100_u8).for_each(|value| injector.push([value; SIZE]));
        (0..100).for_each(|value| assert!(injector.steal().success().is_some_and(|it| it[SIZE - 1] == value)));
    };
    thread::Builder::new().stack_size(60 * SIZE).spawn(body).unwrap().join().unwrap();
}
