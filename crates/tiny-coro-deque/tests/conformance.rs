//! What this crate's names promise on every backend, besides what the [suite](deque_suite.rs) asks of any deque.
#![cfg(not(tiny_coro_loom))]

use std::fmt::Debug;
use std::thread;

use tiny_coro_deque::{Steal, chase_lev};

#[path = "../src/crossbeam.rs"]
pub mod crossbeam;

/// The calls that the promises are about.
trait Owner<T>: Send + Sized + Debug {
    type Thief: Thief<T, Self> + Clone;
    type Queue: Thief<T, Self> + Default;

    const FLAVORS: [fn() -> Self; 2];

    fn push(&self, element: T);
    fn pop(&self) -> Option<T>;
    fn len(&self) -> usize;
    fn capacity(&self) -> usize;
    fn growths(&self) -> u64;
    fn stealer(&self) -> Self::Thief;
    fn inject(queue: &Self::Queue, element: T);
}

trait Thief<T, Owner>: Send + Sync + Debug {
    const MAX_BATCH: usize;

    fn steal(&self) -> Steal<T>;
    fn steal_batch(&self, dest: &Owner) -> Steal<()>;
    fn steal_batch_counted(&self, dest: &Owner, limit: usize) -> Steal<usize>;
    fn steal_batch_and_pop_counted(&self, dest: &Owner, limit: usize) -> Steal<(T, usize)>;
    fn len(&self) -> usize;
}

macro_rules! thief {
    ($backend:ident, $type:ident) => {
        impl<T: Send> Thief<T, $backend::Worker<T>> for $backend::$type<T> {
            const MAX_BATCH: usize = Self::MAX_BATCH;

            fn steal(&self) -> Steal<T> {
                self.steal()
            }
            fn steal_batch(&self, dest: &$backend::Worker<T>) -> Steal<()> {
                self.steal_batch(dest)
            }
            fn steal_batch_counted(&self, dest: &$backend::Worker<T>, limit: usize) -> Steal<usize> {
                self.steal_batch_counted(dest, limit)
            }
            fn steal_batch_and_pop_counted(&self, dest: &$backend::Worker<T>, limit: usize) -> Steal<(T, usize)> {
                self.steal_batch_and_pop_counted(dest, limit)
            }
            fn len(&self) -> usize {
                self.len()
            }
        }
    };
}

macro_rules! backend {
    ($backend:ident) => {
        impl<T: Send> Owner<T> for $backend::Worker<T> {
            type Thief = $backend::Stealer<T>;
            type Queue = $backend::Injector<T>;

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
            fn capacity(&self) -> usize {
                self.capacity()
            }
            fn growths(&self) -> u64 {
                self.growths()
            }
            fn stealer(&self) -> Self::Thief {
                self.stealer()
            }
            fn inject(queue: &Self::Queue, element: T) {
                queue.push(element);
            }
        }

        thief!($backend, Stealer);
        thief!($backend, Injector);
    };
}

backend!(chase_lev);
backend!(crossbeam);

