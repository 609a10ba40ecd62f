//! Any program of operations on one thread: the deque does what a `VecDeque` does, and what `crossbeam-deque` does.
#![cfg(not(tiny_coro_loom))]

use std::collections::VecDeque;

use proptest::prelude::*;
use tiny_coro_deque::Steal;
use tiny_coro_deque::chase_lev::Worker;

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

fn make(lifo: bool, capacity: usize) -> Worker<Box<usize>> {
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

    /// Takes a batch from the front into `dest`, which pops the oldest first; of `and_pop` the first element is
    /// returned.
    fn batch(&mut self, dest: &mut Self, limit: usize, and_pop: bool) -> Option<(Option<usize>, usize)> {
        let count = self.elements.len().div_ceil(2).min(limit);
        let mut taken: VecDeque<_> = self.elements.drain(..count).collect();
        let first = if and_pop { taken.pop_front() } else { None };
        if dest.lifo {
            taken.make_contiguous().reverse();
        }
        dest.elements.extend(taken);
        (count != 0).then_some((first, count))
    }
}

fn check(worker: &Worker<Box<usize>>, model: &Model) {
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
                    workers[0].push(Box::new(value));
                    models[0].elements.push_back(value);
                }
            }
            Step::Pop(count) => {
                for side in 0..2 {
                    for _ in 0..count {
                        assert_eq!(workers[side].pop().map(|value| *value), models[side].pop());
                    }
                }
            }
            Step::Steal(count) => {
                for _ in 0..count {
                    let stolen = workers[0].stealer().steal().success().map(|value| *value);
                    assert_eq!(stolen, models[0].elements.pop_front());
                }
            }
            Step::Batch { limit, back } => {
                let (from, to) = if back { (1, 0) } else { (0, 1) };
                let stolen = workers[from].stealer().steal_batch_with_limit(&workers[to], limit).success();
                let [first, second] = &mut models;
                let (source, dest) = if back { (second, first) } else { (first, second) };
                assert_eq!(stolen, source.batch(dest, limit, false).map(|(_, count)| count));
            }
            Step::BatchAndPop { limit, back } => {
                let (from, to) = if back { (1, 0) } else { (0, 1) };
                let stolen = workers[from].stealer().steal_batch_with_limit_and_pop(&workers[to], limit).success();
                let [first, second] = &mut models;
                let (source, dest) = if back { (second, first) } else { (first, second) };
                assert_eq!(stolen.map(|(value, count)| (Some(*value), count)), source.batch(dest, limit, true),);
            }
        }
        (0..2).for_each(|side| check(&workers[side], &models[side]));
    }
}

fn against_oracle(lifo: bool, steps: Vec<Step>) {
    use crossbeam_deque::Worker as Oracle;

    let (worker, oracle) = (make(lifo, 1), if lifo { Oracle::new_lifo() } else { Oracle::new_fifo() });
    let mut values = 0..;
    for step in steps {
        match step {
            Step::Push(count) => values.by_ref().take(count).for_each(|value| {
                worker.push(Box::new(value));
                oracle.push(value);
            }),
            Step::Pop(count) => {
                (0..count).for_each(|_| assert_eq!(worker.pop().map(|value| *value), oracle.pop()));
            }
            Step::Steal(count) | Step::Batch { limit: count, .. } | Step::BatchAndPop { limit: count, .. } => {
                for _ in 0..count.min(8) {
                    let stolen = worker.stealer().steal();
                    assert_eq!(stolen.map(|value| *value).success(), oracle.stealer().steal().success());
                }
            }
        }
        assert_eq!(worker.len(), oracle.len());
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
    fn does_what_crossbeam_does(lifo in any::<bool>(), steps in prop::collection::vec(step(), 1..60)) {
        against_oracle(lifo, steps);
    }
}

#[test]
fn steal_combinators() {
    let (empty, retry) = (Steal::<i32>::Empty, Steal::<i32>::Retry);
    let one = Steal::Success(1);
    assert!(empty.is_empty() && one.is_success() && retry.is_retry());
    assert_eq!([empty.success(), one.success(), retry.success()], [None, Some(1), None]);
    assert_eq!(one.or_else(|| unreachable!()), one);
    assert_eq!([empty.or_else(|| one), retry.or_else(|| one)], [one, one]);
    assert_eq!([empty.or_else(|| empty), retry.or_else(|| empty), empty.or_else(|| retry)], [empty, retry, retry]);
    assert_eq!([empty, retry, empty].into_iter().collect::<Steal<_>>(), retry);
    assert_eq!(
        [empty, retry, one].into_iter().chain(std::iter::once_with(|| unreachable!())).collect::<Steal<_>>(),
        one
    );
    assert_eq!([empty; 0].into_iter().collect::<Steal<_>>(), empty);
}
