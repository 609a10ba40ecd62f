//! The thieves' side.

use std::fmt;

use tiny_coro_prim::atomic::Ordering;
use tiny_coro_prim::sync::Arc;

use super::shared::{Shared, distance};
use super::worker::{Flavor, Worker};
use crate::{Pointer, Steal};

/// A thief's end of a deque: takes what was pushed first. Cheap to clone, shared by any number of threads.
///
/// # Examples
///
/// ```
/// use tiny_coro_deque::{Steal, Worker};
///
/// let (busy, idle) = (Worker::fifo(), Worker::fifo());
/// (0..10).for_each(|number| busy.push(Box::new(number)));
///
/// // Half of the ten: one to run at once, four to keep.
/// let stolen = busy.stealer().steal_batch_with_limit_and_pop(&idle, 32);
/// assert_eq!(stolen, Steal::Success((Box::new(0), 5)));
/// assert_eq!((busy.len(), idle.len()), (5, 4));
/// ```
pub struct Stealer<T: Pointer> {
    shared: Arc<Shared<T>>,
    flavor: Flavor,
}

// SAFETY: thieves only use atomics and reclamation; what passes from thread to thread are elements.
unsafe impl<T: Pointer + Send> Send for Stealer<T> {}
// SAFETY: as above.
unsafe impl<T: Pointer + Send> Sync for Stealer<T> {}

impl<T: Pointer> Stealer<T> {
    /// The largest batch of [`steal_batch`](Self::steal_batch) and [`steal_batch_and_pop`](Self::steal_batch_and_pop).
    pub const MAX_BATCH: usize = 32;

    pub(super) fn new(shared: Arc<Shared<T>>, flavor: Flavor) -> Self {
        Self { shared, flavor }
    }

    /// Takes the element that was pushed first.
    pub fn steal(&self) -> Steal<T> {
        let top = self.shared.top();
        if distance(self.shared.bottom(), top) <= 0 {
            return Steal::Empty;
        }
        let _guard = self.pin();
        self.steal_at(top)
    }

    /// Moves up to half of the elements, and at most [`MAX_BATCH`](Self::MAX_BATCH), to `dest`.
    ///
    /// `dest` then pops them in the order in which they were pushed here, whatever its flavour. If it is the deque's
    /// own worker, nothing moves.
    pub fn steal_batch(&self, dest: &Worker<T>) -> Steal<()> {
        self.steal_batch_with_limit(dest, Self::MAX_BATCH).map(drop)
    }

