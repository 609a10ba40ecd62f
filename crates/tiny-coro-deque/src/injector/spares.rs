//! Blocks that have been used, for when the next one is needed.

use std::{array, iter, ptr};

use tiny_coro_ebr::Limits;
use tiny_coro_prim::atomic::{AtomicPtr, Ordering};

use super::block::Block;

/// How many blocks are kept at most.
const ROOM: usize = if cfg!(tiny_coro_loom) { 1 } else { 32 };

/// How many bytes of blocks are kept at most: what by default gathers before reclamation looks what it can free.
const BYTES: usize = Limits::BYTES / 16;

/// Blocks that nobody is in any more. Each place holds one, or null.
///
/// One thread pushes and another steals: then all blocks are allocated by the one and freed by the other, which allocators are
/// slow at, and each comes as memory that no cache holds. Here they go round.
pub(super) struct Spares<T>([AtomicPtr<Block<T>>; ROOM]);

impl<T> Spares<T> {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| AtomicPtr::new(ptr::null_mut())))
    }

    fn places(&self) -> &[AtomicPtr<Block<T>>] {
        &self.0[..ROOM.min(BYTES / size_of::<Block<T>>())]
    }

    /// Keeps `block`, or frees it if there are enough.
    pub(super) fn give(&self, block: Box<Block<T>>) {
        #[cfg(tiny_coro_loom)]
        block.claim_all();
        let block = Box::into_raw(block);
        let put = |place: &AtomicPtr<_>| {
            // ORDERING I8: release. Whatever was done with the block happens before it is used again: pairs with the acquire
            // in `take`. On failure somebody has been faster, and nothing is read.
            place.compare_exchange(ptr::null_mut(), block, Ordering::Release, Ordering::Relaxed).is_ok()
        };
        // A look first: an exchange would fetch the cache line even where a place is taken.
        if !self.places().iter().any(|place| place.load(Ordering::Relaxed).is_null() && put(place)) {
            // SAFETY: it came from a box a moment ago, and no place has it.
            drop(unsafe { Box::from_raw(block) });
        }
    }

    /// Takes a block out, if there is one.
    pub(super) fn take(&self) -> Option<Box<Block<T>>> {
        let full = self.places().iter().filter(|place| !place.load(Ordering::Relaxed).is_null());
        // ORDERING I8: acquire. Pairs with the release in `give`.
        let mut blocks = full.map(|place| place.swap(ptr::null_mut(), Ordering::Acquire));
        let block = blocks.find(|block| !block.is_null())?;
        // SAFETY: it came from a box in `give`, and the swap made it ours alone.
        Some(unsafe { Box::from_raw(block) })
    }
}

impl<T> Drop for Spares<T> {
    fn drop(&mut self) {
        iter::from_fn(|| self.take()).for_each(drop);
    }
}
