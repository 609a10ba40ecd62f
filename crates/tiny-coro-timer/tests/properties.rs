//! Any list of operations under a virtual clock, against a `BTreeMap`.

#![cfg(not(tiny_coro_loom))]

mod backend;
mod model;

use backend::{Backend, Heap, Queue, Wheel};
use model::Model;
use proptest::prelude::*;
use proptest::sample::Index;
use tiny_coro_timer::Key;

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    /// Many, at equal distances: long lists, and a front that gets too long.
    InsertMany {
        after: u64,
        distance: u64,
        count: u64,
    },
    /// Of any key ever given, most of which are stale after a while.
    Cancel(Index),
    /// A tenth of all keys ever given.
    CancelMany(Index),
    Reset(Index, u64),
    Look(Index),
    PopExpired,
    /// `now` may be earlier than the last one.
    Expire(u64),
    Clear,
}

/// Few values, so that equal deadlines are common; something of each size; and the ends of time.
fn deadline() -> impl Strategy<Value = u64> {
    let of_any_size = (0..64_u32, 0..4_u64).prop_map(|(size, more)| (1_u64 << size).wrapping_add(more).wrapping_sub(2));
    prop_oneof![8 => 0..40_u64, 6 => of_any_size, 1 => Just(0), 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        12 => deadline().prop_map(Step::Insert),
        2 => (deadline(), 0..5_000_u64, 1..150_u64)
            .prop_map(|(after, distance, count)| Step::InsertMany { after, distance, count }),
        4 => index().prop_map(Step::Cancel),
        1 => index().prop_map(Step::CancelMany),
        4 => (index(), deadline()).prop_map(|(key, deadline)| Step::Reset(key, deadline)),
        2 => index().prop_map(Step::Look),
        2 => Just(Step::PopExpired),
        2 => (0..4_u64).prop_map(Step::Expire),
        2 => (10..40_u32).prop_map(|size| Step::Expire(1 << size)),
        1 => prop::bool::weighted(0.1).prop_map(|clear| if clear { Step::Clear } else { Step::PopExpired }),
    ]
}

/// A queue and its model, side by side.
struct Pair<B: Backend> {
    timers: B::Queue<usize>,
    model: Model,
    keys: Vec<Key>,
    now: u64,
}

impl<B: Backend> Pair<B> {
    fn new() -> Self {
        Self { timers: B::Queue::with_capacity(4), model: Model::default(), keys: Vec::new(), now: 0 }
    }

    fn insert(&mut self, after: u64) {
        let (number, deadline) = (self.keys.len(), self.now.saturating_add(after));
        self.keys.push(self.timers.insert(deadline, number));
        self.model.insert(number, deadline);
    }

    fn cancel(&mut self, number: usize) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.timers.cancel(self.keys[number]), self.model.cancel(number));
        Ok(())
    }

    fn look(&mut self, number: usize) -> Result<(), TestCaseError> {
        let (key, expected) = (self.keys[number], self.model.deadline(number));
        prop_assert_eq!(self.timers.deadline(key), expected);
        prop_assert_eq!(self.timers.get(key), expected.map(|_| &number));
        prop_assert_eq!(self.timers.get_mut(key).copied(), expected.map(|_| number));
        Ok(())
    }

    fn expire(&mut self, now: u64) -> Result<(), TestCaseError> {
        let (mut fired, mut expected) = (Vec::new(), Vec::new());
        let count = self.timers.expire(now, |number| fired.push(number));
        while let Some(number) = self.model.pop_expired(now) {
            expected.push(number);
        }
        prop_assert_eq!(count, expected.len());
        prop_assert_eq!(fired, expected);
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let known = self.keys.len();
        match step {
            Step::Insert(after) => self.insert(after),
            Step::InsertMany { after, distance, count } => {
                // From the last to the first, so that each is before the horizon that the ones before it have set.
                (0..count).rev().for_each(|index| self.insert(after.saturating_add(index * distance)));
            }
            Step::Cancel(_) | Step::CancelMany(_) | Step::Reset(..) | Step::Look(_) if known == 0 => {}
            Step::Cancel(index) => self.cancel(index.index(known))?,
            Step::CancelMany(index) => {
                (0..known.div_ceil(10)).try_for_each(|more| self.cancel((index.index(known) + more * 7) % known))?;
            }
            Step::Reset(index, after) => {
                let (number, deadline) = (index.index(known), self.now.saturating_add(after));
                prop_assert_eq!(self.timers.reset(self.keys[number], deadline), self.model.reset(number, deadline));
            }
            Step::Look(index) => self.look(index.index(known))?,
            Step::PopExpired => prop_assert_eq!(self.timers.pop_expired(self.now), self.model.pop_expired(self.now)),
            Step::Expire(0) => self.expire(self.now / 2)?,
            Step::Expire(after) => {
                self.now = self.now.saturating_add(after);
                self.expire(self.now)?;
            }
            Step::Clear => {
                self.timers.clear();
                while self.model.pop_expired(u64::MAX).is_some() {}
            }
        }
        prop_assert_eq!(self.timers.len(), self.model.len());
        prop_assert_eq!(self.timers.next_deadline(), self.model.next_deadline());
        Ok(())
    }
}

fn check<B: Backend>(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut pair = Pair::<B>::new();
    steps.into_iter().try_for_each(|step| pair.step(step))?;
    // What is left is whole: everything fires, in order.
    pair.expire(u64::MAX)?;
    prop_assert!(pair.timers.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// T1 to T3.
    #[test]
    fn any_operations_on_the_heap_agree_with_a_map(steps in prop::collection::vec(step(), 1..200)) {
        check::<Heap>(steps)?;
    }

    /// T1 to T3, W1 to W4.
    #[test]
    fn any_operations_on_the_wheel_agree_with_a_map(steps in prop::collection::vec(step(), 1..200)) {
        check::<Wheel>(steps)?;
    }
}
