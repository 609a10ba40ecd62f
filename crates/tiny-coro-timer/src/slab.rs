//! Where the values live, and the keys that name them.

use alloc::vec::Vec;
use core::num::NonZeroU32;

/// Names one timer of one queue, for [`cancel`](crate::TimerQueue::cancel) and [`reset`](crate::TimerQueue::reset).
///
/// A key is used up when its timer fires or is cancelled; from then on it names nothing, even when the memory is used again for
/// another timer (T3). A key means nothing to another queue. It has 8 bytes, an `Option<Key>` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    slot: u32,
    generation: NonZeroU32,
}

/// The end of the list of vacant slots.
const NONE: u32 = u32::MAX;

/// The values, at places that do not move while the heap's entries do.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    first_vacant: u32,
}

#[derive(Debug)]
struct Slot<T> {
    /// Which use of the slot this is, or the next one will be (T3).
    generation: NonZeroU32,
    /// Occupied: where the timer stands in the heap (T2). Vacant: the next vacant slot.
    link: u32,
    /// `None` in a vacant slot.
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), first_vacant: NONE }
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { slots: Vec::with_capacity(capacity), first_vacant: NONE }
    }

    /// Stores `value`; the most recently vacated slot is the first choice, since it is the likeliest in the cache.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        let slot = self.first_vacant;
        if let Some(vacant) = self.slots.get_mut(slot as usize) {
            self.first_vacant = vacant.link;
            vacant.value = Some(value);
            return Key { slot, generation: vacant.generation };
        }
        let slot = u32::try_from(self.slots.len()).ok().filter(|slot| *slot != NONE);
        let slot = slot.expect("a timer queue has room for 2^32 - 1 timers");
        self.slots.push(Slot { generation: NonZeroU32::MIN, link: 0, value: Some(value) });
        Key { slot, generation: NonZeroU32::MIN }
    }

    /// Empties an occupied slot, and makes its keys stale.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let vacated = self.slots.get_mut(slot as usize)?;
        let value = vacated.value.take()?;
        // A slot whose generations are used up is never used again: 2^32 - 1 uses cost its bytes (T3).
        if let Some(next) = vacated.generation.checked_add(1) {
            vacated.generation = next;
            vacated.link = self.first_vacant;
            self.first_vacant = slot;
        }
        Some(value)
    }

    /// Records where the heap has put a timer (T2).
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the heap has no more entries than there are slots")]
    pub(crate) fn set_position(&mut self, slot: u32, position: usize) {
        self.slots[slot as usize].link = position as u32;
    }

    /// Where the timer stands in the heap; `None` for a stale key.
    pub(crate) fn position(&self, key: Key) -> Option<usize> {
        self.slot(key).map(|slot| slot.link as usize)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.slot(key).and_then(|slot| slot.value.as_ref())
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.generation == key.generation { slot.value.as_mut() } else { None }
    }

    fn slot(&self, key: Key) -> Option<&Slot<T>> {
        let slot = self.slots.get(key.slot as usize)?;
        (slot.generation == key.generation && slot.value.is_some()).then_some(slot)
    }
}

impl Key {
    pub(crate) const fn slot(self) -> u32 {
        self.slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T3: a slot is retired rather than started over, so that no key is ever valid twice.
    #[test]
    fn used_up_slot_is_retired() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        slab.slots[0].generation = NonZeroU32::MAX;
        let last = Key { generation: NonZeroU32::MAX, ..first };
        assert_eq!(slab.remove(last.slot), Some('a'));
        let next = slab.insert('b');
        assert_ne!(next.slot, last.slot);
        assert!(slab.get(first).is_none() && slab.get(last).is_none() && slab.position(last).is_none());
        assert_eq!(slab.remove(last.slot), None);
    }
}
