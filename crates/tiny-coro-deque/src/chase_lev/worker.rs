//! The owner's side.

use std::cell::Cell;
use std::fmt;

use tiny_coro_prim::sync::Arc;

use super::buffer::{self, Buffer};
use super::shared::{Shared, distance};
use super::stealer::Stealer;
use crate::element::{self, Element, Word};

/// At which end the owner pops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// At the end where it pushes.
    Lifo,
    /// At the other end, where thieves steal.
    Fifo,
}

/// The owner's end of a deque: pushes and pops, without a lock, mostly without touching memory that others write.
///
/// A worker may be sent to another thread, but not shared:
///
/// ```compile_fail,E0277
/// fn share<T: Sync>(_: T) {}
/// share(tiny_coro_deque::Worker::<Box<i32>>::fifo());
/// ```
///
/// Dropping it leaves the elements to the stealers; the last handle of all drops what is left.
///
/// # Examples
///
/// ```
/// use tiny_coro_deque::Worker;
///
/// let worker = Worker::lifo();
/// worker.push(Box::new(1));
/// worker.push(Box::new(2));
/// assert_eq!(worker.pop(), Some(Box::new(2)));
/// assert_eq!(worker.stealer().steal().success(), Some(Box::new(1)));
/// ```
pub struct Worker<T> {
    shared: Arc<Shared<T>>,
    flavor: Flavor,
    /// The current buffer's slots and their number less one: spares the owner a hop.
    slots: Cell<*const Word>,
    mask: Cell<usize>,
    /// What `bottom` is: nobody else writes it.
    bottom: Cell<usize>,
    /// A `top` that was seen and acquired. No element is below it (D10): where it is `bottom`, the deque is empty, and no more than what
    /// lies between the two takes room.
    top_seen: Cell<usize>,
    /// The capacity it began with, and never goes below.
    floor: usize,
    /// How few elements count as few, and after how many pops in a row with few elements the buffer shrinks.
    few: Cell<isize>,
    few_pops: Cell<usize>,
}

// SAFETY: a worker is the only owner of its cells, and the slots live as long as `shared`. Sending it sends elements.
unsafe impl<T: Send> Send for Worker<T> {}

impl<T> Worker<T> {
    /// The capacity of a new deque, in elements. In a model it is small, so that deques grow, and they shrink soon.
    const CAPACITY: usize = if cfg!(tiny_coro_loom) { 2 } else { 64 };

    /// A deque is a candidate for half its buffer when less than this part of it is used...
    const FEW: usize = if cfg!(tiny_coro_loom) { 4 } else { 8 };
    /// ...and gets it after so many times its capacity of pops without once being fuller: bursts do not make it
    /// breathe.
    const PATIENCE: usize = if cfg!(tiny_coro_loom) { 1 } else { 4 };

    /// Makes a deque whose owner pops what it pushed last.
    pub fn lifo() -> Self {
        Self::new(Flavor::Lifo, Self::CAPACITY)
    }

    /// Makes a deque whose owner pops what it pushed first.
    pub fn fifo() -> Self {
        Self::new(Flavor::Fifo, Self::CAPACITY)
    }

    /// Like [`lifo`](Self::lifo), with room for `capacity` elements, rounded up to a power of two. It never shrinks
    /// below.
    ///
    /// # Panics
    ///
    /// If `capacity` is zero, or more than fits into memory.
    pub fn lifo_with_capacity(capacity: usize) -> Self {
        Self::new(Flavor::Lifo, capacity)
    }

    /// Like [`fifo`](Self::fifo), with room for `capacity` elements, rounded up to a power of two. It never shrinks
    /// below.
    ///
    /// # Panics
    ///
    /// If `capacity` is zero, or more than fits into memory.
    pub fn fifo_with_capacity(capacity: usize) -> Self {
        Self::new(Flavor::Fifo, capacity)
    }

    fn new(flavor: Flavor, capacity: usize) -> Self {
        assert!(capacity != 0, "a deque needs room for an element");
        let capacity = capacity.checked_next_power_of_two().expect(buffer::DOES_NOT_FIT);
        let buffer = Buffer::new(capacity);
        Self {
            slots: Cell::new(buffer.as_ptr()),
            mask: Cell::new(capacity - 1),
            bottom: Cell::new(Shared::<T>::START),
            top_seen: Cell::new(Shared::<T>::START),
            floor: capacity,
            few: Cell::new(-1),
            few_pops: Cell::new(0),
            flavor,
            shared: Arc::new(Shared::new(buffer)),
        }
    }

