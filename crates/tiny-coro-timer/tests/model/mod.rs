//! The obvious implementation: an ordered map from (deadline, age) to the timer's number.

use std::collections::BTreeMap;

/// Timers whose numbers the caller chooses: small ones, and each for one timer at a time.
#[derive(Debug, Default)]
pub(crate) struct Model {
    order: BTreeMap<(u64, u64), usize>,
    /// By the timer's number: its place in `order`, while it is there.
    places: Vec<Option<(u64, u64)>>,
    age: u64,
}

impl Model {
    pub(crate) fn insert(&mut self, number: usize, deadline: u64) {
        self.age += 1;
        self.places.resize(self.places.len().max(number + 1), None);
        self.places[number] = Some((deadline, self.age));
        self.order.insert((deadline, self.age), number);
    }

    pub(crate) fn cancel(&mut self, number: usize) -> Option<usize> {
        let place = self.places[number].take()?;
        self.order.remove(&place)
    }

    pub(crate) fn reset(&mut self, number: usize, deadline: u64) -> bool {
        let there = self.cancel(number).is_some();
        if there {
            self.insert(number, deadline);
        }
        there
    }

    pub(crate) fn pop_expired(&mut self, now: u64) -> Option<usize> {
        let number = *self.order.first_key_value().filter(|((deadline, _), _)| *deadline <= now)?.1;
        self.cancel(number)
    }

    pub(crate) fn deadline(&self, number: usize) -> Option<u64> {
        self.places[number].map(|(deadline, _)| deadline)
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.order.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
