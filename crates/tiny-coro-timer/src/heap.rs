//! The heap backend: exact deadlines, every operation O(log n).
//!
//! A min-heap with four children a node. It is half as deep as a binary heap, and the children of a node lie side by side, so
//! that a pop, which looks at all of them on every level, touches about half as many cache lines. The array holds what is compared;
//! the values stay where they are in the slab, which a move touches only to write down the new position.

use alloc::vec::Vec;
use core::fmt;

use crate::slab::{Key, Slab};

const CHILDREN: usize = 4;

/// Timers in the order of their deadlines.
///
/// A deadline is a `u64`, in units and from an origin that the caller chooses; see the [crate's page](crate) for an
/// example, and for what every backend promises.
///
/// A timer takes 24 bytes in the heap, and 8 bytes and an `Option<T>` in the slab: 48 bytes for a
/// [`Waker`](core::task::Waker) on a 64-bit machine. Memory is reused and not given back before the queue is dropped.
pub struct TimerQueue<T> {
    /// No entry comes before its parent (T1).
    heap: Vec<Entry>,
    slab: Slab<T>,
    /// Counts insertions and resets, and never comes round: at one a nanosecond it lasts five hundred years.
    sequence: u64,
}

/// What is compared, and whose it is.
#[derive(Clone, Copy, Debug)]
struct Entry {
    deadline: u64,
    sequence: u64,
    slot: u32,
}

impl Entry {
    /// The order: the deadline, then the age. One number, since which of two timers is first cannot be predicted: a
    /// comparison of field after field is a branch, and most of the time of a pop goes into mispredicting it.
    #[inline]
    fn order(&self) -> u128 {
        u128::from(self.deadline) << 64 | u128::from(self.sequence)
    }
}

impl<T> TimerQueue<T> {
    /// Makes an empty queue, without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self { heap: Vec::new(), slab: Slab::new(), sequence: 0 }
    }

    /// Makes an empty queue with room for `capacity` timers.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { heap: Vec::with_capacity(capacity), slab: Slab::with_capacity(capacity), sequence: 0 }
    }

    /// Sets a timer. It allocates only when there are more timers than ever before.
    ///
    /// # Panics
    ///
    /// With 2³² - 1 timers in the queue.
    pub fn insert(&mut self, deadline: u64, value: T) -> Key {
        let key = self.slab.insert(value);
        let entry = self.entry(deadline, key.slot());
        self.heap.push(entry);
        self.sift_up(self.heap.len() - 1, entry);
        key
    }

    /// Removes a timer and returns its value; `None` if it has fired or been cancelled.
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let position = self.slab.position(key)?;
        self.remove_at(position)
    }

    /// Gives a timer a new deadline, earlier or later; `false` if it has fired or been cancelled.
    ///
    /// Among equal deadlines it takes its place as if it were inserted now.
    pub fn reset(&mut self, key: Key, deadline: u64) -> bool {
        let Some(position) = self.slab.position(key) else { return false };
        let entry = self.entry(deadline, key.slot());
        self.replace_at(position, entry);
        true
    }

    /// Returns a timer's value.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.slab.get(key)
    }

    /// Returns a timer's value, to change it.
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.slab.get_mut(key)
    }

    /// Returns a timer's deadline.
    #[must_use]
    pub fn deadline(&self, key: Key) -> Option<u64> {
        self.slab.position(key).map(|position| self.heap[position].deadline)
    }

    /// Returns the earliest deadline of all, in O(1).
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.heap.first().map(|entry| entry.deadline)
    }

    /// Removes the first timer whose deadline is `now` or earlier, and returns its value.
    pub fn pop_expired(&mut self, now: u64) -> Option<T> {
        if self.next_deadline()? <= now { self.remove_at(0) } else { None }
    }

    /// Removes all timers whose deadline is `now` or earlier, calls `fired` with the value of each in the order of their
    /// deadlines, and returns how many there were.
    ///
    /// # Panics
    ///
    /// When `fired` does: the timers that it has not been called for stay in the queue.
    pub fn expire(&mut self, now: u64, mut fired: impl FnMut(T)) -> usize {
        let mut count = 0;
        while let Some(value) = self.pop_expired(now) {
            count += 1;
            fired(value);
        }
        count
    }

    /// Returns the number of timers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is no timer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Removes all timers, and keeps the memory. All keys become stale.
    pub fn clear(&mut self) {
        // One at a time, from the end, so that the queue is whole while a value's destructor runs: it may panic.
        while let Some(last) = self.heap.pop() {
            drop(self.slab.remove(last.slot));
        }
    }

    fn entry(&mut self, deadline: u64, slot: u32) -> Entry {
        self.sequence += 1;
        Entry { deadline, sequence: self.sequence, slot }
    }

    fn remove_at(&mut self, position: usize) -> Option<T> {
        let removed = self.heap[position].slot;
        let last = self.heap.pop()?;
        if position < self.heap.len() {
            self.replace_at(position, last);
        }
        self.slab.remove(removed)
    }

    /// Puts `entry` in the place of the one at `position`, and moves it to where it belongs.
    fn replace_at(&mut self, position: usize, entry: Entry) {
        if entry.order() < self.heap[position].order() {
            self.sift_up(position, entry);
        } else {
            self.sift_down(position, entry);
        }
    }

    /// Moves the hole at `hole` towards the root, past all that come after `entry`, and fills it.
    fn sift_up(&mut self, mut hole: usize, entry: Entry) {
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if self.heap[parent].order() < entry.order() {
                break;
            }
            self.place(hole, self.heap[parent]);
            hole = parent;
        }
        self.place(hole, entry);
    }

    /// Moves the hole at `hole` towards the leaves, past all that come before `entry`, and fills it.
    fn sift_down(&mut self, mut hole: usize, entry: Entry) {
        loop {
            let first = hole * CHILDREN + 1;
            let end = (first + CHILDREN).min(self.heap.len());
            let Some(child) = (first..end).min_by_key(|child| self.heap[*child].order()) else { break };
            if entry.order() < self.heap[child].order() {
                break;
            }
            self.place(hole, self.heap[child]);
            hole = child;
        }
        self.place(hole, entry);
    }

    /// The only place that moves an entry, so that the slab always knows where it is (T2).
    #[inline]
    fn place(&mut self, position: usize, entry: Entry) {
        self.heap[position] = entry;
        self.slab.set_position(entry.slot, position);
    }
}

impl<T> Default for TimerQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for TimerQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerQueue").field("len", &self.len()).field("next_deadline", &self.next_deadline()).finish()
    }
}