    /// Makes a thief's handle.
    pub fn stealer(&self) -> Stealer<T> {
        Stealer::new(self.shared.clone(), self.flavor)
    }

    /// Adds an element.
    #[inline]
    pub fn push(&self, element: T) {
        let mut bottom = self.bottom.get();
        // Again after a reservation, which may have called deferred functions that push here (see `resize`).
        while bottom.wrapping_sub(self.top_seen.get()) > self.mask.get() {
            self.reserve(1);
            bottom = self.bottom.get();
        }
        // ORDERING D3: relaxed. `top_seen` was acquired: nobody reads this slot for its former element any more.
        // ORDERING D2: relaxed. `bottom` publishes it.
        Element::new(element).store(self.slot(bottom));
        self.advance(bottom.wrapping_add(1));
    }

    /// Takes the element that was pushed last (LIFO) or first (FIFO).
    #[inline]
    pub fn pop(&self) -> Option<T> {
        match self.flavor {
            Flavor::Lifo => self.pop_bottom(),
            Flavor::Fifo => self.pop_top(),
        }
    }

    #[inline]
    fn pop_top(&self) -> Option<T> {
        let bottom = self.bottom.get();
        // Nobody else raises `bottom`: a deque that was seen empty still is (D10).
        if self.top_seen.get() == bottom {
            return None;
        }
        // Without a look at `top`: that would fetch its cache line from a thief's processor, and the addition fetch it again.
        let top = self.shared.take_next();
        if top == bottom {
            // Thieves have taken the last one since.
            self.shared.put_back(top);
            self.top_seen.set(top);
            return None;
        }
        self.top_seen.set(top.wrapping_add(1));
        // SAFETY: the addition made the element at `top` ours alone (D7), and only we write slots.
        let element = unsafe { self.read(top) };
        self.settle(distance(bottom, top) - 1);
        Some(element)
    }

    #[inline]
    fn pop_bottom(&self) -> Option<T> {
        let end = self.bottom.get();
        // Nobody else raises `bottom`: a deque that was seen empty still is (D10), and needs no fence.
        if self.top_seen.get() == end {
            return None;
        }
        let last = end.wrapping_sub(1);
        self.shared.set_bottom(last);
        Shared::<T>::fence();
        let top = self.shared.top_after_fence();
        let left = distance(last, top);
        if left > 0 {
            self.bottom.set(last);
            // SAFETY: every thief that might still take `last` has a `top` above ours or sees `bottom` lowered (D4):
            // it is ours.
            let element = unsafe { self.read(last) };
            self.settle(left);
            return Some(element);
        }
        // The last element, or none: the race is for `top`. Either way the deque is empty after it.
        let won = left == 0 && self.shared.take(top, 1);
        self.shared.set_bottom(end);
        // It is `end`. But acquired: thieves have read the slots below, which the next pushes may write anew (D3). Only a thief's load that
        // sees the future would tell the difference, as in `Shared::take_next`, and no model shows that.
        self.top_seen.set(self.shared.top());
        // SAFETY: the exchange made the element ours alone (D7), and only we write slots.
        won.then(|| unsafe { self.read(last) })
    }

    /// Returns the number of elements. Thieves may have made it less by the time it is used.
    #[inline]
    pub fn len(&self) -> usize {
        usize::try_from(distance(self.bottom.get(), self.shared.top())).unwrap_or(0)
    }

