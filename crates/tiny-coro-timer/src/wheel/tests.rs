//! The wheel from inside: every link, bit and place, after each of many operations.

use alloc::vec::Vec;

use super::{FRONT, TimerQueue};
use crate::slab::Key;

/// Fails unless the queue is whole: T1 and T2 in the front, W1 to W4.
fn audit<T>(timers: &TimerQueue<T>) {
    timers.front.audit(&timers.slab);
    timers.front.slots().for_each(|slot| assert!(timers.slab.at(slot).node.deadline <= timers.horizon, "W1"));
    let listed = timers.levels.audit(&timers.slab, timers.horizon);
    assert_eq!(timers.len, timers.front.len() + listed);
    assert!(timers.len == 0 || !timers.front.is_empty(), "W2");
    assert!(timers.front.len() <= timers.limit);
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn every_link_is_right_after_every_operation() {
    let (mut timers, mut random) = (TimerQueue::new(), Random(0x9E37_79B9));
    let mut keys: Vec<Key> = Vec::new();
    let mut now = 0;
    for _ in 0..20_000 {
        let range = 1 << random.below(40);
        let deadline = now + random.below(range);
        let any = random.below(keys.len() as u64 + 1) as usize;
        match (random.below(16), keys.get(any).copied()) {
            (0..6, _) | (_, None) => keys.push(timers.insert(deadline, ())),
            (6..12, Some(_)) => drop(timers.cancel(keys.swap_remove(any))),
            (12..15, Some(key)) => assert_eq!(timers.reset(key, deadline), timers.get(key).is_some()),
            _ => {
                now += range / 64;
                timers.expire(now, drop);
            }
        }
        audit(&timers);
    }
    timers.clear();
    audit(&timers);
}

/// The example on the crate's page.
#[test]
fn the_example_is_true() {
    let mut timers = TimerQueue::new();
    let mut fired = Vec::new();
    let expect = |timers: &TimerQueue<_>, horizon, front, next| {
        assert_eq!((timers.horizon, timers.front.len(), timers.next_deadline()), (horizon, front, Some(next)));
        audit(timers);
    };
    timers.insert(70, 'A');
    expect(&timers, 64 + 6, 1, 70);
    let b = timers.insert(75, 'B');
    expect(&timers, 64 + 6, 1, 70);
    timers.insert(200, 'C');
    timers.insert(210, 'D');
    expect(&timers, 64 + 6, 1, 70);
    timers.insert(60, 'E');
    expect(&timers, 64 + 6, 2, 60);
    assert_eq!(timers.cancel(b), Some('B'));
    expect(&timers, 64 + 6, 2, 60);
    assert_eq!(timers.expire(100, |timer| fired.push(timer)), 2);
    assert_eq!(fired, ['E', 'A']);
    expect(&timers, 3 * 64 + 63, 2, 200);
}

/// T1: equal deadlines keep their order when the numbers of insertions come round, in the front and in the lists.
#[test]
fn the_numbers_come_round() {
    for last in [0, 1, 30, 55] {
        let mut timers = TimerQueue::new();
        let mut expected = Vec::new();
        for number in 0..100_u32 {
            if number == last {
                timers.sequence = u32::MAX - 40;
            }
            // Three crowds of equal deadlines: the front's, and two in lists.
            let deadline = [10, 1_000, 1 << 40][number as usize % 3];
            expected.push((deadline, number));
            timers.insert(deadline, number);
            audit(&timers);
        }
        expected.sort_unstable();
        let mut fired = Vec::new();
        while let Some(deadline) = timers.next_deadline() {
            fired.push((deadline, timers.pop_expired(deadline).unwrap()));
            audit(&timers);
        }
        assert_eq!(fired, expected);
        assert!(timers.sequence < 1_000, "they have come round");
    }
}

/// Timers at `from`, `from` + 1, … as far as `count` goes.
fn fill(timers: &mut TimerQueue<()>, from: u64, count: u64) {
    for deadline in from..from + count {
        timers.insert(deadline, ());
    }
}

#[test]
fn the_horizon_moves_back_for_a_crowd_before_it() {
    let mut timers = TimerQueue::new();
    fill(&mut timers, 1 << 40, 1);
    fill(&mut timers, 1_000, FRONT as u64 - 1);
    assert_eq!((timers.front.len(), timers.horizon), (FRONT, 1 << 40));
    timers.insert(500, ());
    assert_eq!((timers.front.len(), timers.horizon), (1, 500));
    audit(&timers);
}

/// What has been sorted of the far timers stays so, however often the horizon comes and goes, and wherever others come in between.
#[test]
fn the_levels_after_the_horizon_are_set_aside_and_taken_up() {
    const FAR: u64 = 0x0123_4567_89AB_CDEF;
    let mut timers = TimerQueue::new();
    let first = timers.insert(0, ());
    fill(&mut timers, FAR, 4_999);
    let last = timers.insert(FAR + 4_999, ());
    timers.cancel(first);
    audit(&timers);
    let mut stored = 0;
    for round in 0..20 {
        assert_eq!(timers.next_deadline(), Some(FAR));
        fill(&mut timers, 1_000 * round, 2 * FRONT as u64);
        audit(&timers);
        assert!(timers.horizon < FAR && timers.front.len() <= FRONT);
        // Into the levels that were set aside, at each distance; and out again, but the last.
        let between = (0..56).map(|size| timers.insert(FAR + (1 << size), ())).collect::<Vec<_>>();
        audit(&timers);
        between.into_iter().skip(1).for_each(|key| assert!(timers.cancel(key).is_some()));
        // From one of their slots to another.
        assert!(timers.reset(last, FAR + 1_000) && timers.reset(last, FAR + 4_000 + round));
        audit(&timers);
        assert_eq!(timers.expire(1_000 * round + 999, drop), 2 * FRONT);
        audit(&timers);
        stored = if round == 0 { timers.levels.stored() } else { stored };
    }
    assert!(stored > 0 && timers.levels.stored() == stored, "levels are used again");
    assert_eq!(timers.expire(u64::MAX, drop), 5_020);
    audit(&timers);
}

#[test]
fn a_reset_within_a_slot_moves_nothing() {
    let mut timers = TimerQueue::new();
    fill(&mut timers, 0, 1);
    let key = timers.insert(5 << 30, ());
    let deadline = (5 << 30) + 12_345;
    assert!(timers.levels.is_same_list(5 << 30, deadline, timers.horizon));
    assert!(timers.reset(key, deadline));
    assert_eq!(timers.deadline(key), Some(deadline));
    audit(&timers);
}
