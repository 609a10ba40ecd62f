//! The wheel backend: exact deadlines, every operation O(1), amortised.

mod levels;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::fmt;

use crate::four_heap::{Entry, FourHeap};
use crate::slab::{Key, NONE, Slab};
use levels::{Levels, Timer};

/// How many timers the front may have, if their deadlines differ, before the horizon moves back.
const FRONT: usize = 64;

/// The longest list that is sorted as it is, rather than dealt out to finer slots.
const SHORT: usize = 16;

/// Timers in the order of their deadlines, in a hierarchical wheel.
///
/// A deadline is a `u64`, in units and from an origin that the caller chooses; see the [crate's page](crate) for an
/// example, for how it works, and for what every backend promises. A unit should be short against the time-outs, as a nanosecond
/// is: timers of one tick are told apart by a heap, which is the slow way.
///
/// A timer takes 24 bytes and an `Option<T>`: 40 bytes for a [`Waker`](core::task::Waker) on a 64-bit machine; and 24 bytes while it is
/// one of the next to fire. The queue itself takes 3 kB. Memory is reused and not given back before the queue is dropped.
pub struct TimerQueue<T> {
    /// The timers up to the horizon, in order (W1); empty only if there is no timer at all (W2).
    front: FourHeap,
    /// The timers after the horizon (W1).
    levels: Levels,
    slab: Slab<Timer, T>,
    horizon: u64,
    /// The greatest length of the front before the horizon moves back.
    limit: usize,
    len: usize,
    /// Counts insertions and resets, and comes round by `renumber`.
    sequence: u32,
}