    /// Returns whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many elements there is room for.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.mask.get() + 1
    }

    /// Gives back room that a burst has left, down to twice what the deque holds, `capacity` elements, or the capacity it began with,
    /// whichever is the most. Without a call it does so by and by. For an owner that goes to sleep.
    pub fn shrink_to(&self, capacity: usize) {
        let now = self.capacity();
        if now <= capacity {
            return;
        }
        let wanted = || {
            let wanted = self.floor.max(capacity).max(2 * self.len()).checked_next_power_of_two();
            wanted.filter(|wanted| *wanted < self.capacity())
        };
        if wanted().is_some() {
            self.resize(wanted);
            // Who sleeps pins nothing for a while: an epoch for each of the two that the old buffer has to wait for, and one to free it.
            (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
        }
    }

    /// Returns how many times the buffer has grown so far.
    pub fn growths(&self) -> u64 {
        self.shared.growths()
    }

    /// Makes sure that the next `additional` slots may be written.
    #[cold]
    pub(super) fn reserve(&self, additional: usize) {
        let needed = || {
            let top = self.shared.top();
            self.top_seen.set(top);
            Some(self.bottom.get().wrapping_sub(top) + additional).filter(|needed| *needed > self.capacity())
        };
        if needed().is_some() {
            self.resize(|| needed().map(usize::next_power_of_two).inspect(|_| self.shared.count_growth()));
        }
    }

    /// Returns whether `additional` slots may be written without another look at `top`.
    pub(super) fn has_room(&self, additional: usize) -> bool {
        self.bottom.get().wrapping_sub(self.top_seen.get()) + additional <= self.capacity()
    }

    /// Moves the elements to a buffer with the capacity that `wanted` says, which holds them all.
    ///
    /// A pin, and what is retired under it, may call deferred functions, and those may push here and grow the buffer. So nothing that is
    /// looked at before the pin counts after it, and the deque is whole when the old buffer is retired.
    fn resize(&self, wanted: impl FnOnce() -> Option<usize>) {
        let guard = tiny_coro_ebr::pin();
        let Some(capacity) = wanted() else { return };
        let new = Buffer::new(capacity);
        let mut index = self.shared.top();
        while index != self.bottom.get() {
            element::copy(self.slot(index), new.slot(index));
            index = index.wrapping_add(1);
        }
        self.slots.set(new.as_ptr());
        self.mask.set(capacity - 1);
        self.few.set(if capacity > self.floor { (capacity / Self::FEW) as isize } else { -1 });
        self.few_pops.set(0);
        let old = self.shared.replace_buffer(new);
        // SAFETY: it is the owner's own old buffer, from a box; a thief gets at it only under a pin made before (D6).
        let bytes = unsafe { (*old).bytes() };
        // SAFETY: `replace_buffer` took it out of every new pin's reach, under this guard, and it never comes back. A
        // box of atomics may be dropped anywhere.
        unsafe { guard.defer_sized(bytes, move || drop(Box::from_raw(old))) };
    }

    /// Looks, after a pop that left so many elements, whether the buffer has long been too large.
    #[inline]
    fn settle(&self, left: isize) {
        if left <= self.few.get() {
            self.consider_shrinking(left);
        } else if self.few_pops.get() != 0 {
            self.few_pops.set(0);
        }
    }

    #[cold]
    fn consider_shrinking(&self, left: isize) {
        let pops = self.few_pops.get() + 1;
        self.few_pops.set(pops);
        if pops >= self.capacity() * Self::PATIENCE {
            debug_assert!((left as usize) < self.capacity() / 2);
            self.resize(|| Some(self.capacity() / 2).filter(|half| *half >= self.floor && self.len() <= *half));
        }
    }

    /// Returns the slot of `index`, for the owner.
    #[inline]
    pub(super) fn slot(&self, index: usize) -> &[Word] {
        // SAFETY: `slots` are those of the current buffer, as many as the mask and one, and alive until the owner
        // replaces it, which it does not do with a slot in its hand.
        unsafe { buffer::slot::<T>(self.slots.get(), self.mask.get(), index) }
    }

    /// Moves the element of `index` out of its slot.
    ///
    /// # Safety
    ///
    /// The element at `index` has become the caller's alone.
    #[inline]
    unsafe fn read(&self, index: usize) -> T {
        let element = Element::load(self.slot(index));
        // SAFETY: a slot below `bottom` holds an element (D2), and the caller vouches for being the only one.
        unsafe { element.into_value() }
    }

    pub(super) fn next_index(&self) -> usize {
        self.bottom.get()
    }

    /// Publishes the elements below `bottom`.
    #[inline]
    pub(super) fn advance(&self, bottom: usize) {
        self.shared.set_bottom(bottom);
        self.bottom.set(bottom);
    }

    pub(super) fn flavor(&self) -> Flavor {
        self.flavor
    }

    pub(super) fn is_of(&self, shared: &Arc<Shared<T>>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }
}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("flavor", &self.flavor)
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
