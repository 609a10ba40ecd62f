//! What every backend of the deque promises: the menu that work-stealing deques are put through, on both.
#![cfg(not(tiny_coro_loom))]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_deque::{Pointer, Steal, chase_lev};

#[path = "../src/crossbeam.rs"]
pub mod crossbeam;

/// The calls that the menu makes.
trait Owner<T>: Send + Sized {
    type Thief: Thief<T, Self>;

    const FLAVORS: [fn() -> Self; 2];

    fn push(&self, element: T);
    fn pop(&self) -> Option<T>;
    fn len(&self) -> usize;
    fn is_empty(&self) -> bool;
    fn stealer(&self) -> Self::Thief;
}

trait Thief<T, Owner>: Clone + Send + Sync {
    fn steal(&self) -> Steal<T>;
    fn steal_batch(&self, dest: &Owner) -> Steal<()>;
    fn steal_batch_and_pop(&self, dest: &Owner) -> Steal<T>;
    fn is_empty(&self) -> bool;
}

macro_rules! backend {
    ($backend:ident) => {
        impl<T: Pointer + Send> Owner<T> for $backend::Worker<T> {
            type Thief = $backend::Stealer<T>;

            const FLAVORS: [fn() -> Self; 2] = [Self::lifo, Self::fifo];

            fn push(&self, element: T) {
                self.push(element);
            }
            fn pop(&self) -> Option<T> {
                self.pop()
            }
            fn len(&self) -> usize {
                self.len()
            }
            fn is_empty(&self) -> bool {
                self.is_empty()
            }
            fn stealer(&self) -> Self::Thief {
                self.stealer()
            }
        }

        impl<T: Pointer + Send> Thief<T, $backend::Worker<T>> for $backend::Stealer<T> {
            fn steal(&self) -> Steal<T> {
                self.steal()
            }
            fn steal_batch(&self, dest: &$backend::Worker<T>) -> Steal<()> {
                self.steal_batch(dest)
            }
            fn steal_batch_and_pop(&self, dest: &$backend::Worker<T>) -> Steal<T> {
                self.steal_batch_and_pop(dest)
            }
            fn is_empty(&self) -> bool {
                self.is_empty()
            }
        }
    };
}

backend!(chase_lev);
backend!(crossbeam);

/// Runs each function on each backend, as tests of their own.
macro_rules! menu {
    ($($test:ident),*) => {
        mod own {
            $(#[test] fn $test() { super::$test::<tiny_coro_deque::chase_lev::Worker<_>>(); })*
        }
        mod rival {
            $(#[test] fn $test() { super::$test::<super::crossbeam::Worker<_>>(); })*
        }
    };
}

menu!(smoke, is_empty, batches, spsc, stampede, stress, no_starvation, destructors);

/// Ends a test that would otherwise spin for ever.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    fn new() -> Self {
        Self(Instant::now() + Duration::from_secs(60))
    }

    fn spin(self) {
        assert!(Instant::now() < self.0, "no progress");
        thread::yield_now();
    }
}

fn boxed(value: usize) -> Box<usize> {
    Box::new(value)
}

fn smoke<W: Owner<Box<usize>>>() {
    for (flavor, first, second) in [(0, 2, 3), (1, 1, 2)] {
        let worker = W::FLAVORS[flavor]();
        let stealer = worker.stealer();
        assert_eq!((worker.pop(), stealer.steal()), (None, Steal::Empty));
        worker.push(boxed(1));
        worker.push(boxed(2));
        assert_eq!(worker.pop(), Some(boxed(first)));
        worker.push(boxed(3));
        assert_eq!(worker.pop(), Some(boxed(second)));
        assert_eq!(stealer.steal(), Steal::Success(boxed([1, 3][flavor])));
        assert_eq!((worker.pop(), stealer.steal()), (None, Steal::Empty));
    }
}

fn is_empty<W: Owner<Box<usize>>>() {
    for flavor in W::FLAVORS {
        let worker = flavor();
        let stealer = worker.stealer();
        for count in 0..200 {
            assert_eq!((worker.len(), worker.is_empty(), stealer.is_empty()), (count, count == 0, count == 0));
            worker.push(boxed(count));
        }
        while worker.pop().is_some() {}
        assert!(worker.is_empty() && stealer.is_empty() && worker.len() == 0);
    }
}

/// A batch takes from the front, at most half and at least one, and from FIFO to FIFO the order stays.
fn batches<W: Owner<Box<usize>>>() {
    for (flavor, dest_flavor) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for count in 1..100 {
            let (worker, dest) = (W::FLAVORS[flavor](), W::FLAVORS[dest_flavor]());
            (0..count).for_each(|value| worker.push(boxed(value)));
            assert!(worker.stealer().steal_batch(&dest).is_success());
            let moved = dest.len();
            assert!(moved >= 1 && moved <= count.div_ceil(2));
            assert_eq!(worker.len(), count - moved);
            let mut popped: Vec<_> = std::iter::from_fn(|| dest.pop()).map(|value| *value).collect();
            // Where a LIFO deque takes part, the order differs from backend to backend.
            if (flavor, dest_flavor) != (1, 1) {
                popped.sort_unstable();
            }
            assert!(popped.into_iter().eq(0..moved));
            let first = worker.stealer().steal_batch_and_pop(&dest).success().map(|value| *value);
            assert!(flavor == 0 || first == (moved < count).then_some(moved));
        }
    }
}

