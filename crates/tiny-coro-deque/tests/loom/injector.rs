//! The injector: pushers against thieves.

use std::ops::Range;

use loom::sync::Arc;
use loom::thread;
use tiny_coro_deque::{Injector, Steal, Worker};

use super::{Item, Tracked, Wide, deep, drain, each_once};

fn injector<T: Item>(values: Range<usize>) -> Arc<Injector<T>> {
    let injector = Arc::new(Injector::new());
    push(&injector, values);
    injector
}

fn push<T: Item>(injector: &Injector<T>, values: Range<usize>) {
    values.for_each(|value| injector.push(T::new(value)));
}

fn steal<T: Item>(injector: &Injector<T>) -> Vec<usize> {
    injector.steal().success().map(T::take).into_iter().collect()
}

/// Takes what is left, when nobody else is.
fn rest<T: Item>(injector: &Injector<T>) -> Vec<usize> {
    let rest: Vec<_> = std::iter::from_fn(|| injector.steal().success()).map(T::take).collect();
    assert_eq!((injector.len(), injector.is_empty()), (0, true));
    rest
}

fn spawn<T: Item, R: 'static>(
    injector: &Arc<Injector<T>>,
    body: impl FnOnce(&Injector<T>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let injector = injector.clone();
    thread::spawn(move || body(&injector))
}

fn push_publishes<T: Item>() {
    let injector = injector::<T>(0..0);
    let thief = spawn(&injector, |injector| [steal(injector), steal(injector)].concat());
    push(&injector, 0..2);
    let stolen = thief.join().unwrap();
    assert!(stolen.is_sorted(), "one pusher's elements keep their order");
    each_once([stolen, rest(&injector)], 2);
}

/// I1, I2: a thief sees the element whole, or poisons the slot and leaves it to its pusher, who pushes again.
#[test]
fn i1_push_publishes() {
    deep(push_publishes::<Tracked>);
}

/// I1: the same for elements of more than a word.
#[test]
fn i1_push_publishes_wide() {
    deep(push_publishes::<Wide>);
}

/// I2: two pushers do not get the same slot, and a thief is in both their ways.
#[test]
fn i2_two_pushers() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..0);
        let pusher = spawn(&injector, |injector| push(injector, 0..1));
        let thief = spawn(&injector, steal);
        push(&injector, 1..2);
        pusher.join().unwrap();
        each_once([thief.join().unwrap(), rest(&injector)], 2);
    });
}

/// I2: two thieves do not get the same slot, whichever of them poisons it.
#[test]
fn i2_two_thieves() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..1);
        let thieves = [spawn(&injector, steal), spawn(&injector, steal)];
        push(&injector, 1..2);
        let mut shares = thieves.map(|thief| thief.join().unwrap()).to_vec();
        shares.push(rest(&injector));
        each_once(shares, 2);
    });
}

/// I3: `Empty` is the truth: one is taken only after another was pushed. Both threads are pinned from the start, so that
/// no fence of a pin helps.
#[test]
fn i3_empty_is_true() {
    deep(|| {
        let injector = injector::<Tracked>(0..1);
        let other = spawn(&injector, |injector| {
            let _guard = tiny_coro_ebr::pin();
            assert!(!injector.is_empty(), "at no moment was the injector empty");
            let stolen = injector.steal();
            assert!(!stolen.is_empty(), "at no moment was the injector empty");
            stolen.success().map(Tracked::take).into_iter().collect()
        });
        let guard = tiny_coro_ebr::pin();
        push(&injector, 1..2);
        let stolen = steal(&injector);
        drop(guard);
        each_once([stolen, other.join().unwrap(), rest(&injector)], 2);
    });
}

fn blocks_follow<T: Item>(before: usize, after: usize) {
    let injector = injector::<T>(0..before);
    let thief = spawn(&injector, |injector| {
        let _guard = tiny_coro_ebr::pin();
        [steal(injector), steal(injector), steal(injector)].concat()
    });
    push(&injector, before..after);
    each_once([thief.join().unwrap(), rest(&injector)], after);
}

