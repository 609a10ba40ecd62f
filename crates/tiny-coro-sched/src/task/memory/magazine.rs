//! Free blocks of one size, linked through their first words.

use std::ptr::NonNull;

/// A stack of free blocks. It owns them.
#[derive(Default)]
pub(super) struct Magazine {
    head: Option<NonNull<Free>>,
    len: usize,
}

/// What is in a free block.
struct Free {
    next: Option<NonNull<Free>>,
}

// SAFETY: a magazine owns its blocks, which are plain memory.
unsafe impl Send for Magazine {}

impl Magazine {
    pub(super) const EMPTY: Self = Self { head: None, len: 0 };

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a block.
    ///
    /// # Safety
    ///
    /// The block is free, the caller's, aligned to a word, and large enough for a `Free`.
    #[inline]
    pub(super) unsafe fn push(&mut self, block: NonNull<u8>) {
        let block = block.cast::<Free>();
        // SAFETY: the caller gives the block away, and it has room for the link.
        unsafe { block.write(Free { next: self.head }) };
        self.head = Some(block);
        self.len += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = self.head?;
        // SAFETY: a block in a magazine is free, and `push` has written its link.
        self.head = unsafe { block.as_ref() }.next;
        self.len -= 1;
        Some(block.cast())
    }
}
