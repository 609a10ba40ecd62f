//! A min-heap with four children a node, whose entries can be found.
//!
//! It is half as deep as a binary heap, and the children of a node lie side by side, so that a removal, which looks at all of them
//! on every level, touches about half as many cache lines. The array holds what is compared; the values stay where
//! they are in the slab, of which a move touches only the link, to write down the new position.

use alloc::vec::Vec;

use crate::slab::Slab;

const CHILDREN: usize = 4;

/// The heap. The slab's link of each timer in it is its position (T2).
#[derive(Debug)]
pub(crate) struct FourHeap {
    /// No entry comes before its parent (T1), but between [`push_last`](Self::push_last) and [`rebuild`](Self::rebuild).
    entries: Vec<Entry>,
}

/// What is compared, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) deadline: u64,
    pub(crate) sequence: u64,
    pub(crate) slot: u32,
}

impl Entry {
    /// The order: the deadline, then the age. One number, since which of two timers is first cannot be predicted: a
    /// comparison of field after field is a branch, and most of the time of a removal goes into mispredicting it.
    #[inline]
    fn order(&self) -> u128 {
        u128::from(self.deadline) << 64 | u128::from(self.sequence)
    }
}

impl FourHeap {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity) }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first in the order.
    #[inline]
    pub(crate) fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// The last in the array: the cheapest to remove.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// The entry of a timer that is in the heap.
    pub(crate) fn of<N: Default, T>(&self, slab: &Slab<N, T>, slot: u32) -> &Entry {
        &self.entries[slab.at(slot).link as usize]
    }

    #[inline]
    pub(crate) fn push<N: Default, T>(&mut self, slab: &mut Slab<N, T>, entry: Entry) {
        self.entries.push(entry);
        self.sift_up(slab, self.entries.len() - 1, entry);
    }

    /// Takes out the entry of a timer that is in the heap.
    #[inline]
    pub(crate) fn remove<N: Default, T>(&mut self, slab: &mut Slab<N, T>, slot: u32) {
        let position = slab.at(slot).link as usize;
        let Some(last) = self.entries.pop() else { return };
        if position < self.entries.len() {
            self.put(slab, position, last);
        }
    }

    /// Puts `entry` in the place of the one of the same timer.
    pub(crate) fn replace<N: Default, T>(&mut self, slab: &mut Slab<N, T>, entry: Entry) {
        let position = slab.at(entry.slot).link as usize;
        self.put(slab, position, entry);
    }

    /// Puts `entry` in the place of the one at `position`, and moves it to where it belongs.
    fn put<N: Default, T>(&mut self, slab: &mut Slab<N, T>, position: usize, entry: Entry) {
        if entry.order() < self.entries[position].order() {
            self.sift_up(slab, position, entry);
        } else {
            self.sift_down(slab, position, entry);
        }
    }

    /// Adds an entry of many, wherever it belongs: [`rebuild`](Self::rebuild) follows.
    pub(crate) fn push_last(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Takes out all entries that `keep` refuses: [`rebuild`](Self::rebuild) follows.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }

    /// Gives each entry another sequence, in the same order.
    pub(crate) fn renumber(&mut self, sequence: impl Fn(u32) -> u64) {
        self.entries.iter_mut().for_each(|entry| entry.sequence = sequence(entry.slot));
    }

    /// Makes a heap of entries in any order, in O(n).
    pub(crate) fn rebuild<N: Default, T>(&mut self, slab: &mut Slab<N, T>) {
        for position in (0..self.entries.len()).rev() {
            self.sift_down(slab, position, self.entries[position]);
        }
    }

    /// Moves the hole at `hole` towards the root, past all that come after `entry`, and fills it.
    ///
    /// Always inlined: otherwise the entry goes through memory, where it is written in parts and read as a whole, and a
    /// processor waits for that longer than an insertion takes.
    #[inline(always)]
    fn sift_up<N: Default, T>(&mut self, slab: &mut Slab<N, T>, mut hole: usize, entry: Entry) {
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if self.entries[parent].order() < entry.order() {
                break;
            }
            self.place(slab, hole, self.entries[parent]);
            hole = parent;
        }
        self.place(slab, hole, entry);
    }

    /// Moves the hole at `hole` towards the leaves, past all that come before `entry`, and fills it.
    fn sift_down<N: Default, T>(&mut self, slab: &mut Slab<N, T>, mut hole: usize, entry: Entry) {
        loop {
            let first = hole * CHILDREN + 1;
            let end = (first + CHILDREN).min(self.entries.len());
            let Some(child) = (first..end).min_by_key(|child| self.entries[*child].order()) else { break };
            if entry.order() < self.entries[child].order() {
                break;
            }
            self.place(slab, hole, self.entries[child]);
            hole = child;
        }
        self.place(slab, hole, entry);
    }

    /// The only place that moves an entry, so that the slab always knows where it is (T2).
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the heap has no more entries than there are slots")]
    fn place<N: Default, T>(&mut self, slab: &mut Slab<N, T>, position: usize, entry: Entry) {
        self.entries[position] = entry;
        slab.at_mut(entry.slot).link = position as u32;
    }
}

#[cfg(test)]
impl FourHeap {
    /// Fails unless T1 and T2 hold.
    pub(crate) fn audit<N: Default, T>(&self, slab: &Slab<N, T>) {
        for (position, entry) in self.entries.iter().enumerate() {
            assert_eq!(slab.at(entry.slot).link as usize, position, "T2");
            assert!(position == 0 || self.entries[(position - 1) / CHILDREN].order() < entry.order(), "T1");
        }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|entry| entry.slot)
    }
}
