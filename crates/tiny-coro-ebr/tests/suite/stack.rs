//! Treiber's stack.

use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::thread;

use crate::names::{Atomic, Collector, Guard, Owned, Shared, unprotected};

#[derive(Debug)]
struct Node<T> {
    value: ManuallyDrop<T>,
    next: Atomic<Node<T>>,
}

#[derive(Debug)]
struct Stack<T> {
    head: Atomic<Node<T>>,
}

impl<T: Send> Stack<T> {
    const fn new() -> Self {
        Self { head: Atomic::null() }
    }

    fn push(&self, value: T, guard: &Guard) {
        let mut node = Owned::new(Node { value: ManuallyDrop::new(value), next: Atomic::null() });
        let mut head = self.head.load(Relaxed, guard);
        loop {
            node.next.store(head, Relaxed);
            match self.head.compare_exchange_weak(head, node, Release, Relaxed, guard) {
                Ok(_) => break,
                Err(error) => (head, node) = (error.current, error.new),
            }
        }
    }

    fn pop(&self, guard: &Guard) -> Option<T> {
        loop {
            let head = self.head.load(Acquire, guard);
            // SAFETY: loaded under the guard from where nodes are retired only once unlinked.
            let node = unsafe { head.as_ref()? };
            let next: Shared<'_, Node<T>> = node.next.load(Relaxed, guard);
            if self.head.compare_exchange_weak(head, next, AcqRel, Relaxed, guard).is_ok() {
                // SAFETY: the exchange unlinked the node and gave it, and its value, to us alone.
                unsafe {
                    guard.defer_destroy(head);
                    return Some(ManuallyDrop::into_inner(ptr::read(&raw const node.value)));
                }
            }
        }
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        // SAFETY: whoever drops the stack has it alone.
        let guard = unsafe { unprotected() };
        let mut next = self.head.load(Relaxed, guard);
        // SAFETY: as above; each node is taken once, and its value has not been read.
        while let Some(mut node) = unsafe { next.try_into_owned() } {
            // SAFETY: as above.
            unsafe { ManuallyDrop::drop(&mut node.value) };
            next = node.next.load(Relaxed, guard);
        }
    }
}

#[test]
fn last_in_first_out() {
    let (stack, handle) = (Stack::new(), Collector::new().register());
    (0..100).for_each(|value| stack.push(Box::new(value), &handle.pin()));
    for value in (50..100).rev() {
        assert_eq!(stack.pop(&handle.pin()), Some(Box::new(value)));
    }
}

#[test]
fn each_element_once() {
    const THREADS: usize = 4;
    const COUNT: usize = 10_000;
    let (stack, collector) = (Stack::new(), Collector::new());
    let (sum, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (stack, collector, sum, taken) = (&stack, &collector, &sum, &taken);
            scope.spawn(move || {
                let handle = collector.register();
                for number in 0..COUNT {
                    stack.push(Box::new(thread * COUNT + number), &handle.pin());
                    if number % 3 != 0
                        && let Some(value) = stack.pop(&handle.pin())
                    {
                        sum.fetch_add(*value, Relaxed);
                        taken.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    let handle = collector.register();
    while let Some(value) = stack.pop(&handle.pin()) {
        sum.fetch_add(*value, Relaxed);
        taken.fetch_add(1, Relaxed);
    }
    let all = THREADS * COUNT;
    assert_eq!((taken.into_inner(), sum.into_inner()), (all, all * (all - 1) / 2));
}
