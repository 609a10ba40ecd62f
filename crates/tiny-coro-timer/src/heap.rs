//! The heap backend: exact deadlines, every operation O(log n).

use core::fmt;

use crate::four_heap::{Entry, FourHeap};
use crate::slab::{Key, Slab};

/// Timers in the order of their deadlines, in a heap.
///
/// A deadline is a `u64`, in units and from an origin that the caller chooses; see the [crate's page](crate) for an
/// example, and for what every backend promises.
///
/// A timer takes 24 bytes in the heap, and 8 bytes and an `Option<T>` in the slab: 48 bytes for a
/// [`Waker`](core::task::Waker) on a 64-bit machine. Memory is reused and not given back before the queue is dropped.
pub struct TimerQueue<T> {
    heap: FourHeap,
    slab: Slab<(), T>,
    /// Counts insertions and resets, and never comes round: at one a nanosecond it lasts five hundred years.
    sequence: u64,
}

impl<T> TimerQueue<T> {
    /// Makes an empty queue, without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self { heap: FourHeap::new(), slab: Slab::new(), sequence: 0 }
    }

    /// Makes an empty queue with room for `capacity` timers.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { heap: FourHeap::with_capacity(capacity), slab: Slab::with_capacity(capacity), sequence: 0 }
    }

    /// Sets a timer. It allocates only when there are more timers than ever before.
    ///
    /// # Panics
    ///
    /// With 2³² - 1 timers in the queue.
    pub fn insert(&mut self, deadline: u64, value: T) -> Key {
        let key = self.slab.insert(value);
        let entry = self.entry(deadline, key.slot());
        self.heap.push(&mut self.slab, entry);
        key
    }

    /// Removes a timer and returns its value; `None` if it has fired or been cancelled.
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let slot = self.slab.find(key)?;
        self.heap.remove(&mut self.slab, slot);
        self.slab.remove(slot)
    }

    /// Gives a timer a new deadline, earlier or later; `false` if it has fired or been cancelled.
    ///
    /// Among equal deadlines it takes its place as if it were inserted now.
    pub fn reset(&mut self, key: Key, deadline: u64) -> bool {
        let Some(slot) = self.slab.find(key) else { return false };
        let entry = self.entry(deadline, slot);
        self.heap.replace(&mut self.slab, entry);
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
        self.slab.find(key).map(|slot| self.heap.of(&self.slab, slot).deadline)
    }

    /// Returns the earliest deadline of all, in O(1).
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.heap.first().map(|first| first.deadline)
    }

    /// Removes the first timer whose deadline is `now` or earlier, and returns its value.
    pub fn pop_expired(&mut self, now: u64) -> Option<T> {
        let first = self.heap.first().filter(|first| first.deadline <= now)?.slot;
        self.heap.remove(&mut self.slab, first);
        self.slab.remove(first)
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
    ///
    /// # Panics
    ///
    /// When a value's destructor does: the timers that it had not come to stay in the queue.
    pub fn clear(&mut self) {
        // One at a time, so that the queue is whole while a destructor runs (T4); from the end, where nothing has to move.
        while let Some(last) = self.heap.last().map(|last| last.slot) {
            self.heap.remove(&mut self.slab, last);
            drop(self.slab.remove(last));
        }
    }

    #[inline]
    fn entry(&mut self, deadline: u64, slot: u32) -> Entry {
        self.sequence += 1;
        Entry { deadline, sequence: self.sequence, slot }
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
