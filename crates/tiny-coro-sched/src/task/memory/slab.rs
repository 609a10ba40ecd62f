//! Slabs: where the blocks of one size come from, and where they go back to.
//!
//! A slab is one large piece of memory from the system's allocator, cut into blocks one beside the other: no block has a header of its
//! own. Its address is a multiple of its size, so a block's slab is found by cutting off the low bits of the block's address. It goes back
//! to the system once all its blocks are there.

use super::magazine::Magazine;
use std::alloc::{self, Layout};
use std::ptr::{self, NonNull};

/// The size of a slab, and its alignment: large, because an allocator leaves a gap before memory so aligned. Pages that no block of has
/// been used take no memory.
const SLAB: usize = 1 << 20;
const LAYOUT: Layout = match Layout::from_size_align(SLAB, SLAB) {
    Ok(layout) => layout,
    Err(_) => panic!("a power of two"),
};
/// Where the first block is: after the head, on a cache line of its own.
const FIRST: usize = 64;

/// What a slab begins with.
struct Head {
    /// The neighbours in the list of slabs that have blocks to give.
    previous: *mut Head,
    next: *mut Head,
    /// Blocks that have come back.
    free: Magazine,
    /// Where the blocks begin that have never been used.
    fresh: usize,
    /// How many blocks are out.
    out: usize,
}

impl Head {
    fn has_block(&self, size: usize) -> bool {
        !self.free.is_empty() || self.fresh + size <= SLAB
    }
}

/// The slabs of one size that have blocks to give. Those that have none are found through their blocks.
pub(super) struct Slabs {
    first: *mut Head,
}

// SAFETY: the slabs are plain memory, and only who has the `Slabs` touches their heads.
unsafe impl Send for Slabs {}

impl Slabs {
    pub(super) const fn new() -> Self {
        Self { first: ptr::null_mut() }
    }

    /// Takes up to `count` blocks of `size` bytes, at least one. All calls have the same size, which is 16 at least and a multiple of it.
    pub(super) fn take(&mut self, size: usize, count: usize) -> Magazine {
        let slab = NonNull::new(self.first).unwrap_or_else(|| self.grow());
        let mut taken = Magazine::default();
        // SAFETY: a slab in the list is alive, and nobody else touches its head.
        let head = unsafe { &mut *slab.as_ptr() };
        while taken.len() < count && head.has_block(size) {
            let block = head.free.pop().unwrap_or_else(|| {
                let at = head.fresh;
                head.fresh += size;
                // SAFETY: the block lies in the slab, behind the head. The pointer is the slab's, not the head's, and may lead anywhere in it.
                unsafe { slab.cast::<u8>().byte_add(at) }
            });
            // SAFETY: the block is free, this function's, and holds two words.
            unsafe { taken.push(block) };
            head.out += 1;
        }
        if !head.has_block(size) {
            self.unlink(slab);
        }
        taken
    }

    /// A new slab, in the list.
    #[cold]
    fn grow(&mut self) -> NonNull<Head> {
        // SAFETY: the size is not 0.
        let slab = unsafe { alloc::alloc(LAYOUT) }.cast::<Head>();
        let slab = NonNull::new(slab).unwrap_or_else(|| alloc::handle_alloc_error(LAYOUT));
        let head =
            Head { previous: ptr::null_mut(), next: ptr::null_mut(), free: Magazine::default(), fresh: FIRST, out: 0 };
        // SAFETY: the memory is this function's, large enough and aligned.
        unsafe { slab.write(head) };
        self.link(slab);
        slab
    }

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// [`take`](Slabs::take) of this list has given it with this size, and nobody uses it any more.
    pub(super) unsafe fn give(&mut self, size: usize, block: NonNull<u8>) {
        let slab = block.as_ptr().map_addr(|address| address & !(SLAB - 1)).cast::<Head>();
        // SAFETY: a block lies in its slab, behind the head, so the address is not null.
        let slab = unsafe { NonNull::new_unchecked(slab) };
        // SAFETY: a slab lives as long as a block is out, and nobody else touches its head.
        let head = unsafe { &mut *slab.as_ptr() };
        let was_listed = head.has_block(size);
        // SAFETY: the caller gives the block away, which holds two words.
        unsafe { head.free.push(block) };
        head.out -= 1;
        let is_empty = head.out == 0;
        match (was_listed, is_empty) {
            (false, false) => self.link(slab),
            (true, true) => self.unlink(slab),
            _ => {}
        }
        if is_empty {
            // SAFETY: the slab came from `grow` with this layout, it is in no list, and none of its blocks is out.
            unsafe { alloc::dealloc(slab.as_ptr().cast(), LAYOUT) };
        }
    }

