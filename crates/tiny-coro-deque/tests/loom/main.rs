//! Models of the protocols: every interleaving with a bounded number of preemptions. Each names the invariant it holds.
//!
//! An element is a box that the model checker watches: pushing writes to it, taking reads it and writes to it, and
//! whoever forgets one leaks. In a model a deque has room for two elements, and its indices wrap between the second
//! element and the third; an injector's block has three slots, and its indices wrap after the first block.
#![cfg(tiny_coro_loom)]

mod deque;
mod injector;

use std::collections::BTreeSet;

use loom::alloc::Track;
use loom::cell::UnsafeCell;
use tiny_coro_deque::Worker;

/// What passes through the queues.
trait Item: Send + 'static {
    fn new(value: usize) -> Self;

    /// Returns the value, and claims the element as only its sole owner may.
    fn take(self) -> usize;
}

/// One word.
struct Tracked(Box<Track<UnsafeCell<usize>>>);

// SAFETY: the model checker reports it if this is wrong.
unsafe impl Send for Tracked {}

impl Item for Tracked {
    fn new(value: usize) -> Self {
        Self(Box::new(Track::new(UnsafeCell::new(value))))
    }

    fn take(self) -> usize {
        // SAFETY: the claim under test: whoever got the element has it alone.
        self.0.get_ref().with_mut(|value| unsafe { std::mem::replace(&mut *value, usize::MAX) })
    }
}

/// Two words, which tell when they do not belong together.
struct Wide {
    tracked: Tracked,
    seal: usize,
}

impl Item for Wide {
    fn new(value: usize) -> Self {
        Self { tracked: Tracked::new(value), seal: !value }
    }

    fn take(self) -> usize {
        let value = self.tracked.take();
        assert_eq!(value, !self.seal, "the element is torn");
        value
    }
}

/// Runs a model with more preemptions than the others.
fn deep(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.map_or(5, |bound| bound.max(5)));
    builder.check(model);
}

fn push<T: Item>(worker: &Worker<T>, values: std::ops::Range<usize>) {
    values.for_each(|value| worker.push(T::new(value)));
}

fn pop<T: Item>(worker: &Worker<T>) -> Vec<usize> {
    worker.pop().map(T::take).into_iter().collect()
}

fn drain<T: Item>(worker: &Worker<T>) -> Vec<usize> {
    std::iter::from_fn(|| worker.pop()).map(T::take).collect()
}

/// Asserts that between them the threads got each of `0..count` once.
fn each_once(shares: impl IntoIterator<Item = Vec<usize>>, count: usize) {
    let all: Vec<_> = shares.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct), (count, (0..count).collect()));
}
