//! What every backend must do.

#![cfg(not(tiny_coro_loom))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use tiny_coro_timer::{Key, TimerQueue};

fn expired<T>(timers: &mut TimerQueue<T>, now: u64) -> Vec<T> {
    let mut values = Vec::new();
    let count = timers.expire(now, |value| values.push(value));
    assert_eq!(count, values.len());
    values
}

#[test]
fn fires_what_is_due_in_the_order_of_deadlines() {
    let mut timers = TimerQueue::new();
    assert_eq!((timers.next_deadline(), timers.pop_expired(u64::MAX)), (None, None));
    for deadline in [50, 10, 40, 20, 30] {
        timers.insert(deadline, deadline);
    }
    assert_eq!(timers.next_deadline(), Some(10));
    assert_eq!(expired(&mut timers, 9), []);
    assert_eq!(expired(&mut timers, 30), [10, 20, 30]);
    assert_eq!((timers.next_deadline(), timers.len()), (Some(40), 2));
    assert_eq!(timers.pop_expired(39), None);
    assert_eq!(timers.pop_expired(40), Some(40));
}

/// T1: the order of insertion, in which a reset counts as one, though the deadline stays.
#[test]
fn equal_deadlines_fire_in_the_order_of_insertion() {
    let mut timers = TimerQueue::new();
    let keys: Vec<Key> = (0..1000).map(|value| timers.insert(7, value)).collect();
    for value in (0..1000).step_by(3) {
        assert!(timers.reset(keys[value], 7));
    }
    let (moved, kept): (Vec<usize>, Vec<usize>) = (0..1000).partition(|value| value % 3 == 0);
    assert_eq!(expired(&mut timers, 7), [kept, moved].concat());
}

#[test]
fn the_ends_of_time_are_deadlines() {
    let mut timers = TimerQueue::new();
    timers.insert(u64::MAX, "never");
    timers.insert(0, "at once");
    let reset = timers.insert(u64::MAX, "moved");
    assert_eq!(expired(&mut timers, 0), ["at once"]);
    assert!(timers.reset(reset, 0));
    assert_eq!(expired(&mut timers, u64::MAX - 1), ["moved"]);
    assert_eq!(timers.next_deadline(), Some(u64::MAX));
    assert_eq!(expired(&mut timers, u64::MAX), ["never"]);
}

#[test]
fn cancel_and_reset_find_their_timer() {
    let mut timers = TimerQueue::with_capacity(3);
    let [a, b, c] = [10, 20, 30].map(|deadline| timers.insert(deadline, deadline));
    assert_eq!(timers.cancel(b), Some(20));
    assert!(timers.reset(c, 5));
    assert_eq!((timers.next_deadline(), timers.deadline(c), timers.get(c)), (Some(5), Some(5), Some(&30)));
    *timers.get_mut(a).unwrap() = 11;
    assert_eq!(expired(&mut timers, 10), [30, 11]);
    assert!(timers.is_empty());
}

/// T3: after firing, cancelling and clearing; even where the memory has a new owner.
#[test]
fn stale_keys_name_nothing() {
    let mut timers = TimerQueue::new();
    let mut stale = Vec::new();
    for round in 0..100_u64 {
        let keys: Vec<Key> = (0..3).map(|value| timers.insert(round, value)).collect();
        match round % 3 {
            0 => drop(expired(&mut timers, round)),
            1 => timers.clear(),
            _ => keys.iter().for_each(|key| assert!(timers.cancel(*key).is_some())),
        }
        stale.extend(keys);
        let strangers: Vec<Key> = (0..3).map(|value| timers.insert(u64::MAX, value)).collect();
        for key in &stale {
            assert!(!timers.reset(*key, 0) && timers.cancel(*key).is_none() && timers.deadline(*key).is_none());
            assert!(timers.get(*key).is_none() && timers.get_mut(*key).is_none());
        }
        for key in strangers {
            assert_eq!(timers.deadline(key), Some(u64::MAX));
            timers.cancel(key);
        }
    }
}

/// T4: what is left fires later, and each value is dropped once.
#[test]
fn a_panic_while_firing_leaves_a_queue_that_works() {
    let (counter, mut timers) = (Rc::new(()), TimerQueue::new());
    let keys: Vec<Key> = (0..10).map(|deadline| timers.insert(deadline, (deadline, Rc::clone(&counter)))).collect();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        timers.expire(9, |(deadline, _)| assert!(deadline != 4, "this one panics"));
    }));
    assert!(panicked.is_err());
    assert_eq!((timers.len(), Rc::strong_count(&counter)), (5, 6));
    assert!(timers.cancel(keys[4]).is_none() && timers.cancel(keys[7]).is_some());
    let left: Vec<u64> = expired(&mut timers, 9).into_iter().map(|(deadline, _)| deadline).collect();
    assert_eq!(left, [5, 6, 8, 9]);
    assert_eq!(Rc::strong_count(&counter), 1);
}

/// T4 again: a destructor that panics in `clear`.
#[test]
fn a_panic_while_clearing_leaves_a_queue_that_works() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0, "this one panics");
        }
    }
    let mut timers = TimerQueue::new();
    let keys: Vec<Key> = (0..9).map(|value| timers.insert(value, Bomb(value == 4))).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| timers.clear())).is_err());
    let left = timers.len();
    assert_eq!(keys.iter().filter(|key| timers.get(**key).is_some()).count(), left);
    timers.clear();
    assert!(timers.is_empty() && keys.iter().all(|key| !timers.reset(*key, 0)));
}

/// Never early, equal deadlines in order, at a size at which a quadratic step or a leak would not pass unseen.
#[test]
fn a_million_timers() {
    const COUNT: u64 = 1_000_000;
    let (mut timers, mut random) = (TimerQueue::with_capacity(COUNT as usize), 1_u64);
    let keys: Vec<(Key, u64)> = (0..COUNT)
        .map(|index| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let deadline = (random >> 33) % (COUNT / 4);
            (timers.insert(deadline, (deadline, index)), deadline)
        })
        .collect();
    for (key, deadline) in keys.iter().enumerate().filter(|(index, _)| index % 4 != 0).map(|(_, timer)| timer) {
        assert_eq!(timers.cancel(*key).map(|(value, _)| value), Some(*deadline));
    }
    let (mut fired, mut last) = (0, (0, 0));
    for now in (0..=COUNT / 4).step_by(1000) {
        let due = timers.expire(now, |timer: (u64, u64)| {
            assert!(last <= timer && timer.0 <= now, "{last:?} then {timer:?} at {now}");
            last = timer;
        });
        assert!(timers.next_deadline().is_none_or(|next| next > now));
        fired += due as u64;
    }
    assert_eq!((fired, timers.len()), (COUNT / 4, 0));
}

#[test]
fn keys_are_small_and_the_queue_is_as_sendable_as_its_values() {
    fn check<X: Send + Sync>() {}
    check::<TimerQueue<std::task::Waker>>();
    assert_eq!((size_of::<Key>(), size_of::<Option<Key>>()), (8, 8));
}