/// I4: a thief goes on to the next block in the same moment as it is linked.
#[test]
fn i4_thief_follows_into_the_next_block() {
    deep(|| blocks_follow::<Tracked>(2, 4));
}

/// I4: a thief finds the head moved on by another one, to a block that it has not seen linked.
#[test]
fn i4_thief_follows_a_thief() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..2);
        assert_eq!([steal(&injector), steal(&injector)].concat(), [0, 1]);
        let second = spawn(&injector, |injector| {
            let _guard = tiny_coro_ebr::pin();
            if injector.is_empty() { Vec::new() } else { steal(injector) }
        });
        let guard = tiny_coro_ebr::pin();
        push(&injector, 2..4);
        let first = [steal(&injector), steal(&injector)].concat();
        drop(guard);
        each_once([vec![0, 1], first, second.join().unwrap(), rest(&injector)], 4);
    });
}

/// I4: two pushers find the block full, and a thief finds it empty: one new block, and all three go on to it.
#[test]
fn i4_two_pushers_extend() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..2);
        let pusher = spawn(&injector, |injector| {
            let _guard = tiny_coro_ebr::pin();
            push(injector, 2..4);
        });
        push(&injector, 4..6);
        pusher.join().unwrap();
        assert_eq!(injector.len(), 6);
        each_once([rest(&injector)], 6);
    });
}

/// I5: a block is let go of, and freed if it may be, while a pusher may still be in it.
#[test]
fn i5_old_block_is_freed() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..2);
        let pusher = spawn(&injector, |injector| push(injector, 2..3));
        let mut shares: Vec<_> = (0..3).map(|_| steal(&injector)).collect();
        (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
        pusher.join().unwrap();
        shares.push(rest(&injector));
        each_once(shares, 3);
    });
}

/// I5: the same where the pusher's slot was poisoned: whichever of the two is the last to let go, the other is done.
#[test]
fn i5_late_pusher_keeps_its_block() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..1);
        let pusher = spawn(&injector, |injector| push(injector, 1..2));
        let mut shares = vec![steal(&injector), steal(&injector)];
        push(&injector, 2..4);
        shares.extend([steal(&injector), steal(&injector)]);
        (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
        pusher.join().unwrap();
        shares.push(rest(&injector));
        each_once(shares, 4);
    });
}

/// I2, I6: a batch against a thief, while a pusher fills the block behind it; it lands in order.
#[test]
fn i6_batch() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..2);
        let thief = spawn(&injector, steal);
        let pusher = spawn(&injector, |injector| push(injector, 2..3));
        let dest = Worker::lifo();
        let mut shares = Vec::new();
        if let Steal::Success((first, count)) = injector.steal_batch_and_pop_counted(&dest, 8) {
            let batch: Vec<_> = [first.take()].into_iter().chain(drain(&dest)).collect();
            assert_eq!((batch.len(), batch.is_sorted()), (count, true));
            shares.push(batch);
        }
        pusher.join().unwrap();
        shares.extend([thief.join().unwrap(), rest(&injector)]);
        each_once(shares, 3);
    });
}

/// I7: whoever is last drops what is left, in two blocks.
#[test]
fn i7_last_handle_drops_the_rest() {
    deep(|| {
        let injector = injector::<Tracked>(0..4);
        let thief = spawn(&injector, steal);
        drop(injector);
        assert_eq!(thief.join().unwrap(), [0]);
    });
}

/// I8: all of a block is stolen, it is retired, comes back and is filled anew, while a thief may still be in it.
#[test]
fn i8_block_is_used_again() {
    loom::model(|| {
        let injector = injector::<Tracked>(0..4);
        let thief = spawn(&injector, steal);
        let mut shares: Vec<_> = (0..4).map(|_| steal(&injector)).collect();
        (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
        push(&injector, 4..8);
        shares.extend([thief.join().unwrap(), rest(&injector)]);
        each_once(shares, 8);
    });
}
