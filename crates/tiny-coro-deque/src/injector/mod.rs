//! A queue into which everybody pushes, and out of which everybody steals.

mod block;
mod slot;
mod spares;
mod tail;

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use std::{fmt, iter, ptr};

use tiny_coro_ebr::Guard;
use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicPtr, Ordering};
use tiny_coro_prim::hint::spin_loop;

use crate::Steal;
use crate::chase_lev::{Flavor, Landing, Worker};
use block::{Block, SLOTS, START, slots_between};
use tail::Tail;

/// How often a thief looks again before it poisons a slot. About a microsecond: a pusher that is running needs a few
/// nanoseconds, one that has lost its processor a few milliseconds.
const PATIENCE: usize = if cfg!(tiny_coro_loom) { 0 } else { 32 };

/// A queue into which everybody pushes, and out of which everybody steals: first in, first out, without a lock.
///
/// What a scheduler's workers take from when their own deques are empty, in batches. Its page in the
/// [crate's documentation](crate#the-injector) has the protocol and its proof.
///
/// A push takes a new block for every 127 elements: one that has been used, of which it keeps up to 32, or 64 KiB; or one from the
/// allocator. A push that has come back is seen by every later attempt to steal; several pushers' elements come out in one
/// order for everybody, and those of one pusher in its own.
///
/// # Examples
///
/// ```
/// use tiny_coro_deque::{Injector, Steal, Worker};
///
/// let injector = Injector::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| (0..4).for_each(|number| injector.push(number)));
///     scope.spawn(|| (4..8).for_each(|number| injector.push(number)));
/// });
/// let worker = Worker::fifo();
/// assert!(injector.steal_batch_and_pop(&worker).is_success());
/// // Half of what there was: one, and three in the worker's own deque.
/// assert_eq!((injector.len(), worker.len()), (4, 3));
/// ```
pub struct Injector<T> {
    /// The block at which thieves take.
    head: CachePadded<AtomicPtr<Block<T>>>,
    tail: CachePadded<Tail<T>>,
    elements: PhantomData<T>,
}

// SAFETY: what is shared are atomics, and slots that belong to one thread at a time (I2). Elements pass from thread to
// thread, and so are `Send`; no reference to one is given out.
unsafe impl<T: Send> Send for Injector<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Injector<T> {}

impl<T> Injector<T> {
    /// The largest batch of [`steal_batch`](Self::steal_batch) and [`steal_batch_and_pop`](Self::steal_batch_and_pop).
    pub const MAX_BATCH: usize = 32;

    /// Makes an empty queue.
    pub fn new() -> Self {
        let block = Box::into_raw(Block::new(START));
        Self {
            head: CachePadded::new(AtomicPtr::new(block)),
            tail: CachePadded::new(Tail::new(block)),
            elements: PhantomData,
        }
    }

    /// Adds an element.
    #[inline]
    pub fn push(&self, element: T) {
        if let Some(refused) = self.try_push(element) {
            self.push_again(refused);
        }
    }

    /// Gives the element back if its slot was poisoned.
    #[inline]
    fn try_push(&self, element: T) -> Option<T> {
        let (block, place) = self.tail.claim();
        // SAFETY: whoever has claimed a slot keeps the block, until it is full, or let go of (I5).
        let slot = unsafe { &*block }.slot(place);
        // SAFETY: we have claimed the slot, and are here once with it.
        let refused = unsafe { slot.fill(element) }.err();
        if place == SLOTS - 1 {
            self.tail.extend();
        }
        if refused.is_some() {
            // SAFETY: the slot is poisoned, so the block is kept for us until here.
            unsafe { self.let_go(block) };
        }
        refused
    }

    #[cold]
    fn push_again(&self, mut element: T) {
        while let Some(refused) = self.try_push(element) {
            element = refused;
        }
    }

    /// Takes the element that was pushed first.
    #[inline]
    pub fn steal(&self) -> Steal<T> {
        let guard = tiny_coro_ebr::pin();
        loop {
            match self.claim(1, &guard) {
                Steal::Success((block, slots)) => {
                    // SAFETY: we have claimed the slot, and are here once with it.
                    if let Some(element) = unsafe { block.slot(slots.start).take() } {
                        return Steal::Success(element);
                    }
                }
                Steal::Empty => return Steal::Empty,
                Steal::Retry => return Steal::Retry,
            }
        }
    }

