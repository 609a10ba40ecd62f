//! Where the timers live, and the keys that name them.

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

/// No slot: the end of a list.
pub(crate) const NONE: u32 = u32::MAX;

/// The generation of a slot that is never used again: no key has it.
const USED_UP: u32 = 0;

/// The timers, at places that do not move while a backend moves what points to them.
///
/// `N` is what the backend keeps with each timer, beside the link.
#[derive(Debug)]
pub(crate) struct Slab<N, T> {
    slots: Vec<Slot<N, T>>,
    first_vacant: u32,
}

#[derive(Debug)]
pub(crate) struct Slot<N, T> {
    /// Occupied: the backend's (T2). Vacant: the next vacant slot.
    pub(crate) link: u32,
    /// The backend's, and stale in a vacant slot.
    pub(crate) node: N,
    /// Occupied: the key's. Vacant: the next key's, which nobody has yet (T3).
    generation: u32,
    /// `None` in a vacant slot.
    value: Option<T>,
}

impl<N: Default, T> Slab<N, T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), first_vacant: NONE }
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { slots: Vec::with_capacity(capacity), first_vacant: NONE }
    }

    /// Stores `value`; the most recently vacated slot is the first choice, since it is the likeliest in the cache.
    ///
    /// The link and the node are what they happen to be: whoever inserts sets them in place, which is cheaper than to pass
    /// a node that is written twice.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Key {
        let slot = self.first_vacant;
        if let Some(vacant) = self.slots.get_mut(slot as usize)
            && let Some(generation) = NonZeroU32::new(vacant.generation)
        {
            self.first_vacant = vacant.link;
            vacant.value = Some(value);
            return Key { slot, generation };
        }
        self.grow(value)
    }

    #[cold]
    fn grow(&mut self, value: T) -> Key {
        let slot = u32::try_from(self.slots.len()).ok().filter(|slot| *slot != NONE);
        let slot = slot.expect("a timer queue has room for 2^32 - 1 timers");
        let generation = NonZeroU32::MIN;
        self.slots.push(Slot { link: NONE, node: N::default(), generation: generation.get(), value: Some(value) });
        Key { slot, generation }
    }

    /// Empties an occupied slot, and makes its key stale.
    #[inline]
    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let vacated = self.slots.get_mut(slot as usize)?;
        vacated.generation = vacated.generation.wrapping_add(1);
        // A slot whose generations are used up joins no list: 2^32 - 1 uses cost its bytes (T3).
        if vacated.generation != USED_UP {
            vacated.link = self.first_vacant;
            self.first_vacant = slot;
        }
        vacated.value.take()
    }

    /// The slot of a key's timer; `None` for a stale key.
    #[inline]
    pub(crate) fn find(&self, key: Key) -> Option<u32> {
        let slot = self.slots.get(key.slot as usize)?;
        (slot.generation == key.generation.get()).then_some(key.slot)
    }

    /// The slots of all timers.
    #[expect(clippy::cast_possible_truncation, reason = "`grow` has made sure that a slot's number fits")]
    pub(crate) fn occupied(&self) -> impl Iterator<Item = u32> {
        let numbered = self.slots.iter().enumerate();
        numbered.filter(|(_, slot)| slot.value.is_some()).map(|(number, _)| number as u32)
    }

    #[inline]
    pub(crate) fn at(&self, slot: u32) -> &Slot<N, T> {
        &self.slots[slot as usize]
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: u32) -> &mut Slot<N, T> {
        &mut self.slots[slot as usize]
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.find(key).and_then(|slot| self.at(slot).value.as_ref())
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.find(key).and_then(|slot| self.at_mut(slot).value.as_mut())
    }
}

impl Key {
    /// The key as a number, 2³² or greater: smaller ones are free for who keeps it in a word to mean something else.
    #[inline]
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.generation.get() as u64) << 32 | self.slot as u64
    }

    /// The key that [`to_bits`](Self::to_bits) has made a number of; `None` of a number below 2³².
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the number")]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        match NonZeroU32::new((bits >> 32) as u32) {
            Some(generation) => Some(Self { slot: bits as u32, generation }),
            None => None,
        }
    }

    #[inline]
    pub(crate) const fn slot(self) -> u32 {
        self.slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_a_number() {
        let mut slab: Slab<(), char> = Slab::new();
        for key in [slab.insert('a'), slab.insert('b')] {
            assert_eq!(Key::from_bits(key.to_bits()), Some(key));
            assert!(key.to_bits() > u64::from(u32::MAX));
        }
        assert_eq!((Key::from_bits(0), Key::from_bits(u64::from(u32::MAX))), (None, None));
    }

    /// T3: a slot is retired rather than started over, so that no key is ever valid twice.
    #[test]
    fn used_up_slot_is_retired() {
        let mut slab: Slab<(), char> = Slab::new();
        let first = slab.insert('a');
        let other = slab.insert('o');
        slab.remove(other.slot);
        slab.slots[0].generation = u32::MAX;
        let last = Key { generation: NonZeroU32::MAX, ..first };
        assert_eq!((slab.find(first), slab.find(last)), (None, Some(0)));
        assert_eq!(slab.remove(last.slot), Some('a'));
        assert_eq!(slab.insert('b').slot, other.slot, "which is vacant");
        assert_eq!(slab.insert('c').slot, 2, "which is new");
        assert!(slab.get(first).is_none() && slab.get_mut(last).is_none() && slab.find(last).is_none());
    }
}
