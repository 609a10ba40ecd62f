//! What the buffer does under the deque: it grows, shrinks after a while, and leaves nothing behind.
#![cfg(not(tiny_coro_loom))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tiny_coro_deque::chase_lev::Worker;
use tiny_coro_ebr::Collector;

#[test]
fn d5_it_grows_with_a_burst_and_shrinks_after_a_long_lull() {
    for worker in [Worker::lifo(), Worker::fifo()] {
        let capacity = worker.capacity();
        (0..10 * capacity).for_each(|value| worker.push(value));
        assert_eq!((worker.capacity(), worker.growths()), (16 * capacity, 4));

        // The same burst again and again neither grows nor shrinks it...
        for _ in 0..10 {
            while worker.pop().is_some() {}
            (0..10 * capacity).for_each(|value| worker.push(value));
        }
        assert_eq!((worker.capacity(), worker.growths()), (16 * capacity, 4));

        // ...but a long lull does, down to where it began and no further.
        while worker.pop().is_some() {}
        for value in 0..1_000 * capacity {
            worker.push(value);
            worker.push(value);
            assert!(worker.pop().is_some() && worker.pop().is_some());
        }
        assert_eq!(worker.capacity(), capacity);
    }
}

#[test]
fn d5_it_shrinks_when_its_owner_says_so() {
    for worker in [Worker::lifo(), Worker::fifo()] {
        let floor = worker.capacity();
        (0..10 * floor).for_each(|value| worker.push(value));
        worker.shrink_to(0);
        assert_eq!(worker.capacity(), 16 * floor, "all of them have to have room");
        let taken: Vec<_> = (0..8 * floor).map(|_| worker.pop().unwrap()).collect();
        worker.shrink_to(16 * floor);
        assert_eq!(worker.capacity(), 16 * floor);
        worker.shrink_to(0);
        assert_eq!(worker.capacity(), 4 * floor, "and as many again");
        let mut rest: Vec<_> = std::iter::from_fn(|| worker.pop()).chain(taken).collect();
        rest.sort_unstable();
        assert_eq!(rest, (0..10 * floor).collect::<Vec<_>>());
        worker.shrink_to(0);
        assert_eq!(worker.capacity(), floor);
    }
}

#[test]
#[should_panic(expected = "room for an element")]
fn a_deque_without_room_is_refused() {
    let _ = Worker::<i32>::fifo_with_capacity(0);
}

#[test]
#[should_panic(expected = "room for an element")]
fn a_batch_without_room_is_refused() {
    let worker = Worker::<i32>::fifo();
    let _ = worker.stealer().steal_batch_with_limit(&Worker::fifo(), 0);
}

#[test]
fn a_batch_into_its_own_deque_moves_nothing() {
    let worker = Worker::fifo();
    assert!(worker.stealer().steal_batch(&worker).is_empty());
    assert!(worker.stealer().steal_batch_and_pop(&worker).is_empty());
    (0..4).for_each(|value| worker.push(value));
    assert_eq!(worker.stealer().steal_batch_counted(&worker, 4).success(), Some(0));
    assert_eq!(worker.stealer().steal_batch_and_pop_counted(&worker, 4).success(), Some((0, 1)));
    assert_eq!(worker.len(), 3);
}

#[test]
fn d9_a_panic_in_a_destructor_spares_the_others() {
    struct Grumpy(Arc<AtomicUsize>);
    impl Drop for Grumpy {
        fn drop(&mut self) {
            if self.0.fetch_add(1, Ordering::Relaxed) == 3 {
                panic!("a destructor's panic, on purpose");
            }
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let worker = Worker::lifo();
    (0..10).for_each(|_| worker.push(Grumpy(dropped.clone())));
    assert!(thread::spawn(move || drop(worker)).join().is_err());
    assert_eq!(dropped.load(Ordering::Relaxed), 10);
}

/// S1 of the ancestor: mechanisms that were dead code. Growth retires buffers, and epochs pass.
#[test]
fn s1_old_buffers_are_retired_and_reclaimed() {
    if !Collector::REPORTS {
        return; // the other backend of the reclamation does not count
    }
    let before = Collector::global().statistics();
    let worker = Worker::fifo_with_capacity(1);
    (0..1_000).for_each(|value| worker.push(value));
    assert_eq!(worker.growths(), 10);
    (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
    let after = Collector::global().statistics();
    assert!(after.retired >= before.retired + 10);
    // Other tests of this program share the collector, and may be pinned just now.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while Collector::global().statistics().reclaimed < before.reclaimed + 10 {
        assert!(std::time::Instant::now() < deadline, "nothing is reclaimed");
        tiny_coro_ebr::pin().flush();
    }
    assert!(Collector::global().statistics().advances > before.advances);
}