    fn link(&mut self, slab: NonNull<Head>) {
        // SAFETY: the slab is alive and in no list; nobody else touches its head.
        let head = unsafe { &mut *slab.as_ptr() };
        (head.previous, head.next) = (ptr::null_mut(), self.first);
        // SAFETY: null, or the first of the list, which is alive and another slab.
        if let Some(next) = unsafe { self.first.as_mut() } {
            next.previous = slab.as_ptr();
        }
        self.first = slab.as_ptr();
    }

    fn unlink(&mut self, slab: NonNull<Head>) {
        // SAFETY: the slab is alive and in the list; nobody else touches its head.
        let (previous, next) = unsafe { ((*slab.as_ptr()).previous, (*slab.as_ptr()).next) };
        // SAFETY: null, or another slab of the list, which is alive.
        match unsafe { previous.as_mut() } {
            Some(previous) => previous.next = next,
            None => self.first = next,
        }
        // SAFETY: as above.
        if let Some(next) = unsafe { next.as_mut() } {
            next.previous = previous;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The slabs in the list.
    fn listed(slabs: &Slabs) -> usize {
        let (mut count, mut at) = (0, slabs.first);
        while !at.is_null() {
            count += 1;
            // SAFETY: a slab in the list is alive.
            at = unsafe { (*at).next };
        }
        count
    }

    /// Every block is its own memory, and what has come back in any order leaves no slab.
    #[test]
    fn blocks_do_not_overlap_and_slabs_go_back() {
        for size in [80, 144, 512] {
            let mut slabs = Slabs::new();
            let (mut blocks, mut seen) = (Vec::new(), HashSet::new());
            let whole = (SLAB - FIRST) / size;
            while blocks.len() < 3 * whole {
                let mut taken = slabs.take(size, 64.min(3 * whole - blocks.len()));
                assert!(!taken.is_empty());
                while let Some(block) = taken.pop() {
                    assert!(block.addr().get().is_multiple_of(16) && seen.insert(block.addr()));
                    // SAFETY: the block is this test's, `size` bytes long.
                    unsafe { block.write_bytes(0xA5, size) };
                    blocks.push(block);
                }
            }
            assert_eq!(listed(&slabs), 0, "each is used up");
            let mut starts: Vec<_> = blocks.iter().map(|block| block.addr().get()).collect();
            starts.sort_unstable();
            assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= size));
            // Every third, then the rest backwards; some are taken once more in between.
            let (third, rest): (Vec<_>, Vec<_>) = blocks.into_iter().enumerate().partition(|(n, _)| n % 3 == 0);
            // SAFETY: taken above, and given back once.
            third.iter().for_each(|(_, block)| unsafe { slabs.give(size, *block) });
            assert_eq!(listed(&slabs), 3);
            let mut again = slabs.take(size, 10);
            assert_eq!(again.len(), 10);
            while let Some(block) = again.pop() {
                // SAFETY: as above.
                unsafe { slabs.give(size, block) };
            }
            // SAFETY: as above.
            rest.iter().rev().for_each(|(_, block)| unsafe { slabs.give(size, *block) });
            assert_eq!(listed(&slabs), 0, "all have gone back to the system");
        }
    }
}
