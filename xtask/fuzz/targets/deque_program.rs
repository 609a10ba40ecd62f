//! Any program of pushes, pops and steals, single and in batches, does what it does on a `VecDeque`, and drops everything once.
#![no_main]

use std::collections::VecDeque;

use fuzz::Choices;
use libfuzzer_sys::fuzz_target;
use tiny_coro_deque::{Steal, Worker};

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let lifo = choices.byte().is_multiple_of(2);
    let (worker, other): (Worker<Box<u64>>, Worker<Box<u64>>) =
        if lifo { (Worker::lifo(), Worker::lifo()) } else { (Worker::fifo(), Worker::fifo()) };
    let stealer = worker.stealer();
    let (mut oracle, mut others, mut count) = (VecDeque::new(), VecDeque::<u64>::new(), 0_u64);
    // The far end is where thieves take from.
    let pop = |queue: &mut VecDeque<u64>| if lifo { queue.pop_back() } else { queue.pop_front() };
    while !choices.is_empty() {
        match choices.byte() % 8 {
            0..=2 => {
                for _ in 0..=choices.byte() % 70 {
                    count += 1;
                    worker.push(Box::new(count));
                    oracle.push_back(count);
                }
            }
            3 => assert_eq!(worker.pop().map(|value| *value), pop(&mut oracle)),
            4 => assert_eq!(other.pop().map(|value| *value), pop(&mut others)),
            5 => match stealer.steal() {
                Steal::Success(value) => assert_eq!(Some(*value), oracle.pop_front()),
                Steal::Empty => assert!(oracle.is_empty()),
                Steal::Retry => panic!("nobody is in the way"),
            },
            6 => {
                let limit = 1 + usize::from(choices.byte() % 40);
                let before = worker.len();
                let stolen = stealer.steal_batch_with_limit(&other, limit);
                let moved = before - worker.len();
                assert_eq!(stolen.is_success(), moved > 0);
                assert!(moved <= limit && stolen.is_empty() == oracle.is_empty());
                others.extend(oracle.drain(..moved));
            }
            _ => {
                for _ in 0..choices.byte() {
                    assert_eq!(worker.pop().map(|value| *value), pop(&mut oracle));
                }
            }
        }
        assert_eq!((worker.len(), other.len()), (oracle.len(), others.len()));
    }
    let rest: Vec<u64> = std::iter::from_fn(|| other.pop()).map(|value| *value).collect();
    assert_eq!(rest, std::iter::from_fn(|| pop(&mut others)).collect::<Vec<_>>());
});