    /// Moves up to [`MAX_BATCH`](Self::MAX_BATCH) elements to `dest`.
    ///
    /// They are those that were pushed first, and `dest` then pops them in that order, whatever its flavour. How many:
    /// half of what is in sight, or all if there is much more behind it.
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

    /// Takes the element that was pushed first, and moves further ones to `dest`: in all as many as
    /// [`steal_batch`](Self::steal_batch) would move.
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
        self.steal_many(dest, limit, false).map(|(_, count)| count)
    }

    /// Like [`steal_batch_with_limit_and_pop`](Self::steal_batch_with_limit_and_pop), and also returns how many
    /// elements were taken, the returned one included.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn steal_batch_and_pop_counted(&self, dest: &Worker<T>, limit: usize) -> Steal<(T, usize)> {
        self.steal_many(dest, limit, true)
            .map(|(first, count)| (first.expect("a batch with a first element has one"), count))
    }

    fn steal_many(&self, dest: &Worker<T>, limit: usize, and_pop: bool) -> Steal<(Option<T>, usize)> {
        assert!(limit != 0, "a batch has room for an element");
        let guard = tiny_coro_ebr::pin();
        loop {
            let (block, slots) = match self.claim(limit, &guard) {
                Steal::Success(claimed) => claimed,
                Steal::Empty => return Steal::Empty,
                Steal::Retry => return Steal::Retry,
            };
            let mut batch = Landing::new(dest, slots.len());
            // SAFETY: we have claimed these slots, and take each once.
            let mut elements = slots.filter_map(|index| unsafe { block.slot(index).take() });
            let first = if and_pop { elements.next() } else { None };
            let landed = elements.map(|element| batch.push(element)).count();
            let count = landed + usize::from(first.is_some());
            if count != 0 {
                // SAFETY: the elements are ours, in the order in which they were pushed.
                unsafe { batch.publish(Flavor::Fifo) };
                return Steal::Success((first, count));
            }
        }
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of elements: what it was at one moment of the call.
    pub fn len(&self) -> usize {
        let guard = tiny_coro_ebr::pin();
        loop {
            let head = self.head(&guard);
            let taken = head.taken();
            let end = self.tail.index();
            // If nothing was taken meanwhile, it is the number when the tail's index was read.
            if ptr::eq(head, self.head(&guard)) && taken == head.taken() {
                return slots_between(head.start().wrapping_add(taken), end);
            }
        }
    }

    /// Claims up to `limit` slots, one at least, all of them decided.
    #[inline]
    fn claim<'g>(&self, limit: usize, guard: &'g Guard) -> Steal<(&'g Block<T>, Range<usize>)> {
        loop {
            let head = self.head(guard);
            let taken = head.taken();
            if taken == SLOTS {
                if self.advance(head, guard) {
                    continue;
                }
                return Steal::Empty;
            }
            if !head.slot(taken).is_decided() {
                if self.tail.index() == head.start().wrapping_add(taken) {
                    return Steal::Empty;
                }
                if !self.decide(head, taken, guard) {
                    return Steal::Retry;
                }
            }
            let slots = taken..taken + self.share(head, taken, limit);
            return if head.claim(slots.clone()) { Steal::Success((head, slots)) } else { Steal::Retry };
        }
    }

    /// Returns how many of the slots from `taken` on, the first of which is decided, to take at once: half of the last
    /// block's, all of another one's, and those that are decided.
    #[inline]
    fn share(&self, block: &Block<T>, taken: usize, limit: usize) -> usize {
        if limit == 1 {
            return 1;
        }
        let pushed = self.tail.index().wrapping_sub(block.start());
        let share = if pushed <= SLOTS { pushed.saturating_sub(taken).div_ceil(2) } else { SLOTS - taken };
        let more = (taken + 1..taken + share.min(limit)).take_while(|&place| block.slot(place).is_decided());
        1 + more.count()
    }

    /// Waits a moment for the pusher that has claimed a slot, then goes on without it. Returns false if it is too late
    /// for either.
    #[cold]
    fn decide(&self, block: &Block<T>, place: usize, guard: &Guard) -> bool {
        let slot = block.slot(place);
        let looks = iter::repeat_with(|| {
            spin_loop();
            slot.is_decided()
        });
        if looks.take(PATIENCE).any(|decided| decided) {
            return true;
        }
        let kept = block.keep();
        if kept && !slot.poison() && block.let_go() {
            // SAFETY: we were the last to keep it.
            unsafe { self.retire(block, guard) };
        }
        kept
    }

    /// Goes on from `head`, all of whose slots are taken, to the next block. Returns false if there is none.
    #[cold]
    fn advance(&self, head: &Block<T>, guard: &Guard) -> bool {
        let next = head.next();
        if next.is_null() {
            return false;
        }
        self.tail.leave(head);
        // ORDERING I4 I5: release. Hands on the next block, which was acquired, and that the tail has left this one, to
        // the acquire load in `head`.
        let left =
            self.head.compare_exchange(ptr::from_ref(head).cast_mut(), next, Ordering::Release, Ordering::Relaxed);
        if left.is_ok() && head.let_go() {
            // SAFETY: we were the last to keep it.
            unsafe { self.retire(head, guard) };
        }
        true
    }

    fn head<'g>(&self, _guard: &'g Guard) -> &'g Block<T> {
        // ORDERING I4 I5: acquire. Pairs with the release in `advance`.
        let head = self.head.load(Ordering::Acquire);
        // SAFETY: a block is retired after `head` has left it, and the pin is older than this read (I5).
        unsafe { &*head }
    }

    /// Gives up one share in a block, and retires it if that was the last.
    ///
    /// # Safety
    ///
    /// `block` is one of the injector's, and the share is the caller's.
    #[cold]
    unsafe fn let_go(&self, block: *const Block<T>) {
        // SAFETY: the caller keeps it until here.
        if unsafe { &*block }.let_go() {
            // SAFETY: we were the last to keep it.
            unsafe { self.retire(block, &tiny_coro_ebr::pin()) };
        }
    }

    /// Lets a block be used again, or frees it, as soon as nobody looks at it any more.
    ///
    /// # Safety
    ///
    /// `block` is one of the injector's, and nobody keeps it any more: so neither head nor tail leads to it, nor ever will.
    #[cold]
    unsafe fn retire(&self, block: *const Block<T>, guard: &Guard) {
        // Not to keep the others alive when the injector is gone.
        let (block, spares) = (block.cast_mut(), Arc::downgrade(self.tail.spares()));
        let reuse = move || {
            // SAFETY: it came from a box, and when this is called nobody is pinned who has seen it, so it is that box again.
            let block = unsafe { Box::from_raw(block) };
            if let Some(spares) = spares.upgrade() {
                spares.give(block);
            }
        };
        // SAFETY: as the caller says; and whoever was last retires it, once. It drops no element.
        unsafe { guard.defer_sized(size_of::<Block<T>>(), reuse) };
    }
}

