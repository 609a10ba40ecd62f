//! Any list of operations under a virtual clock, against a `BTreeMap`.

#![cfg(not(tiny_coro_loom))]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tiny_coro_timer::{Key, TimerQueue};

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    /// Of any key ever given, most of which are stale after a while.
    Cancel(prop::sample::Index),
    Reset(prop::sample::Index, u64),
    Look(prop::sample::Index),
    PopExpired,
    Expire(u64),
    Clear,
}

/// Few values, so that equal deadlines are common; and the ends of time.
fn deadline() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..40_u64, 1 => Just(0), 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => deadline().prop_map(Step::Insert),
        4 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        4 => (any::<prop::sample::Index>(), deadline()).prop_map(|(key, deadline)| Step::Reset(key, deadline)),
        2 => any::<prop::sample::Index>().prop_map(Step::Look),
        2 => Just(Step::PopExpired),
        1 => (0..4_u64).prop_map(Step::Expire),
        1 => prop::bool::weighted(0.1).prop_map(|clear| if clear { Step::Clear } else { Step::PopExpired }),
    ]
}

/// The obvious implementation: an ordered map from (deadline, age) to the timer's number.
#[derive(Default)]
struct Model {
    order: BTreeMap<(u64, usize), usize>,
    /// By the timer's number: its place in `order`, while it is there.
    places: Vec<Option<(u64, usize)>>,
    age: usize,
}

impl Model {
    fn insert(&mut self, deadline: u64) -> usize {
        self.places.push(None);
        let number = self.places.len() - 1;
        self.place(number, deadline);
        number
    }

    fn place(&mut self, number: usize, deadline: u64) {
        self.age += 1;
        self.places[number] = Some((deadline, self.age));
        self.order.insert((deadline, self.age), number);
    }

    fn cancel(&mut self, number: usize) -> Option<usize> {
        let place = self.places[number].take()?;
        self.order.remove(&place)
    }

    fn reset(&mut self, number: usize, deadline: u64) -> bool {
        let there = self.cancel(number).is_some();
        if there {
            self.place(number, deadline);
        }
        there
    }

    fn pop_expired(&mut self, now: u64) -> Option<usize> {
        let number = *self.order.first_key_value().filter(|((deadline, _), _)| *deadline <= now)?.1;
        self.cancel(number)
    }

    fn deadline(&self, number: usize) -> Option<u64> {
        self.places[number].map(|(deadline, _)| deadline)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// T1 to T3.
    #[test]
    fn any_operations_agree_with_a_map(steps in prop::collection::vec(step(), 1..200)) {
        let (mut timers, mut model, mut now) = (TimerQueue::new(), Model::default(), 0_u64);
        let mut keys: Vec<Key> = Vec::new();
        for step in steps {
            match step {
                Step::Insert(after) => {
                    let deadline = now.saturating_add(after);
                    keys.push(timers.insert(deadline, model.insert(deadline)));
                }
                Step::Cancel(_) | Step::Reset(..) | Step::Look(_) if keys.is_empty() => {}
                Step::Cancel(index) => {
                    let number = index.index(keys.len());
                    prop_assert_eq!(timers.cancel(keys[number]), model.cancel(number));
                }
                Step::Reset(index, after) => {
                    let (number, deadline) = (index.index(keys.len()), now.saturating_add(after));
                    prop_assert_eq!(timers.reset(keys[number], deadline), model.reset(number, deadline));
                }
                Step::Look(index) => {
                    let number = index.index(keys.len());
                    let expected = model.deadline(number);
                    prop_assert_eq!(timers.deadline(keys[number]), expected);
                    prop_assert_eq!(timers.get(keys[number]), expected.map(|_| &number));
                }
                Step::PopExpired => prop_assert_eq!(timers.pop_expired(now), model.pop_expired(now)),
                Step::Expire(after) => {
                    now += after;
                    let (mut fired, mut expected) = (Vec::new(), Vec::new());
                    let count = timers.expire(now, |number| fired.push(number));
                    while let Some(number) = model.pop_expired(now) {
                        expected.push(number);
                    }
                    prop_assert_eq!(count, expected.len());
                    prop_assert_eq!(fired, expected);
                }
                Step::Clear => {
                    timers.clear();
                    while model.pop_expired(u64::MAX).is_some() {}
                }
            }
            prop_assert_eq!(timers.len(), model.order.len());
            prop_assert_eq!(timers.next_deadline(), model.order.keys().next().map(|(deadline, _)| *deadline));
        }
        // What is left is whole: everything fires, in order.
        while let Some(number) = model.pop_expired(u64::MAX) {
            prop_assert_eq!(timers.pop_expired(u64::MAX), Some(number));
        }
        prop_assert!(timers.is_empty());
    }
}