/// Runs each function on each backend, as tests of their own.
macro_rules! promises {
    ($($test:ident),*) => {
        mod own {
            $(#[test] fn $test() { super::$test::<tiny_coro_deque::chase_lev::Worker<_>>(); })*
        }
        mod rival {
            $(#[test] fn $test() { super::$test::<super::crossbeam::Worker<_>>(); })*
        }
    };
}

promises!(batches_are_counted, injected_batches_are_counted, capacity_holds_the_elements, any_element, handles_travel);

/// A counted batch has the size it says, at most the limit, and so has the largest of the batches that do not say.
fn batches_are_counted<W: Owner<usize>>() {
    for (make, dest) in [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(make, dest)| (W::FLAVORS[make], W::FLAVORS[dest]())) {
        for count in 1..100 {
            let worker = make();
            (0..count).for_each(|value| worker.push(value));
            let moved = worker.stealer().steal_batch_counted(&dest, 20).success();
            assert_eq!((moved, worker.len()), (Some(dest.len()), count - dest.len()));
            assert!(dest.len() >= 1 && dest.len() <= count.div_ceil(2).min(20));
            let left = worker.len();
            while dest.pop().is_some() {}
            let Steal::Success((_, taken)) = worker.stealer().steal_batch_and_pop_counted(&dest, 20) else {
                assert_eq!(left, 0);
                continue;
            };
            assert_eq!((taken, worker.len()), (dest.len() + 1, left - taken));
            assert!(taken <= left.div_ceil(2).min(20));
            while dest.pop().is_some() {}
        }
        let worker = make();
        (0..1_000).for_each(|value| worker.push(value));
        assert!(worker.stealer().steal_batch(&dest).is_success());
        assert_eq!(dest.len(), W::Thief::MAX_BATCH);
        while dest.pop().is_some() {}
    }
}

fn injected_batches_are_counted<W: Owner<usize>>() {
    let (queue, dest) = (W::Queue::default(), W::FLAVORS[1]());
    for count in 1..200 {
        (0..count).for_each(|value| W::inject(&queue, value));
        let mut next = 0..count;
        for limit in [1, 3, 20, 100].into_iter().cycle() {
            let Steal::Success((first, taken)) = queue.steal_batch_and_pop_counted(&dest, limit) else { break };
            assert!(taken == dest.len() + 1 && taken <= limit);
            assert_eq!((Some(first), std::iter::from_fn(|| dest.pop()).count()), (next.next(), taken - 1));
            next.by_ref().take(taken - 1).for_each(drop);
            if let Steal::Success(taken) = queue.steal_batch_counted(&dest, limit) {
                assert!(taken == dest.len() && taken <= limit);
                assert!(std::iter::from_fn(|| dest.pop()).eq(next.by_ref().take(taken)));
            }
            assert_eq!(queue.len(), next.len());
        }
        assert_eq!((next.len(), queue.len()), (0, 0));
    }
}

fn capacity_holds_the_elements<W: Owner<usize>>() {
    for worker in W::FLAVORS.map(|make| make()) {
        for value in 0..1_000 {
            let growths = worker.growths();
            worker.push(value);
            assert!(worker.capacity() >= worker.len() && worker.growths() >= growths);
        }
    }
}

/// What is pushed, whatever it is, comes out as it went in: from the deque, stolen, and by way of the injector.
fn any_element<W: Owner<Odd>>() {
    for worker in W::FLAVORS.map(|make| make()) {
        let queue = W::Queue::default();
        (0..100).for_each(|seed| W::inject(&queue, Odd::new(seed)));
        while !matches!(queue.steal_batch(&worker), Steal::Empty) {}
        let stolen = std::iter::from_fn(|| worker.stealer().steal().success()).take(50);
        let mut all: Vec<_> = stolen.collect();
        all.extend(std::iter::from_fn(|| worker.pop()));
        all.sort_unstable_by_key(|odd| odd.number);
        assert!(all.into_iter().eq((0..100).map(Odd::new)));
    }
}

/// Padding, a niche, an alignment above a word's, an owned pointer, and a size that is no number of words.
#[derive(Debug, PartialEq)]
#[repr(align(16))]
struct Odd {
    flag: bool,
    number: u16,
    name: String,
    letter: Option<char>,
}

impl Odd {
    fn new(seed: u16) -> Self {
        Self {
            flag: seed.is_multiple_of(2),
            number: seed,
            name: seed.to_string(),
            letter: seed.is_multiple_of(3).then_some('ß'),
        }
    }
}

/// The owner's end may be sent, the others' also shared; a deque may hold what lives no longer than it.
fn handles_travel<W: Owner<String>>() {
    for worker in W::FLAVORS.map(|make| make()) {
        let stealer = worker.stealer();
        let worker = thread::scope(|scope| {
            scope
                .spawn(move || {
                    worker.push("here".to_owned());
                    worker.push("there".to_owned());
                    worker
                })
                .join()
                .unwrap()
        });
        let shared = &stealer;
        let stolen = thread::scope(|scope| scope.spawn(move || shared.clone().steal()).join().unwrap());
        assert_eq!(stolen, Steal::Success("here".to_owned()));
        assert!(worker.pop().is_some() && !format!("{worker:?} {stealer:?} {:?}", W::Queue::default()).is_empty());
    }
}