impl<T> TimerQueue<T> {
    /// Makes an empty queue, without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            front: FourHeap::new(),
            levels: Levels::new(),
            slab: Slab::new(),
            horizon: 0,
            limit: FRONT,
            len: 0,
            sequence: 0,
        }
    }

    /// Makes an empty queue with room for `capacity` timers, wherever they are.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { front: FourHeap::with_capacity(capacity), slab: Slab::with_capacity(capacity), ..Self::new() }
    }

    /// Sets a timer. It allocates only when there are more timers than ever before, or more of them in the front; or when
    /// more levels are set aside than ever before, each of which saves the sorting of a list; and once in 2³² insertions and resets, to count anew.
    ///
    /// # Panics
    ///
    /// With 2³² - 1 timers in the queue.
    pub fn insert(&mut self, deadline: u64, value: T) -> Key {
        let key = self.slab.insert(value);
        if self.len == 0 {
            self.horizon = deadline;
        }
        self.len += 1;
        self.enter(key.slot(), deadline);
        key
    }

    /// Removes a timer and returns its value; `None` if it has fired or been cancelled.
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let slot = self.slab.find(key)?;
        self.leave(slot);
        self.forget(slot)
    }

    /// Gives a timer a new deadline, earlier or later; `false` if it has fired or been cancelled.
    ///
    /// Among equal deadlines it takes its place as if it were inserted now.
    pub fn reset(&mut self, key: Key, deadline: u64) -> bool {
        let Some(slot) = self.slab.find(key) else { return false };
        let old = self.slab.at(slot).node.deadline;
        if old > self.horizon && self.levels.is_same_list(old, deadline, self.horizon) {
            self.date(slot, deadline);
            return true;
        }
        self.leave(slot);
        self.enter(slot, deadline);
        if self.front.is_empty() {
            self.advance();
        }
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
        self.slab.find(key).map(|slot| self.slab.at(slot).node.deadline)
    }

    /// Returns the earliest deadline of all, in O(1).
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.front.first().map(|first| first.deadline)
    }

    /// Removes the first timer whose deadline is `now` or earlier, and returns its value.
    pub fn pop_expired(&mut self, now: u64) -> Option<T> {
        let first = self.front.first().filter(|first| first.deadline <= now)?.slot;
        self.front.remove(&mut self.slab, first);
        self.forget(first)
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
        self.len
    }

    /// Whether there is no timer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes all timers, and keeps the memory. All keys become stale.
    ///
    /// # Panics
    ///
    /// When a value's destructor does: the timers that it had not come to stay in the queue.
    pub fn clear(&mut self) {
        // One at a time, so that the queue is whole while a destructor runs (T4).
        while let Some(last) = self.front.last().map(|last| last.slot) {
            self.front.remove(&mut self.slab, last);
            drop(self.forget(last));
        }
    }

    /// Puts a timer that is nowhere where its deadline belongs (W1).
    #[inline]
    fn enter(&mut self, slot: u32, deadline: u64) {
        self.date(slot, deadline);
        if deadline > self.horizon {
            self.levels.insert(&mut self.slab, slot, self.horizon);
        } else {
            self.enter_front(slot, deadline);
        }
    }

    #[inline(never)]
    fn enter_front(&mut self, slot: u32, deadline: u64) {
        self.front.push(&mut self.slab, Entry { deadline, sequence: u64::from(self.sequence), slot });
        if self.front.len() > self.limit {
            self.retreat();
        }
    }

    #[inline]
    fn date(&mut self, slot: u32, deadline: u64) {
        if self.sequence == u32::MAX {
            self.renumber();
        }
        self.sequence += 1;
        let timer = &mut self.slab.at_mut(slot).node;
        timer.deadline = deadline;
        timer.sequence = self.sequence;
    }

    /// Counts the timers anew, in their order, so that nobody notices that the numbers come round: once in four thousand million
    /// insertions and resets. In return a number has half a word's bytes.
    #[cold]
    #[inline(never)]
    fn renumber(&mut self) {
        let mut slots: Vec<u32> = self.slab.occupied().collect();
        slots.sort_unstable_by_key(|slot| self.slab.at(*slot).node.sequence);
        self.sequence = 0;
        for slot in slots {
            self.sequence += 1;
            self.slab.at_mut(slot).node.sequence = self.sequence;
        }
        self.front.renumber(|slot| u64::from(self.slab.at(slot).node.sequence));
    }

    /// Takes a timer out of the front or its list.
    #[inline]
    fn leave(&mut self, slot: u32) {
        if self.slab.at(slot).node.deadline > self.horizon {
            self.levels.remove(&mut self.slab, slot, self.horizon);
        } else {
            self.front.remove(&mut self.slab, slot);
        }
    }

    /// Gives up the slot of a timer that has left, once there is a front again (W2).
    #[inline]
    fn forget(&mut self, slot: u32) -> Option<T> {
        if self.front.is_empty() {
            self.advance();
        }
        self.len -= 1;
        self.slab.remove(slot)
    }

    /// Moves the horizon on until the front has timers again, if there are any.
    #[cold]
    #[inline(never)]
    fn advance(&mut self) {
        while self.front.is_empty() {
            let Some((range, mut next)) = self.levels.take_first(&mut self.horizon) else { return };
            let whole = range.start() == range.end() || self.is_short(next);
            self.horizon = if whole { *range.end() } else { *range.start() };
            while next != NONE {
                let slot = next;
                let at = self.slab.at(slot);
                let (deadline, sequence) = (at.node.deadline, u64::from(at.node.sequence));
                debug_assert!(range.contains(&deadline), "W3");
                next = at.link;
                if deadline > self.horizon {
                    self.levels.insert(&mut self.slab, slot, self.horizon);
                } else {
                    self.front.push_last(Entry { deadline, sequence, slot });
                }
            }
        }
        self.front.rebuild(&mut self.slab);
        self.limit = FRONT.max(2 * self.front.len());
    }

    fn is_short(&self, mut slot: u32) -> bool {
        for _ in 0..SHORT {
            slot = self.slab.at(slot).link;
            if slot == NONE {
                return true;
            }
        }
        false
    }

    /// Moves the horizon back to the earliest deadline.
    #[cold]
    #[inline(never)]
    fn retreat(&mut self) {
        if let Some(horizon) = self.next_deadline()
            && horizon < self.horizon
        {
            self.levels.set_aside(self.horizon, horizon);
            self.horizon = horizon;
            self.front.retain(|entry| {
                let stays = entry.deadline <= horizon;
                if !stays {
                    self.levels.insert(&mut self.slab, entry.slot, horizon);
                }
                stays
            });
            self.front.rebuild(&mut self.slab);
        }
        // Where all are equal, the front has to be longer.
        self.limit = FRONT.max(2 * self.front.len());
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
