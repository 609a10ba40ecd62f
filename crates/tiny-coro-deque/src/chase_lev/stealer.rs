//! The thieves' side.

use std::{fmt, mem};

use tiny_coro_prim::hint::spin_loop;
use tiny_coro_prim::sync::Arc;

use super::landing::Landing;
use super::shared::{Shared, distance};
use super::worker::{Flavor, Worker};
use crate::Steal;
use crate::element::Element;

/// How long a thief that has lost a race stays away, in [`spin_loop`] hints: some ten to some hundred nanoseconds, depending on the
/// processor. In that time the cache line goes over to the winner, who gets a few elements done. A thief that comes back at once takes
/// the line away again, and likely loses again.
const STAY_AWAY: usize = if cfg!(tiny_coro_loom) { 0 } else { 8 };

#[cold]
fn stay_away() {
    (0..STAY_AWAY).for_each(|_| spin_loop());
}

/// A thief's end of a deque: takes what was pushed first. Cheap to clone, shared by any number of threads.
///
/// A thief that has lost a race waits for a moment, less than a microsecond, before it says [`Steal::Retry`].
///
/// # Examples
///
/// ```
/// use tiny_coro_deque::{Steal, Worker};
///
/// let (busy, idle) = (Worker::fifo(), Worker::fifo());
/// (0..10).for_each(|number| busy.push(number));
///
/// // Half of the ten: one to run at once, four to keep.
/// assert_eq!(busy.stealer().steal_batch_and_pop(&idle), Steal::Success(0));
/// assert_eq!((busy.len(), idle.len()), (5, 4));
/// ```
pub struct Stealer<T> {
    shared: Arc<Shared<T>>,
    flavor: Flavor,
}

// SAFETY: thieves only use atomics and reclamation; what passes from thread to thread are elements.
unsafe impl<T: Send> Send for Stealer<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Stealer<T> {}

impl<T> Stealer<T> {
    /// The largest batch of [`steal_batch`](Self::steal_batch) and [`steal_batch_and_pop`](Self::steal_batch_and_pop).
    pub const MAX_BATCH: usize = 32;

    pub(super) fn new(shared: Arc<Shared<T>>, flavor: Flavor) -> Self {
        Self { shared, flavor }
    }

    /// Takes the element that was pushed first.
    #[inline]
    pub fn steal(&self) -> Steal<T> {
        let top = self.shared.top();
        if distance(self.shared.bottom(), top) <= 0 {
            return Steal::Empty;
        }
        let guard = self.pin();
        let attempt = self.steal_at(top);
        drop(guard);
        if attempt.is_retry() {
            stay_away();
        }
        attempt
    }

    /// Moves up to half of the elements, and at most [`MAX_BATCH`](Self::MAX_BATCH), to `dest`.
    ///
    /// They are those that were pushed first. `dest` then pops them in the order in which their owner would have:
    /// from a FIFO deque the oldest first, from a LIFO deque the youngest. If `dest` is the deque's own worker, nothing
    /// moves.
    pub fn steal_batch(&self, dest: &Worker<T>) -> Steal<()> {
        self.steal_batch_with_limit(dest, Self::MAX_BATCH)
    }

