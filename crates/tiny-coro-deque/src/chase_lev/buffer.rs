//! The ring of slots that a deque outgrows.

use std::fmt;

use tiny_coro_prim::atomic::AtomicPtr;

/// One word that the owner writes and thieves read. Every access is relaxed: `top`, `bottom` and the pointer to the
/// buffer give the order (D2, D3, D5).
pub(super) type Slot = AtomicPtr<()>;

/// A ring of slots, a power of two of them: index `i` lives in slot `i` modulo their number.
///
/// Once the owner has published a successor it never writes to a buffer again, so a thief that still looks into it
/// reads what it would read in the new one, or loses the race for it.
pub(super) struct Buffer {
    slots: Box<[Slot]>,
}

impl Buffer {
    pub(super) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_power_of_two());
        Self { slots: (0..capacity).map(|_| Slot::new(std::ptr::null_mut())).collect() }
    }

    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    pub(super) fn as_ptr(&self) -> *const Slot {
        self.slots.as_ptr()
    }

    /// Returns the slot of `index`, whatever the index.
    #[inline]
    pub(super) fn slot(&self, index: usize) -> &Slot {
        // SAFETY: the mask keeps the position below the number of slots, a power of two.
        unsafe { self.slots.get_unchecked(index & (self.slots.len() - 1)) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("capacity", &self.capacity()).finish()
    }
}