/// One thread pushes, one steals: everything arrives in order.
fn spsc<W: Owner<Box<usize>>>() {
    const COUNT: usize = 50_000;
    for flavor in W::FLAVORS {
        let (worker, deadline) = (flavor(), Deadline::new());
        let stealer = worker.stealer();
        thread::scope(|scope| {
            scope.spawn(move || {
                for value in 0..COUNT {
                    while match stealer.steal() {
                        Steal::Success(stolen) => *stolen != value,
                        Steal::Empty | Steal::Retry => true,
                    } {
                        deadline.spin();
                    }
                }
                assert_eq!(stealer.steal(), Steal::Empty);
            });
            (0..COUNT).for_each(|value| worker.push(boxed(value)));
        });
    }
}

/// The deque is full, then everybody takes: each element goes to one, and each taker sees its elements in the order
/// of its end.
fn stampede<W: Owner<Box<usize>>>() {
    const COUNT: usize = 40_000;
    for (flavor, make) in W::FLAVORS.into_iter().enumerate() {
        let (worker, deadline, taken) = (make(), Deadline::new(), AtomicUsize::new(0));
        (0..COUNT).for_each(|value| worker.push(boxed(value)));
        thread::scope(|scope| {
            for _ in 0..4 {
                let (stealer, taken) = (worker.stealer(), &taken);
                scope.spawn(move || {
                    let mut last = None;
                    while taken.load(Ordering::Relaxed) < COUNT {
                        match stealer.steal() {
                            Steal::Success(value) => {
                                assert!(last < Some(*value));
                                last = Some(*value);
                                taken.fetch_add(1, Ordering::Relaxed);
                            }
                            Steal::Empty | Steal::Retry => deadline.spin(),
                        }
                    }
                });
            }
            let mut last = None;
            while let Some(value) = worker.pop() {
                assert!(last.is_none_or(|last| if flavor == 0 { last > *value } else { last < *value }));
                last = Some(*value);
                taken.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(taken.into_inner(), COUNT);
    }
}

/// Takes in each of the ways there are until `done` and nothing is left; returns what it got.
fn rob<W: Owner<Box<usize>>>(stealer: &W::Thief, dest: &W, done: &AtomicBool, deadline: Deadline) -> Vec<usize> {
    let mut got = Vec::new();
    loop {
        let finished = done.load(Ordering::Acquire);
        let attempt = match got.len() % 3 {
            0 => stealer.steal().map(|value| got.push(*value)),
            1 => stealer.steal_batch(dest),
            _ => stealer.steal_batch_and_pop(dest).map(|value| got.push(*value)),
        };
        got.extend(std::iter::from_fn(|| dest.pop()).map(|value| *value));
        match attempt {
            Steal::Empty if finished => return got,
            Steal::Success(()) => {}
            Steal::Empty | Steal::Retry => deadline.spin(),
        }
    }
}

/// The owner pushes and pops, bursts and pauses; thieves rob in all ways: each element goes to exactly one.
fn stress<W: Owner<Box<usize>>>() {
    const COUNT: usize = 60_000;
    for make in W::FLAVORS {
        let (worker, deadline, done) = (make(), Deadline::new(), AtomicBool::new(false));
        let mut all = Vec::new();
        thread::scope(|scope| {
            let thieves: Vec<_> = (0..4)
                .map(|_| {
                    let (stealer, done) = (worker.stealer(), &done);
                    scope.spawn(move || rob(&stealer, &make(), done, deadline))
                })
                .collect();
            for value in 0..COUNT {
                worker.push(boxed(value));
                // Bursts of up to a few hundred, then as many pops: the buffer grows, and shrinks.
                if value % 512 > 300 {
                    all.extend(worker.pop().map(|value| *value));
                    all.extend(worker.pop().map(|value| *value));
                }
            }
            all.extend(std::iter::from_fn(|| worker.pop()).map(|value| *value));
            done.store(true, Ordering::Release);
            all.extend(thieves.into_iter().flat_map(|thief| thief.join().unwrap()));
        });
        assert_eq!(all.len(), COUNT);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    }
}

/// While the owner works on, every thief gets something.
fn no_starvation<W: Owner<Box<usize>>>() {
    const ENOUGH: usize = 50;
    for make in W::FLAVORS {
        let (worker, deadline, fed) = (make(), Deadline::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                let (stealer, fed) = (worker.stealer(), &fed);
                scope.spawn(move || {
                    let dest = make();
                    let mut got = 0;
                    while got < ENOUGH {
                        got += usize::from(stealer.steal_batch_and_pop(&dest).is_success());
                        while dest.pop().is_some() {}
                        deadline.spin();
                    }
                    fed.fetch_add(1, Ordering::Relaxed);
                });
            }
            while fed.load(Ordering::Relaxed) < 3 {
                (0..64).for_each(|value| worker.push(boxed(value)));
                thread::yield_now();
                (0..32).for_each(|_| drop(worker.pop()));
            }
        });
    }
}

/// Whatever nobody took is dropped once, with the last handle.
fn destructors<W: Owner<std::sync::Arc<()>>>() {
    let token = std::sync::Arc::new(());
    for flavor in W::FLAVORS {
        let (worker, dest) = (flavor(), flavor());
        (0..1_000).for_each(|_| worker.push(token.clone()));
        let stealer = worker.stealer();
        assert!(stealer.steal().is_success());
        drop(worker.pop());
        assert!(stealer.steal_batch(&dest).is_success());
        assert_eq!(std::sync::Arc::strong_count(&token), 1 + 998);
        drop((worker, dest));
        let left = std::sync::Arc::strong_count(&token) - 1;
        assert!((499..998).contains(&left));
        drop(stealer.clone());
        assert_eq!(std::sync::Arc::strong_count(&token), 1 + left);
        drop(stealer);
        assert_eq!(std::sync::Arc::strong_count(&token), 1);
    }
}
