//! What every backend must do. Each test runs on both, whichever has the plain name.

#![cfg(not(tiny_coro_loom))]

mod backend;

use std::any::TypeId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;

use backend::{Backend, Heap, Queue, Wheel};
use tiny_coro_timer::{Key, TimerQueue, heap, wheel};

fn expired<T>(timers: &mut impl Queue<T>, now: u64) -> Vec<T> {
    let mut values = Vec::new();
    let count = timers.expire(now, |value| values.push(value));
    assert_eq!(count, values.len());
    values
}

fn fires_in_order<B: Backend>() {
    let mut timers = B::Queue::default();
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

#[test]
fn fires_what_is_due_in_the_order_of_deadlines() {
    fires_in_order::<Heap>();
    fires_in_order::<Wheel>();
}

fn equal_deadlines<B: Backend>(deadline: u64) {
    let mut timers = B::Queue::default();
    timers.insert(deadline / 2, usize::MAX);
    let keys: Vec<Key> = (0..1000).map(|value| timers.insert(deadline, value)).collect();
    for value in (0..1000).step_by(3) {
        assert!(timers.reset(keys[value], deadline));
    }
    let (moved, kept): (Vec<usize>, Vec<usize>) = (0..1000).partition(|value| value % 3 == 0);
    assert_eq!(expired(&mut timers, deadline), [vec![usize::MAX], kept, moved].concat());
}

/// T1: the order of insertion, in which a reset counts as one, though the deadline stays.
#[test]
fn equal_deadlines_fire_in_the_order_of_insertion() {
    for deadline in [0, 7, 30_000_000_001, u64::MAX] {
        equal_deadlines::<Heap>(deadline);
        equal_deadlines::<Wheel>(deadline);
    }
}

fn ends_of_time<B: Backend>() {
    let mut timers = B::Queue::default();
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
fn the_ends_of_time_are_deadlines() {
    ends_of_time::<Heap>();
    ends_of_time::<Wheel>();
}

/// Deadlines at both sides of each power of two: each level of a wheel, and each carry from one to the next.
fn every_distance<B: Backend>(from: u64) {
    let mut deadlines: Vec<u64> =
        (0..64).flat_map(|size| [-1, 0, 1].map(|more| (1_u64 << size).wrapping_add_signed(more))).collect();
    deadlines.push(u64::MAX);
    deadlines.iter_mut().for_each(|deadline| *deadline = deadline.saturating_add(from));
    let mut timers = B::Queue::default();
    for deadline in deadlines.iter().rev().chain(&deadlines) {
        timers.insert(*deadline, *deadline);
    }
    deadlines.sort_unstable();
    for deadline in deadlines {
        assert_eq!(timers.next_deadline(), Some(deadline));
        assert_eq!(deadline.checked_sub(1).and_then(|early| timers.pop_expired(early)), None);
        assert_eq!([timers.pop_expired(deadline), timers.pop_expired(deadline)], [Some(deadline); 2]);
    }
    assert!(timers.is_empty());
}

#[test]
fn every_distance_is_exact() {
    for from in [0, 63, 1 << 20, 30_000_000_000, (1 << 36) - 1, 1 << 63, u64::MAX - 4096] {
        every_distance::<Heap>(from);
        every_distance::<Wheel>(from);
    }
}

fn time_is_the_callers<B: Backend>() {
    let mut timers = B::Queue::default();
    timers.insert(100, "a");
    timers.insert(1_000, "c");
    assert_eq!(expired(&mut timers, 500), ["a"]);
    timers.insert(50, "b");
    assert_eq!((timers.next_deadline(), timers.len()), (Some(50), 2));
    assert_eq!(expired(&mut timers, 49), Vec::<&str>::new());
    assert_eq!(expired(&mut timers, 50), ["b"]);
    assert_eq!(expired(&mut timers, 0), Vec::<&str>::new());
    assert_eq!(expired(&mut timers, 1_000), ["c"]);
}

/// A clock that goes backwards does no harm, and a deadline before the last `now` is due.
#[test]
fn the_queue_has_no_time_of_its_own() {
    time_is_the_callers::<Heap>();
    time_is_the_callers::<Wheel>();
}

fn cancel_and_reset<B: Backend>() {
    let mut timers = B::Queue::with_capacity(3);
    let [a, b, c] = [10, 20, 30].map(|deadline| timers.insert(deadline, deadline));
    assert_eq!(timers.cancel(b), Some(20));
    assert!(timers.reset(c, 5));
    assert_eq!((timers.next_deadline(), timers.deadline(c), timers.get(c)), (Some(5), Some(5), Some(&30)));
    *timers.get_mut(a).unwrap() = 11;
    assert_eq!(expired(&mut timers, 10), [30, 11]);
    assert!(timers.is_empty());
}

#[test]
fn cancel_and_reset_find_their_timer() {
    cancel_and_reset::<Heap>();
    cancel_and_reset::<Wheel>();
}

/// W2: whatever is cancelled or put off, the next deadline is known at once.
fn next_after_cancel<B: Backend>(cancel: fn(&mut B::Queue<u64>, Key)) {
    let mut timers = B::Queue::default();
    let deadlines = (0..2_000).map(|index| 30_000_000_000 + index * index * 7_919);
    let timers_by_age: Vec<(u64, Key)> =
        deadlines.map(|deadline| (deadline, timers.insert(deadline, deadline))).collect();
    for (deadline, key) in timers_by_age {
        assert_eq!(timers.next_deadline(), Some(deadline));
        // What comes and goes before it changes nothing.
        let hasty = timers.insert(deadline / 2, 0);
        assert_eq!(timers.next_deadline(), Some(deadline / 2));
        timers.cancel(hasty);
        cancel(&mut timers, key);
    }
}

#[test]
fn the_next_deadline_is_exact_after_the_first_is_cancelled_or_reset() {
    next_after_cancel::<Heap>(|timers, key| assert!(timers.cancel(key).is_some()));
    next_after_cancel::<Wheel>(|timers, key| assert!(timers.cancel(key).is_some()));
    next_after_cancel::<Heap>(|timers, key| assert!(timers.reset(key, u64::MAX)));
    next_after_cancel::<Wheel>(|timers, key| assert!(timers.reset(key, u64::MAX)));
}

/// One timer far ahead, then crowds before it: what they do to a wheel's horizon is nobody's business.
fn near_after_far<B: Backend>() {
    let mut timers = B::Queue::default();
    timers.insert(3_600_000_000_000, 0);
    for round in 1..50_u64 {
        let start = round * 1_000_000;
        let keys: Vec<Key> = (0..200).rev().map(|index| timers.insert(start + index * 4_999, start + index)).collect();
        assert_eq!((timers.next_deadline(), timers.len()), (Some(start), 201));
        keys.iter().skip(100).for_each(|key| assert!(timers.cancel(*key).is_some()));
        assert_eq!(timers.next_deadline(), Some(start + 100 * 4_999));
        assert_eq!(expired(&mut timers, start + 1_000_000), (start + 100..start + 200).collect::<Vec<_>>());
    }
    assert_eq!(timers.next_deadline(), Some(3_600_000_000_000));
}

#[test]
fn crowds_of_near_timers_pass_a_far_one() {
    near_after_far::<Heap>();
    near_after_far::<Wheel>();
}

fn stale_keys<B: Backend>() {
    let mut timers = B::Queue::default();
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

/// T3: after firing, cancelling and clearing; even where the memory has a new owner.
#[test]
fn stale_keys_name_nothing() {
    stale_keys::<Heap>();
    stale_keys::<Wheel>();
}

fn panic_while_firing<B: Backend>() {
    let (counter, mut timers) = (Rc::new(()), B::Queue::default());
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

/// T4: what is left fires later, and each value is dropped once.
#[test]
fn a_panic_while_firing_leaves_a_queue_that_works() {
    panic_while_firing::<Heap>();
    panic_while_firing::<Wheel>();
}

struct Bomb(bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0, "this one panics");
    }
}

fn panic_while_clearing<B: Backend>() {
    let mut timers = B::Queue::default();
    let keys: Vec<Key> = (0..90).map(|value| timers.insert(value * value, Bomb(value == 44))).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| timers.clear())).is_err());
    let mut left = timers.len();
    assert_eq!(keys.iter().filter(|key| timers.get(**key).is_some()).count(), left);
    if let Some(key) = keys.iter().find(|key| timers.get(**key).is_some()) {
        assert!(timers.reset(*key, 0));
        assert_eq!(timers.next_deadline(), Some(0));
        left -= timers.expire(0, drop);
        assert_eq!(timers.len(), left);
    }
    timers.clear();
    assert!(timers.is_empty() && timers.next_deadline().is_none() && keys.iter().all(|key| !timers.reset(*key, 0)));
}

