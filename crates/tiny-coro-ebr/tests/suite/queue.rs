//! Michael and Scott's queue.

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::thread;
use std::time::{Duration, Instant};

use crate::names::{Atomic, Collector, Guard, Owned, Shared, unprotected};

/// The first node of a queue is a dummy: its value is not there, or has been taken.
struct Node<T> {
    value: MaybeUninit<T>,
    next: Atomic<Node<T>>,
}

struct Queue<T> {
    head: Atomic<Node<T>>,
    tail: Atomic<Node<T>>,
}

impl<T: Send + Sync> Queue<T> {
    fn new() -> Self {
        let queue = Self { head: Atomic::null(), tail: Atomic::null() };
        // SAFETY: nobody else has the queue yet.
        let guard = unsafe { unprotected() };
        let dummy = Owned::new(Node { value: MaybeUninit::uninit(), next: Atomic::null() }).into_shared(guard);
        queue.head.store(dummy, Relaxed);
        queue.tail.store(dummy, Relaxed);
        queue
    }

    fn push(&self, value: T, guard: &Guard) {
        let new = Owned::new(Node { value: MaybeUninit::new(value), next: Atomic::null() }).into_shared(guard);
        loop {
            let tail = self.tail.load(Acquire, guard);
            // SAFETY: never null, and a node is retired only when neither end leads to it any more.
            let node = unsafe { tail.deref() };
            let next = node.next.load(Acquire, guard);
            if !next.is_null() {
                let _ = self.tail.compare_exchange(tail, next, Release, Relaxed, guard);
            } else if node.next.compare_exchange(Shared::null(), new, Release, Relaxed, guard).is_ok() {
                let _ = self.tail.compare_exchange(tail, new, Release, Relaxed, guard);
                break;
            }
        }
    }

    fn try_pop(&self, guard: &Guard) -> Option<T> {
        loop {
            let head = self.head.load(Acquire, guard);
            // SAFETY: never null, and a node is retired only when neither end leads to it any more.
            let next = unsafe { head.deref() }.next.load(Acquire, guard);
            // SAFETY: as above.
            let node = unsafe { next.as_ref()? };
            // The tail must not be left behind on a node that is retired.
            let tail = self.tail.load(Acquire, guard);
            if tail == head {
                let _ = self.tail.compare_exchange(tail, next, Release, Relaxed, guard);
            }
            if self.head.compare_exchange(head, next, AcqRel, Relaxed, guard).is_ok() {
                // SAFETY: the exchange unlinked the old dummy, and gave us alone the value of the new one.
                unsafe {
                    guard.defer_destroy(head);
                    return Some(node.value.assume_init_read());
                }
            }
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        // SAFETY: whoever drops the queue has it alone.
        let guard = unsafe { unprotected() };
        // SAFETY: as above; each node is taken once.
        let dummy = unsafe { self.head.load(Relaxed, guard).into_owned() };
        let mut next = dummy.next.load(Relaxed, guard);
        // SAFETY: as above.
        while let Some(mut node) = unsafe { next.try_into_owned() } {
            // SAFETY: the value of a node that is not the dummy is there.
            unsafe { node.value.assume_init_drop() };
            next = node.next.load(Relaxed, guard);
        }
    }
}

#[test]
fn first_in_first_out() {
    let (queue, handle) = (Queue::new(), Collector::new().register());
    assert_eq!(queue.try_pop(&handle.pin()), None);
    (0..200).for_each(|value| queue.push(Box::new(value), &handle.pin()));
    for value in 0..100 {
        assert_eq!(queue.try_pop(&handle.pin()), Some(Box::new(value)));
    }
    // The rest goes with the queue.
}

/// `producers` push `COUNT` numbers each; `consumers` take them all. Each number once, those of one producer in order.
fn exchange(producers: usize, consumers: usize) {
    const COUNT: usize = 10_000;
    let (queue, collector, taken) = (Queue::new(), Collector::new(), AtomicUsize::new(0));
    let deadline = Instant::now() + Duration::from_secs(60);
    let got: Vec<Vec<usize>> = thread::scope(|scope| {
        for producer in 0..producers {
            let (queue, collector) = (&queue, &collector);
            scope.spawn(move || {
                let handle = collector.register();
                (0..COUNT).for_each(|number| queue.push(Box::new(producer * COUNT + number), &handle.pin()));
            });
        }
        let consume = || {
            let (handle, mut got) = (collector.register(), Vec::new());
            while taken.load(Relaxed) < producers * COUNT {
                match queue.try_pop(&handle.pin()) {
                    Some(value) => {
                        taken.fetch_add(1, Relaxed);
                        got.push(*value);
                    }
                    None => {
                        assert!(Instant::now() < deadline, "no progress");
                        thread::yield_now();
                    }
                }
            }
            got
        };
        let consumers: Vec<_> = (0..consumers).map(|_| scope.spawn(consume)).collect();
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect()
    });
    for producer in 0..producers {
        let of = |number: &&usize| **number / COUNT == producer;
        assert!(got.iter().all(|got| got.iter().filter(of).is_sorted()));
    }
    let mut all: Vec<usize> = got.into_iter().flatten().collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..producers * COUNT));
}

#[test]
fn spsc() {
    exchange(1, 1);
}

#[test]
fn spmc() {
    exchange(1, 3);
}

#[test]
fn mpsc() {
    exchange(3, 1);
}

#[test]
fn mpmc() {
    exchange(3, 3);
}
