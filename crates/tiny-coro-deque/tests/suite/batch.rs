//! What a batch takes, and in which order it is popped.

use std::iter;

use crate::names::{Injector, Steal, Worker, fifo, lifo};

/// A batch of half of six; what is popped from it, the one popped at once first.
#[track_caller]
fn batches(make: impl Fn() -> Worker<usize>, dest: impl Fn() -> Worker<usize>, order: [usize; 3]) {
    let filled = || {
        let worker = make();
        (1..=6).for_each(|value| worker.push(value));
        (worker.stealer(), worker)
    };
    let rest = |dest: &Worker<usize>| iter::from_fn(|| dest.pop()).collect::<Vec<_>>();

    let (stealer, dest_worker) = (filled(), dest());
    assert_eq!(stealer.0.steal_batch(&dest_worker), Steal::Success(()));
    assert_eq!((rest(&dest_worker), stealer.1.len()), (order.to_vec(), 3));

    assert_eq!(filled().0.steal_batch_and_pop(&dest_worker), Steal::Success(order[0]));
    assert_eq!(rest(&dest_worker), order[1..]);

    // A limit above the half changes nothing; one below takes the two that were pushed first.
    assert_eq!(filled().0.steal_batch_with_limit(&dest_worker, usize::MAX), Steal::Success(()));
    assert_eq!(rest(&dest_worker), order);
    let mut two = order.to_vec();
    two.retain(|value| *value != 3);
    assert_eq!(filled().0.steal_batch_with_limit(&dest_worker, 2), Steal::Success(()));
    assert_eq!(rest(&dest_worker), two);
    assert_eq!(filled().0.steal_batch_with_limit_and_pop(&dest_worker, 2), Steal::Success(two[0]));
    assert_eq!(rest(&dest_worker), two[1..]);
    assert_eq!(filled().0.steal_batch_with_limit_and_pop(&dest_worker, 1), Steal::Success(1));
    assert!(dest_worker.is_empty());
}

/// From a FIFO deque they are popped as they were pushed, from a LIFO deque the other way round: as the owner would
/// have.
#[test]
fn order_of_fifo_to_fifo() {
    batches(fifo, fifo, [1, 2, 3]);
}

#[test]
fn order_of_fifo_to_lifo() {
    batches(fifo, lifo, [1, 2, 3]);
}

#[test]
fn order_of_lifo_to_fifo() {
    batches(lifo, fifo, [3, 2, 1]);
}

#[test]
fn order_of_lifo_to_lifo() {
    batches(lifo, lifo, [3, 2, 1]);
}

#[test]
fn order_of_injector() {
    for dest in [fifo::<usize>(), lifo()] {
        let injector = Injector::new();
        let rest = || iter::from_fn(|| dest.pop()).collect::<Vec<_>>();
        (1..=12).for_each(|value| injector.push(value));
        assert_eq!(injector.steal_batch_with_limit(&dest, 2), Steal::Success(()));
        assert_eq!(rest(), [1, 2]);
        assert_eq!(injector.steal_batch_with_limit_and_pop(&dest, 2), Steal::Success(3));
        assert_eq!(rest(), [4]);
        assert_eq!(injector.steal_batch(&dest), Steal::Success(()));
        assert_eq!(rest(), [5, 6, 7, 8]);
        assert_eq!(injector.steal_batch_and_pop(&dest), Steal::Success(9));
        assert_eq!(rest(), [10]);
        assert_eq!(injector.len(), 2);
    }
}

/// Every pair of flavours, every size: half of what is there and one at least, no more than a limit, and nothing lost.
#[test]
fn half_and_one_at_least() {
    for (make, dest) in
        [(fifo as fn() -> Worker<usize>, fifo as fn() -> Worker<usize>), (fifo, lifo), (lifo, fifo), (lifo, lifo)]
    {
        for (count, limit) in (1..100).flat_map(|count| [(count, 5), (count, usize::MAX)]) {
            let (worker, dest) = (make(), dest());
            (0..count).for_each(|value| worker.push(value));
            assert!(worker.stealer().steal_batch_with_limit(&dest, limit).is_success());
            let moved = dest.len();
            assert_eq!((moved, worker.len()), (count.div_ceil(2).min(limit), count - moved));
            let mut popped: Vec<_> = iter::from_fn(|| dest.pop()).collect();
            popped.sort_unstable();
            assert!(popped.into_iter().eq(0..moved));
        }
    }
}

#[test]
fn of_nothing() {
    for (worker, dest) in [(fifo(), lifo()), (lifo::<usize>(), fifo())] {
        let stealer = worker.stealer();
        assert_eq!((stealer.steal_batch(&dest), stealer.steal_batch_and_pop(&dest)), (Steal::Empty, Steal::Empty));
        let injector = Injector::new();
        assert_eq!((injector.steal_batch(&dest), injector.steal_batch_and_pop(&dest)), (Steal::Empty, Steal::Empty));
        assert!(dest.is_empty());
    }
}

/// A deque's own worker as the destination: nothing moves, or it pops.
#[test]
fn into_itself() {
    for worker in [fifo(), lifo()] {
        let stealer = worker.stealer();
        assert_eq!((stealer.steal_batch(&worker), stealer.steal_batch_and_pop(&worker)), (Steal::Empty, Steal::Empty));
        (0..3).for_each(|value| worker.push(value));
        assert_eq!((stealer.steal_batch(&worker), worker.len()), (Steal::Success(()), 3));
        assert!(stealer.steal_batch_and_pop(&worker).is_success());
        assert_eq!(worker.len(), 2);
    }
}

#[test]
#[should_panic]
fn with_limit_zero_is_refused() {
    let _ = fifo::<usize>().stealer().steal_batch_with_limit(&fifo(), 0);
}

#[test]
#[should_panic]
fn with_limit_zero_and_pop_is_refused() {
    let _ = lifo::<usize>().stealer().steal_batch_with_limit_and_pop(&fifo(), 0);
}

#[test]
#[should_panic]
fn with_limit_zero_into_itself_is_refused() {
    let worker = fifo::<usize>();
    let _ = worker.stealer().steal_batch_with_limit(&worker, 0);
}

#[test]
#[should_panic]
fn with_limit_zero_of_an_injector_is_refused() {
    let _ = Injector::<usize>::new().steal_batch_with_limit(&fifo(), 0);
}

#[test]
fn the_combinators_of_steal() {
    let (empty, retry, one) = (Steal::<i32>::Empty, Steal::<i32>::Retry, Steal::Success(1));
    assert!(empty.is_empty() && one.is_success() && retry.is_retry());
    assert!(!one.is_empty() && !retry.is_success() && !empty.is_retry());
    assert_eq!([empty.success(), one.success(), retry.success()], [None, Some(1), None]);
    assert_eq!(one.or_else(|| unreachable!()), one);
    assert_eq!([empty.or_else(|| one), retry.or_else(|| one)], [one, one]);
    assert_eq!([empty.or_else(|| empty), retry.or_else(|| empty), empty.or_else(|| retry)], [empty, retry, retry]);
    assert_eq!([empty; 0].into_iter().collect::<Steal<_>>(), empty);
    assert_eq!([empty, retry, empty].into_iter().collect::<Steal<_>>(), retry);
    let lazy = [empty, retry, one].into_iter().chain(iter::once_with(|| unreachable!()));
    assert_eq!(lazy.collect::<Steal<_>>(), one);
}
