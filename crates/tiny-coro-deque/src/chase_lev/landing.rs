//! Where a batch lands.

use crate::element::{self, Element, Word};

use super::worker::{Flavor, Worker};

/// The free slots of a worker in which a batch lands, unseen until it is published.
///
/// The caller has the worker's thread, so nothing else is pushed meanwhile. Dropping it forgets what has landed.
pub(crate) struct Landing<'a, T> {
    dest: &'a Worker<T>,
    start: usize,
    count: usize,
}

impl<'a, T> Landing<'a, T> {
    /// Makes room for `room` elements.
    pub(crate) fn new(dest: &'a Worker<T>, room: usize) -> Self {
        // Again, because a reservation may call deferred functions that push there.
        while !dest.has_room(room) {
            dest.reserve(room);
        }
        Self { dest, start: dest.next_index(), count: 0 }
    }

    /// Adds what is in a slot: an element, or what may turn out to be none.
    pub(super) fn copy(&mut self, slot: &[Word]) {
        // ORDERING D2: relaxed. `publish` publishes it.
        element::copy(slot, self.slot(self.count));
        self.count += 1;
    }

    /// Adds an element.
    pub(crate) fn push(&mut self, element: T) {
        // ORDERING D2: relaxed. `publish` publishes it.
        Element::new(element).store(self.slot(self.count));
        self.count += 1;
    }

    fn slot(&self, offset: usize) -> &[Word] {
        self.dest.slot(self.start.wrapping_add(offset))
    }

    /// Makes the elements the worker's: it pops them as the owner of a deque of the flavour `source` would have,
    /// which for a worker of the other flavour is the wrong way round.
    ///
    /// # Safety
    ///
    /// What has landed are elements that belong to the caller, in the order in which they were pushed.
    pub(crate) unsafe fn publish(self, source: Flavor) {
        if self.dest.flavor() != source {
            for offset in 0..self.count / 2 {
                let (one, other) = (self.slot(offset), self.slot(self.count - 1 - offset));
                let element = Element::<T>::load(one);
                element::copy(other, one);
                element.store(other);
            }
        }
        self.dest.advance(self.start.wrapping_add(self.count));
    }
}