impl<T> Default for Injector<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Injector<T> {
    fn drop(&mut self) {
        let block = self.head.load(Ordering::Relaxed);
        // SAFETY: the head leads to a block, and nobody else is left who could move it.
        let place = unsafe { &*block }.taken();
        let mut remaining = Remaining { block, place, elements: PhantomData };
        // If one destructor unwinds, `remaining` drops the others on the way.
        remaining.by_ref().for_each(drop);
    }
}

/// The elements that nobody has taken, and the blocks they are in.
struct Remaining<T> {
    block: *mut Block<T>,
    place: usize,
    elements: PhantomData<T>,
}

impl<T> Iterator for Remaining<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        // SAFETY: the blocks from the head on are from boxes, and the injector's, which is being dropped.
        while let Some(block) = unsafe { self.block.as_ref() } {
            if self.place < SLOTS && block.slot(self.place).is_decided() {
                self.place += 1;
                // SAFETY: nobody has claimed the slot, nobody else is left to do it, and we are here once with it.
                return unsafe { block.slot(self.place - 1).take() };
            }
            let next = block.next();
            // SAFETY: it came from a box, and nothing leads to it any more.
            drop(unsafe { Box::from_raw(self.block) });
            (self.block, self.place) = (next, 0);
        }
        None
    }
}

impl<T> Drop for Remaining<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<T> fmt::Debug for Injector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("len", &self.len()).finish_non_exhaustive()
    }
}
