//! The end at which elements are pushed.

use std::ptr;
use std::sync::Arc;

use tiny_coro_prim::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::block::{Block, SLOTS, START, place};
use super::spares::Spares;

/// Where the next slot is claimed.
///
/// Two words that are not written together: `block` moves only while `index` is one without a slot, and before it. So
/// whoever moves `index` up by one, from what it was before `block` was read, has read the block of that index.
pub(super) struct Tail<T> {
    /// Only grows, by one at a time.
    index: AtomicUsize,
    block: AtomicPtr<Block<T>>,
    /// Where the next block comes from. The count is `std`'s, unseen by the model checker: it says how long they live, and who frees
    /// them sees all that were given.
    spares: Arc<Spares<T>>,
}

impl<T> Tail<T> {
    pub(super) fn new(block: *mut Block<T>) -> Self {
        Self { index: AtomicUsize::new(START), block: AtomicPtr::new(block), spares: Arc::new(Spares::new()) }
    }

    /// Returns the next index to be claimed.
    #[inline]
    pub(super) fn index(&self) -> usize {
        // ORDERING I4: acquire. Whoever sees an index sees its block in `block`, or a later one: pairs with the release
        // in `pass`. The claims in between keep that release in force.
        self.index.load(Ordering::Acquire)
    }

    /// Claims a slot for pushing: its block, and its place there.
    #[inline]
    pub(super) fn claim(&self) -> (*const Block<T>, usize) {
        loop {
            let index = self.index();
            let place = place(index);
            if place == SLOTS {
                self.extend();
                continue;
            }
            // Relaxed: if this is the block of `index`, then whoever moved `index` into it had seen it whole (I4); if it is
            // a later one, `index` has moved, and the exchange fails.
            let block = self.block.load(Ordering::Relaxed);
            // Relaxed: an index is claimed by whoever gets it from here, and that is all it says (I2).
            if self.index.compare_exchange_weak(index, index + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return (block, place);
            }
        }
    }

    /// Where blocks go that nobody is in any more.
    pub(super) fn spares(&self) -> &Arc<Spares<T>> {
        &self.spares
    }

    /// Moves on to a new block, if the last one is full and nobody else has.
    #[cold]
    pub(super) fn extend(&self) {
        let _guard = tiny_coro_ebr::pin();
        let index = self.index();
        if place(index) != SLOTS {
            return;
        }
        // ORDERING I4 I5: acquire. Pairs with the release in `leave`.
        // SAFETY: a block is retired after the tail has left it, and the pin is older than this read (I5).
        let block = unsafe { &*self.block.load(Ordering::Acquire) };
        if block.end() == index {
            block.link(&self.spares);
            self.leave(block);
        } else {
            self.pass(index);
        }
    }

    /// Makes sure that the tail has left `block`, which has a next one. The caller is pinned.
    pub(super) fn leave(&self, block: &Block<T>) {
        let old = ptr::from_ref(block).cast_mut();
        // ORDERING I4 I5: release. Hands on the next block, which was acquired. On failure somebody has been faster.
        let _ = self.block.compare_exchange(old, block.next(), Ordering::Release, Ordering::Relaxed);
        self.pass(block.end());
    }

    /// Moves on from an index without a slot. `block` has left the block of that index.
    fn pass(&self, index: usize) {
        // ORDERING I4: release. Whoever sees the new index sees `block` moved. On failure somebody has been faster.
        let _ = self.index.compare_exchange(index, index.wrapping_add(1), Ordering::Release, Ordering::Relaxed);
    }
}