/// T4 again: a destructor that panics in `clear`.
#[test]
fn a_panic_while_clearing_leaves_a_queue_that_works() {
    panic_while_clearing::<Heap>();
    panic_while_clearing::<Wheel>();
}

fn a_million<B: Backend>() {
    const COUNT: u64 = 1_000_000;
    let (mut timers, mut random) = (B::Queue::with_capacity(COUNT as usize), 1_u64);
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

/// Never early, equal deadlines in order, at a size at which a quadratic step or a leak would not pass unseen.
#[test]
fn a_million_timers_in_a_heap() {
    a_million::<Heap>();
}

#[test]
fn a_million_timers_in_a_wheel() {
    a_million::<Wheel>();
}

#[test]
fn keys_are_small_and_the_queue_is_as_sendable_as_its_values() {
    fn check<X: Send + Sync>() {}
    check::<heap::TimerQueue<Waker>>();
    check::<wheel::TimerQueue<Waker>>();
    assert_eq!((size_of::<Key>(), size_of::<Option<Key>>()), (8, 8));
}

#[test]
fn the_feature_chooses_what_has_the_plain_name() {
    let chosen = if cfg!(feature = "heap") {
        TypeId::of::<heap::TimerQueue<()>>()
    } else {
        TypeId::of::<wheel::TimerQueue<()>>()
    };
    assert_eq!(TypeId::of::<TimerQueue<()>>(), chosen);
    let mut timers = TimerQueue::new();
    timers.insert(7, ());
    assert_eq!(format!("{timers:?}"), "TimerQueue { len: 1, next_deadline: Some(7) }");
}