    /// Like [`steal_batch`](Self::steal_batch), but at most `limit`.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_with_limit(&self, dest: &Worker<T>, limit: usize) -> Steal<()> {
        self.steal_batch_counted(dest, limit).map(drop)
    }

    /// Moves a batch to `dest`, as [`steal_batch`](Self::steal_batch) does, and at once takes from it what `dest` would
    /// pop first.
    ///
    /// If `dest` is the deque's own worker, pops.
    pub fn steal_batch_and_pop(&self, dest: &Worker<T>) -> Steal<T> {
        self.steal_batch_with_limit_and_pop(dest, Self::MAX_BATCH)
    }

    /// Like [`steal_batch_and_pop`](Self::steal_batch_and_pop), but at most `limit`, the returned one included.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_with_limit_and_pop(&self, dest: &Worker<T>, limit: usize) -> Steal<T> {
        self.steal_batch_and_pop_counted(dest, limit).map(|(element, _)| element)
    }

    /// Like [`steal_batch_with_limit`](Self::steal_batch_with_limit), and returns how many elements moved.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_counted(&self, dest: &Worker<T>, limit: usize) -> Steal<usize> {
        assert!(limit != 0, "a batch has room for an element");
        if dest.is_of(&self.shared) {
            return if dest.is_empty() { Steal::Empty } else { Steal::Success(0) };
        }
        self.steal_many(dest, limit, false).map(|(_, count)| count)
    }

    /// Like [`steal_batch_with_limit_and_pop`](Self::steal_batch_with_limit_and_pop), and also returns how many
    /// elements were taken, the returned one included.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_and_pop_counted(&self, dest: &Worker<T>, limit: usize) -> Steal<(T, usize)> {
        assert!(limit != 0, "a batch has room for an element");
        if dest.is_of(&self.shared) {
            return dest.pop().map_or(Steal::Empty, |element| Steal::Success((element, 1)));
        }
        self.steal_many(dest, limit, true)
            .map(|(first, count)| (first.expect("a batch with a first element has one"), count))
    }

    /// Returns the number of elements. It may be another one by the time it is used.
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many times the buffer has grown so far.
    pub fn growths(&self) -> u64 {
        self.shared.growths()
    }

    /// Pins, so that the buffer stays; for the race with a LIFO owner also fences, which it needs between the two
    /// indices.
    #[inline]
    fn pin(&self) -> tiny_coro_ebr::Guard {
        match self.flavor {
            // ORDERING D4: the thief's fence, between `top` and `bottom`.
            Flavor::Lifo => tiny_coro_ebr::pin_fenced(),
            Flavor::Fifo => tiny_coro_ebr::pin(),
        }
    }

    /// Takes the element at `top`. The caller is pinned, and has fenced since it read `top`.
    #[inline]
    fn steal_at(&self, top: usize) -> Steal<T> {
        if distance(self.shared.bottom(), top) <= 0 {
            return Steal::Empty;
        }
        // SAFETY: the caller was pinned before this read of the pointer: the buffer stays (D6).
        let buffer = unsafe { &*self.shared.buffer() };
        let element = Element::load(buffer.slot(top));
        if !self.shared.take(top, 1) {
            return Steal::Retry;
        }
        // SAFETY: `bottom` was above `top`, so there was an element in the slot (D2), whole until somebody else takes it
        // (D3), which nobody has (D7).
        Steal::Success(unsafe { element.into_value() })
    }

    fn steal_many(&self, dest: &Worker<T>, limit: usize, and_pop: bool) -> Steal<(Option<T>, usize)> {
        let top = self.shared.top();
        let available = distance(self.shared.bottom(), top);
        if available <= 0 {
            return Steal::Empty;
        }
        let limit = limit.min((available as usize).div_ceil(2));
        let guard = self.pin();
        let attempt = match self.flavor {
            Flavor::Lifo => self.steal_one_by_one(dest, top, limit, and_pop),
            Flavor::Fifo => self.steal_at_once(dest, top, limit, and_pop),
        };
        drop(guard);
        if attempt.is_retry() {
            stay_away();
        }
        attempt
    }

    /// Takes `count` elements with one exchange: the owner pops at `top` too, so while `top` stays all of them are
    /// there.
    fn steal_at_once(&self, dest: &Worker<T>, top: usize, count: usize, and_pop: bool) -> Steal<(Option<T>, usize)> {
        // SAFETY: the caller is pinned: the buffer stays (D6).
        let buffer = unsafe { &*self.shared.buffer() };
        // If `top` is long out of date, so is the count: then the exchange fails, and this only bounds the effort.
        let count = count.min(buffer.capacity());
        let popped = usize::from(and_pop);
        let mut batch = Landing::new(dest, count - popped);
        let first = Element::load(buffer.slot(top));
        for offset in popped..count {
            batch.copy(buffer.slot(top.wrapping_add(offset)));
        }
        if !self.shared.take(top, count) {
            return Steal::Retry;
        }
        // SAFETY: `bottom` was above the whole batch (D2), whole until somebody else takes of it (D3), which nobody has
        // (D7).
        unsafe { batch.publish(Flavor::Fifo) };
        // SAFETY: as above; if it is to be popped it has not landed.
        let first = and_pop.then(|| unsafe { first.into_value() });
        Steal::Success((first, count))
    }

    /// Takes up to `limit` elements one after the other: the owner may at any time come up to `top` from below.
    fn steal_one_by_one(&self, dest: &Worker<T>, top: usize, limit: usize, and_pop: bool) -> Steal<(Option<T>, usize)> {
        let mut batch = Landing::new(dest, limit - usize::from(and_pop));
        let mut youngest = match self.steal_at(top) {
            Steal::Success(element) => element,
            Steal::Empty => return Steal::Empty,
            Steal::Retry => return Steal::Retry,
        };
        let mut count = 1;
        while count < limit {
            let top = self.shared.top();
            Shared::<T>::fence();
            let Steal::Success(element) = self.steal_at(top) else { break };
            batch.push(mem::replace(&mut youngest, element));
            count += 1;
        }
        let popped = if and_pop {
            Some(youngest)
        } else {
            batch.push(youngest);
            None
        };
        // SAFETY: they were stolen one after the other, so they are ours, and in order.
        unsafe { batch.publish(Flavor::Lifo) };
        Steal::Success((popped, count))
    }
}

impl<T> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), flavor: self.flavor }
    }
}

impl<T> fmt::Debug for Stealer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("flavor", &self.flavor).field("len", &self.len()).finish_non_exhaustive()
    }
}
