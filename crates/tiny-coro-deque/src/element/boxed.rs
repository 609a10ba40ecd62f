//! Elements in boxes: for processors on which inline assembly is not stable, and for interpreters.
//!
//! The bits of a `T` can't be stored atomically without [freezing](super), but a pointer to a box can: one allocation
//! for each push, which the fast backend exists to avoid.

use std::marker::PhantomData;

use tiny_coro_prim::atomic::Ordering;

use super::Word;

/// A `T` on its way between a value and the word of a slot.
pub(crate) struct Element<T> {
    pointer: *mut (),
    value: PhantomData<T>,
}

impl<T> Element<T> {
    /// How many words make a slot.
    pub(crate) const WORDS: usize = 1;

    /// Takes a value in.
    pub(crate) fn new(value: T) -> Self {
        Self { pointer: Box::into_raw(Box::new(value)).cast(), value: PhantomData }
    }

    /// Gives the value out.
    ///
    /// # Safety
    ///
    /// The word is that of one value, which nobody else makes of it.
    pub(crate) unsafe fn into_value(self) -> T {
        // SAFETY: the caller vouches for the word, and `new` made it of a box.
        *unsafe { Box::from_raw(self.pointer.cast()) }
    }

    /// Writes the word to a slot.
    pub(crate) fn store(self, slot: &[Word]) {
        slot[0].store(self.pointer, Ordering::Relaxed);
    }

    /// Reads the word of a slot, whatever it is.
    pub(crate) fn load(slot: &[Word]) -> Self {
        Self { pointer: slot[0].load(Ordering::Relaxed), value: PhantomData }
    }
}
