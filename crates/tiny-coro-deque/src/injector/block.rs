//! A run of slots, and its life: linked behind another, emptied, let go of.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;

use tiny_coro_prim::atomic::{AtomicPtr, AtomicUsize, Ordering};
use tiny_coro_prim::cell::UnsafeCell;

use super::slot::Slot;
use super::spares::Spares;

/// How many indices a block has: a power of two, so that they wrap. In a model few, so that blocks follow one another.
const INDICES: usize = if cfg!(tiny_coro_loom) { 4 } else { 128 };

/// How many slots a block has. The last index has none: it stands for "this block is full, the next one is not there
/// yet".
pub(super) const SLOTS: usize = INDICES - 1;

/// The first index. A block before the indices wrap.
pub(super) const START: usize = 0_usize.wrapping_sub(INDICES);

/// Returns the place of an index in its block: that of a slot, or [`SLOTS`].
#[inline]
pub(super) const fn place(index: usize) -> usize {
    index % INDICES
}

/// Returns how many slots there are between two indices.
pub(super) const fn slots_between(from: usize, to: usize) -> usize {
    let blocks = (to - place(to)).wrapping_sub(from - place(from)) / INDICES;
    (blocks * SLOTS + place(to)) - place(from)
}

/// A run of slots, each used once.
#[repr(C)]
pub(super) struct Block<T> {
    header: Header<T>,
    /// Keeps what thieves write away from what pushers write. An alignment would too, but an allocator takes longer over
    /// that than over the block. A checker's atomics may fill it by themselves.
    _padding: [MaybeUninit<u8>; 128_usize.saturating_sub(size_of::<Header<()>>())],
    slots: [Slot<T>; SLOTS],
}

struct Header<T> {
    /// How many slots thieves have claimed.
    taken: AtomicUsize,
    /// The block after this one, once this one is full.
    next: AtomicPtr<Block<T>>,
    /// The index of the first slot. Never changes while anybody is here; in a cell, so that the model checker sees who is here too
    /// early, or too late.
    start: UnsafeCell<usize>,
    /// One, until the queue lets the block go, and one for each poisoned slot whose pusher has not been back.
    keepers: AtomicUsize,
}

impl<T> Block<T> {
    /// Makes an empty block, where it will stay: it may be larger than a stack.
    pub(super) fn new(start: usize) -> Box<Self> {
        let header = Header {
            taken: AtomicUsize::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            start: UnsafeCell::new(start),
            keepers: AtomicUsize::new(1),
        };
        let mut block = Box::<Self>::new_uninit();
        let pointer = block.as_mut_ptr();
        // SAFETY: a field of the allocation, which nobody else has.
        unsafe { (&raw mut (*pointer).header).write(header) };
        for index in 0..SLOTS {
            // SAFETY: as above.
            unsafe { (&raw mut (*pointer).slots[index]).write(Slot::new()) };
        }
        // SAFETY: every field is written.
        unsafe { block.assume_init() }
    }

    /// Makes an empty block of one that nobody is in any more (I8).
    fn reset(&mut self, start: usize) {
        // SAFETY: nobody else is here.
        self.header.start.with_mut(|old| unsafe { *old = start });
        // Relaxed: `link` publishes the block.
        self.header.taken.store(0, Ordering::Relaxed);
        self.header.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.header.keepers.store(1, Ordering::Relaxed);
        self.slots.iter().for_each(Slot::reset);
    }

    /// Returns the index of the first slot.
    #[inline]
    pub(super) fn start(&self) -> usize {
        // SAFETY: it was written before anybody could reach the block (I4), and is not again before everybody has gone (I8).
        self.header.start.with(|start| unsafe { *start })
    }

    /// Returns the index without a slot.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.start().wrapping_add(SLOTS)
    }

    #[inline]
    pub(super) fn slot(&self, place: usize) -> &Slot<T> {
        &self.slots[place]
    }

    /// Returns how many slots have been claimed for taking.
    #[inline]
    pub(super) fn taken(&self) -> usize {
        // ORDERING I3: acquire. Whoever claimed the slots below has seen an index of the tail above them: the one we
        // read from now on is no older. Pairs with the release in `claim`.
        self.header.taken.load(Ordering::Acquire)
    }

    /// Claims slots for taking, all of them decided. Their start is what [`taken`](Self::taken) gave: this fails if
    /// anybody has claimed one since.
    #[inline]
    pub(super) fn claim(&self, slots: Range<usize>) -> bool {
        debug_assert!(slots.start < slots.end && slots.end <= SLOTS);
        // ORDERING I3: release. Our read of the tail's index happens before whatever follows the acquire load of `taken`.
        self.header.taken.compare_exchange(slots.start, slots.end, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Returns the block after this one, or null.
    #[inline]
    pub(super) fn next(&self) -> *mut Self {
        // ORDERING I4: acquire. The block is as its maker made it: pairs with the release in `link`.
        self.header.next.load(Ordering::Acquire)
    }

    /// Puts an empty block behind this one, if there is none.
    pub(super) fn link(&self, spares: &Spares<T>) {
        if !self.next().is_null() {
            return;
        }
        let start = self.start().wrapping_add(INDICES);
        let block = match spares.take() {
            Some(mut used) => {
                used.reset(start);
                used
            }
            None => Self::new(start),
        };
        let new = Box::into_raw(block);
        // ORDERING I4: release. Publishes the new block to the acquire load in `next`. On failure nothing is read.
        if self.header.next.compare_exchange(ptr::null_mut(), new, Ordering::Release, Ordering::Relaxed).is_err() {
            // SAFETY: it came from a box a moment ago, and nobody has seen it.
            spares.give(unsafe { Box::from_raw(new) });
        }
    }

    /// Keeps the block for one more pusher, if anybody still keeps it.
    pub(super) fn keep(&self) -> bool {
        let keep = |keepers| if keepers == 0 { None } else { Some(keepers + 1) };
        // Relaxed: it only must not come up from zero. What follows is ordered by `let_go`.
        self.header.keepers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, keep).is_ok()
    }

    /// Gives up what `keep` got, or the queue's own share. Returns whether that was the last: then the block is the
    /// caller's to retire.
    #[must_use]
    pub(super) fn let_go(&self) -> bool {
        // ORDERING I5: acquire and release. What each keeper did with the block, or saw done to the links that led to
        // it, happens before the last of them retires it.
        // UNMODELLED: the acquire. Between here and the end of the block there are pins, whose fences acquire what was
        // read here relaxed, in every schedule that a model has reached. The page of EBR does not promise them to the
        // thread that retires.
        self.header.keepers.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// In a model, whoever lets go of a block for good claims all of it: the model checker then sees who is still there.
#[cfg(tiny_coro_loom)]
impl<T> Block<T> {
    pub(super) fn claim_all(&self) {
        self.header.start.with_mut(|_| ());
        self.slots.iter().for_each(Slot::claim_all);
    }
}

#[cfg(tiny_coro_loom)]
impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        self.claim_all();
    }
}
