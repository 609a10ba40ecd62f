//! Any program of operations on one thread: the deque does what a `VecDeque` does, and what `crossbeam-deque` does.
#![cfg(not(tiny_coro_loom))]

use std::collections::VecDeque;

use proptest::prelude::*;
use tiny_coro_deque::chase_lev::{Injector, Worker};

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize),
    Pop(usize),
    Steal(usize),
    Batch { limit: usize, back: bool },
    BatchAndPop { limit: usize, back: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let limit = prop_oneof![1..4_usize, Just(32), Just(usize::MAX)];
    prop_oneof![
        4 => (1..40_usize).prop_map(Step::Push),
        4 => (1..60_usize).prop_map(Step::Pop),
        2 => (1..8_usize).prop_map(Step::Steal),
        2 => (limit.clone(), any::<bool>()).prop_map(|(limit, back)| Step::Batch { limit, back }),
        2 => (limit, any::<bool>()).prop_map(|(limit, back)| Step::BatchAndPop { limit, back }),
    ]
}

fn make(lifo: bool, capacity: usize) -> Worker<usize> {
    if lifo { Worker::lifo_with_capacity(capacity) } else { Worker::fifo_with_capacity(capacity) }
}

/// What the deque stands for.
struct Model {
    lifo: bool,
    elements: VecDeque<usize>,
}

impl Model {
    fn pop(&mut self) -> Option<usize> {
        if self.lifo { self.elements.pop_back() } else { self.elements.pop_front() }
    }

    /// Takes a batch from the front into `dest`, which pops them in this one's order; with `and_pop` the first of them
    /// is returned.
    fn batch(&mut self, dest: &mut Self, limit: usize, and_pop: bool) -> Option<(Option<usize>, usize)> {
        let count = self.elements.len().div_ceil(2).min(limit);
        let mut taken: VecDeque<_> = self.elements.drain(..count).collect();
        if self.lifo {
            taken.make_contiguous().reverse();
        }
        let first = if and_pop { taken.pop_front() } else { None };
        if dest.lifo {
            taken.make_contiguous().reverse();
        }
        dest.elements.extend(taken);
        (count != 0).then_some((first, count))
    }
}

fn check(worker: &Worker<usize>, model: &Model) {
    assert_eq!((worker.len(), worker.is_empty()), (model.elements.len(), model.elements.is_empty()));
    assert_eq!((worker.stealer().len(), worker.stealer().growths()), (worker.len(), worker.growths()));
    assert!(worker.capacity().is_power_of_two() && worker.len() <= worker.capacity());
}

fn against_model(lifo: [bool; 2], capacities: [usize; 2], steps: Vec<Step>) {
    let workers = [make(lifo[0], capacities[0]), make(lifo[1], capacities[1])];
    let mut models = lifo.map(|lifo| Model { lifo, elements: VecDeque::new() });
    let mut values = 0..;
    for step in steps {
        match step {
            Step::Push(count) => {
                for value in values.by_ref().take(count) {
                    workers[0].push(value);
                    models[0].elements.push_back(value);
                }
            }
            Step::Pop(count) => {
                for side in 0..2 {
                    for _ in 0..count {
                        assert_eq!(workers[side].pop(), models[side].pop());
                    }
                }
            }
            Step::Steal(count) => {
                for _ in 0..count {
                    let stolen = workers[0].stealer().steal().success();
                    assert_eq!(stolen, models[0].elements.pop_front());
                }
            }
            Step::Batch { limit, back } => {
                let (from, to) = if back { (1, 0) } else { (0, 1) };
                let stolen = workers[from].stealer().steal_batch_counted(&workers[to], limit).success();
                let [first, second] = &mut models;
                let (source, dest) = if back { (second, first) } else { (first, second) };
                assert_eq!(stolen, source.batch(dest, limit, false).map(|(_, count)| count));
            }
            Step::BatchAndPop { limit, back } => {
                let (from, to) = if back { (1, 0) } else { (0, 1) };
                let stolen = workers[from].stealer().steal_batch_and_pop_counted(&workers[to], limit).success();
                let [first, second] = &mut models;
                let (source, dest) = if back { (second, first) } else { (first, second) };
                assert_eq!(stolen.map(|(value, count)| (Some(value), count)), source.batch(dest, limit, true),);
            }
        }
        (0..2).for_each(|side| check(&workers[side], &models[side]));
    }
}

/// Two deques each of ours and of theirs, and an injector each, under the same program.
fn against_oracle(lifo: [bool; 2], steps: Vec<Step>) {
    use crossbeam_deque::{Injector as TheirInjector, Worker as Their};

    let ours = lifo.map(|lifo| make(lifo, 1));
    let theirs = lifo.map(|lifo| if lifo { Their::new_lifo() } else { Their::new_fifo() });
    let (injector, their_injector) = (Injector::new(), TheirInjector::new());
    let mut values = 0..;
    for step in steps {
        match step {
            Step::Push(count) => values.by_ref().take(count).for_each(|value| {
                ours[0].push(value);
                theirs[0].push(value);
                injector.push(value);
                their_injector.push(value);
            }),
            Step::Pop(count) => (0..2).for_each(|side| {
                (0..count).for_each(|_| assert_eq!(ours[side].pop(), theirs[side].pop()));
            }),
            Step::Steal(count) => (0..count).for_each(|_| {
                assert_eq!(ours[0].stealer().steal().success(), theirs[0].stealer().steal().success());
                assert_eq!(injector.steal().success(), their_injector.steal().success());
            }),
            Step::Batch { limit, back } => {
                let (from, to) = if back { (1, 0) } else { (0, 1) };
                let stolen = ours[from].stealer().steal_batch_with_limit(&ours[to], limit);
                let expected = theirs[from].stealer().steal_batch_with_limit(&theirs[to], limit);
                assert_eq!(stolen.success(), expected.success());
            }
            Step::BatchAndPop { limit, back } => {
                let (from, to) = if back { (1, 0) } else { (0, 1) };
                let stolen = ours[from].stealer().steal_batch_with_limit_and_pop(&ours[to], limit);
                let expected = theirs[from].stealer().steal_batch_with_limit_and_pop(&theirs[to], limit);
                assert_eq!(stolen.success(), expected.success());
                // How many an injector gives at once is nobody's promise, beyond the first.
                assert_eq!(injector.steal_batch_and_pop(&ours[to]).success().is_some(), !their_injector.is_empty());
                let taken = their_injector.len() - injector.len();
                (0..taken).for_each(|_| theirs[to].push(their_injector.steal().success().expect("there are as many")));
                // The one that was popped at once was pushed too: let both forget the batch.
                while ours[to].pop().is_some() {}
                while theirs[to].pop().is_some() {}
            }
        }
        assert_eq!([ours[0].len(), ours[1].len()], [theirs[0].len(), theirs[1].len()]);
        assert_eq!((injector.len(), injector.is_empty()), (their_injector.len(), their_injector.is_empty()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_a_vec_deque_does(
        lifo in any::<[bool; 2]>(),
        capacities in [1..5_usize, 1..5_usize],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        against_model(lifo, capacities, steps);
    }

    #[test]
    fn does_what_crossbeam_does(lifo in any::<[bool; 2]>(), steps in prop::collection::vec(step(), 1..60)) {
        against_oracle(lifo, steps);
    }
}
