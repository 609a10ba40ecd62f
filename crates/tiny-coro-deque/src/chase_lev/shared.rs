//! What the owner and the thieves of one deque share.

use std::sync::atomic::AtomicUsize as Counter;

use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicPtr, AtomicUsize, Ordering, full_fence};

use super::buffer::Buffer;
use crate::element::Element;

/// The first index. Two before the counters wrap, so that every deque crosses the wrap at once.
const START: usize = 0_usize.wrapping_sub(2);

/// What the owner and the thieves share. The elements are those from `top` up to, and without, `bottom`.
#[derive(Debug)]
pub(super) struct Shared<T> {
    ends: CachePadded<Ends>,
    /// Replaced by the owner alone.
    buffer: AtomicPtr<Buffer<T>>,
    growths: Counter,
}

/// Both ends on one cache line: whoever needs one of them needs the other, and a thief that comes by costs the owner one line and not two.
#[derive(Debug)]
struct Ends {
    /// Where thieves take, and the owner of a FIFO deque. Only grows, but for an addition that is put back.
    top: AtomicUsize,
    /// Where the owner pushes, and pops from a LIFO deque. Written by the owner alone.
    bottom: AtomicUsize,
}

/// Returns how many elements there are between two indices; negative if `bottom` has been read before it passed `top`.
#[inline]
pub(super) fn distance(bottom: usize, top: usize) -> isize {
    bottom.wrapping_sub(top) as isize
}

impl<T> Shared<T> {
    pub(super) const START: usize = START;

    pub(super) fn new(buffer: Buffer<T>) -> Self {
        Self {
            ends: CachePadded::new(Ends { top: AtomicUsize::new(START), bottom: AtomicUsize::new(START) }),
            buffer: AtomicPtr::new(Box::into_raw(Box::new(buffer))),
            growths: Counter::new(0),
        }
    }

    /// Reads `top`.
    #[inline]
    pub(super) fn top(&self) -> usize {
        // ORDERING D1 D3: acquire. Whoever took an index below this one has read its slot (the owner may write it
        // anew), and saw a `bottom` above it (a `bottom` that is read from now on is no older). Pairs with the
        // release in `take`.
        self.ends.top.load(Ordering::Acquire)
    }

    /// Reads `top` after the owner's fence, which gives all the order that the race for the last element needs.
    #[inline]
    pub(super) fn top_after_fence(&self) -> usize {
        self.ends.top.load(Ordering::Relaxed)
    }

    /// Takes `count` elements from `top` on. Fails if anybody has taken one since.
    #[inline]
    pub(super) fn take(&self, top: usize, count: usize) -> bool {
        // ORDERING D1 D3: release. A thief's reads of the slots, and of `bottom`, happen before whatever follows the
        // acquire load of `top`. Success needs no acquire: the elements came through `bottom`. Failure reads nothing.
        self.ends.top.compare_exchange(top, top.wrapping_add(count), Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Takes the element at `top`, whichever that is, and returns its index: for the owner of a FIFO deque, who knows `bottom`. If the index
    /// is `bottom`, there was none, and [`put_back`](Self::put_back) is due.
    #[inline]
    pub(super) fn take_next(&self) -> usize {
        // ORDERING D1 D3: acquire and release, as in `take` and `top`.
        // UNMODELLED: the acquire. The owner takes the `top` it then sees for room to push (D3). Relaxed, the thief that took the element
        // below could on paper read from its slot what the owner pushes there after it has seen the thief win: a load that sees the future.
        // No processor stores before the branch that leads to the store, and no checker tries it.
        self.ends.top.fetch_add(1, Ordering::AcqRel)
    }

    /// After `take_next` has gone beyond `bottom`. Until then everybody finds the deque empty, and lets `top` alone.
    #[inline]
    pub(super) fn put_back(&self, top: usize) {
        // Relaxed: the deque is empty, and stays so until the owner pushes, which is told by `bottom`. Who reads this index learns no more
        // than that.
        self.ends.top.store(top, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn bottom(&self) -> usize {
        // ORDERING D2: acquire. Whoever sees an index below `bottom` sees what was pushed there, and its buffer.
        self.ends.bottom.load(Ordering::Acquire)
    }

    /// Moves `bottom`. Called by the owner.
    #[inline]
    pub(super) fn set_bottom(&self, bottom: usize) {
        // ORDERING D2: release. Publishes the slots below to the acquire load of `bottom`. A pop that moves it down
        // releases too: a thief may read that value, and it covers all slots below it.
        self.ends.bottom.store(bottom, Ordering::Release);
    }

    /// The full fence between an index written or read and the other one read.
    #[inline]
    pub(super) fn fence() {
        // ORDERING D4: sequentially consistent, both sides. The owner of a LIFO deque lowers `bottom`, fences, reads
        // `top`; a thief reads `top`, fences, reads `bottom`. Whichever fence is first: the thief sees the lowered
        // `bottom`, or the owner sees a `top` no lower than the thief's, and then races for the last element.
        full_fence();
    }

    /// Returns the current buffer. Dereferencing it needs a pin that is older than this call, or the owner.
    #[inline]
    pub(super) fn buffer(&self) -> *mut Buffer<T> {
        // ORDERING D5: acquire. The slots are as the owner copied them: pairs with the release in `replace_buffer`.
        self.buffer.load(Ordering::Acquire)
    }

    /// Puts `new` in the place of the buffer and returns the old one. Called by the owner, pinned.
    pub(super) fn replace_buffer(&self, new: Buffer<T>) -> *mut Buffer<T> {
        // Relaxed: nobody else writes it.
        let old = self.buffer.load(Ordering::Relaxed);
        // ORDERING D5: release. Publishes the copied slots to the acquire load in `buffer`.
        self.buffer.store(Box::into_raw(Box::new(new)), Ordering::Release);
        old
    }

    pub(super) fn count_growth(&self) {
        let growths = self.growths.load(Ordering::Relaxed);
        self.growths.store(growths.wrapping_add(1), Ordering::Relaxed);
    }

    pub(super) fn growths(&self) -> u64 {
        self.growths.load(Ordering::Relaxed) as u64
    }

    /// Returns the number of elements, as far as two loads can tell.
    #[inline]
    pub(super) fn len(&self) -> usize {
        let top = self.top();
        usize::try_from(distance(self.bottom(), top)).unwrap_or(0)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Neither owner nor thief is left; the last handle's drop ordered all they did before this.
        // SAFETY: the buffer came from a box, and a replaced one never comes back.
        let buffer = unsafe { Box::from_raw(self.buffer.load(Ordering::Relaxed)) };
        let (next, end) = (self.ends.top.load(Ordering::Relaxed), self.ends.bottom.load(Ordering::Relaxed));
        let mut remaining = Remaining { buffer, next, end };
        // If one destructor unwinds, `remaining` drops the others on the way.
        remaining.by_ref().for_each(drop);
    }
}

/// The elements that nobody has taken.
struct Remaining<T> {
    buffer: Box<Buffer<T>>,
    next: usize,
    end: usize,
}

impl<T> Iterator for Remaining<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        let element = Element::load(self.buffer.slot(self.next));
        self.next = self.next.wrapping_add(1);
        // SAFETY: the slots from `top` to `bottom` hold elements (D2), and each is visited once.
        Some(unsafe { element.into_value() })
    }
}

impl<T> Drop for Remaining<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