    /// Moves up to half of the elements, and at most `limit`, to `dest`, and returns their number.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_with_limit(&self, dest: &Worker<T>, limit: usize) -> Steal<usize> {
        if dest.is_of(&self.shared) {
            return if dest.is_empty() { Steal::Empty } else { Steal::Success(0) };
        }
        self.steal_many(dest, limit, false).map(|(_, count)| count)
    }

    /// Takes the element that was pushed first, and moves further ones to `dest`: in all up to half of the elements,
    /// and at most [`MAX_BATCH`](Self::MAX_BATCH).
    ///
    /// If `dest` is the deque's own worker, pops.
    pub fn steal_batch_and_pop(&self, dest: &Worker<T>) -> Steal<T> {
        self.steal_batch_with_limit_and_pop(dest, Self::MAX_BATCH).map(|(element, _)| element)
    }

    /// Takes the element that was pushed first, and moves further ones to `dest`: in all up to half of the elements,
    /// and at most `limit`. Returns the one, and the number of all that were taken, the one included.
    ///
    /// If `dest` is the deque's own worker, pops.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_with_limit_and_pop(&self, dest: &Worker<T>, limit: usize) -> Steal<(T, usize)> {
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
    fn pin(&self) -> tiny_coro_ebr::Guard {
        match self.flavor {
            // ORDERING D4: the thief's fence, between `top` and `bottom`.
            Flavor::Lifo => tiny_coro_ebr::pin_fenced(),
            Flavor::Fifo => tiny_coro_ebr::pin(),
        }
    }

    /// Takes the element at `top`. The caller is pinned, and has fenced since it read `top`.
    fn steal_at(&self, top: usize) -> Steal<T> {
        if distance(self.shared.bottom(), top) <= 0 {
            return Steal::Empty;
        }
        // SAFETY: the caller was pinned before this read of the pointer: the buffer stays (D6).
        let buffer = unsafe { &*self.shared.buffer() };
        let word = buffer.slot(top).load(Ordering::Relaxed);
        match self.shared.take(top, 1) {
            // SAFETY: `bottom` was above `top`, so the slot held a word from `into_raw` (D2), and nobody else has
            // taken it (D7).
            Ok(()) => Steal::Success(unsafe { T::from_raw(word) }),
            Err(_) => Steal::Retry,
        }
    }

    fn steal_many(&self, dest: &Worker<T>, limit: usize, with_first: bool) -> Steal<(Option<T>, usize)> {
        assert!(limit != 0, "a batch has room for an element");
        let top = self.shared.top();
        let available = distance(self.shared.bottom(), top);
        if available <= 0 {
            return Steal::Empty;
        }
        let limit = limit.min((available as usize).div_ceil(2));
        let _guard = self.pin();
        match self.flavor {
            Flavor::Lifo => self.steal_one_by_one(dest, top, limit, with_first),
            Flavor::Fifo => self.steal_at_once(dest, top, limit, with_first),
        }
    }

    /// Takes `count` elements with one exchange: the owner pops at `top` too, so while `top` stays all of them are
    /// there.
    fn steal_at_once(&self, dest: &Worker<T>, top: usize, count: usize, with_first: bool) -> Steal<(Option<T>, usize)> {
        // SAFETY: the caller is pinned: the buffer stays (D6).
        let buffer = unsafe { &*self.shared.buffer() };
        // If `top` is long out of date, so is the count: then the exchange fails, and this only bounds the effort.
        let count = count.min(buffer.capacity());
        let kept = usize::from(with_first);
        let moved = Landing::new(dest, count - kept);
        let first = buffer.slot(top).load(Ordering::Relaxed);
        for offset in kept..count {
            moved.put(offset - kept, buffer.slot(top.wrapping_add(offset)).load(Ordering::Relaxed));
        }
        if self.shared.take(top, count).is_err() {
            return Steal::Retry;
        }
        moved.publish(count - kept);
        // SAFETY: `bottom` was above the whole batch (D2), and the exchange made it ours alone (D7).
        let first = with_first.then(|| unsafe { T::from_raw(first) });
        Steal::Success((first, count))
    }

    /// Takes up to `limit` elements one after the other: the owner may at any time come up to `top` from below.
    fn steal_one_by_one(
        &self,
        dest: &Worker<T>,
        top: usize,
        limit: usize,
        with_first: bool,
    ) -> Steal<(Option<T>, usize)> {
        let first = match self.steal_at(top) {
            Steal::Success(first) => first,
            Steal::Empty => return Steal::Empty,
            Steal::Retry => return Steal::Retry,
        };
        let moved = Landing::new(dest, limit);
        let (first, mut landed) = if with_first {
            (Some(first), 0)
        } else {
            moved.put(0, first.into_raw());
            (None, 1)
        };
        let kept = usize::from(with_first);
        while landed + kept < limit {
            let top = self.shared.top();
            Shared::<T>::fence();
            let Steal::Success(element) = self.steal_at(top) else { break };
            moved.put(landed, element.into_raw());
            landed += 1;
        }
        moved.publish(landed);
        Steal::Success((first, landed + kept))
    }
}

/// The slots of a worker in which a batch lands, unseen until it is published.
struct Landing<'a, T: Pointer> {
    dest: &'a Worker<T>,
    start: usize,
}

impl<'a, T: Pointer> Landing<'a, T> {
    fn new(dest: &'a Worker<T>, room: usize) -> Self {
        if !dest.has_room(room) {
            dest.reserve(room);
        }
        Self { dest, start: dest.next_index() }
    }

    fn put(&self, offset: usize, word: *mut ()) {
        // ORDERING D2: relaxed. `publish` publishes it.
        self.dest.slot(self.start.wrapping_add(offset)).store(word, Ordering::Relaxed);
    }

    /// Makes the first `count` elements the worker's. A LIFO worker gets them turned round, so that it pops the
    /// oldest first.
    fn publish(self, count: usize) {
        if self.dest.flavor() == Flavor::Lifo {
            for offset in 0..count / 2 {
                let one = self.dest.slot(self.start.wrapping_add(offset));
                let other = self.dest.slot(self.start.wrapping_add(count - 1 - offset));
                let word = one.load(Ordering::Relaxed);
                one.store(other.load(Ordering::Relaxed), Ordering::Relaxed);
                other.store(word, Ordering::Relaxed);
            }
        }
        self.dest.advance(self.start.wrapping_add(count));
    }
}

impl<T: Pointer> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), flavor: self.flavor }
    }
}

impl<T: Pointer> fmt::Debug for Stealer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("flavor", &self.flavor).field("len", &self.len()).finish_non_exhaustive()
    }
}
