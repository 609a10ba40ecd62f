//! The ring of slots that a deque outgrows.

use std::fmt;
use std::marker::PhantomData;

use crate::element::{Element, Word};

/// A ring of slots, a power of two of them: index `i` lives in slot `i` modulo their number.
///
/// Once the owner has published a successor it never writes to a buffer again, so a thief that still looks into it
/// reads what it would read in the new one, or loses the race for it. Every access to a slot is relaxed: `top`,
/// `bottom` and the pointer to the buffer give the order (D2, D3, D5).
pub(super) struct Buffer<T> {
    words: Box<[Word]>,
    mask: usize,
    elements: PhantomData<fn(T) -> T>,
}

impl<T> Buffer<T> {
    /// Makes room for `capacity` elements, a power of two. Panics if that is more than memory can have.
    pub(super) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_power_of_two());
        let words = capacity.checked_mul(Element::<T>::WORDS).expect(DOES_NOT_FIT);
        let words = (0..words).map(|_| Word::new(std::ptr::null_mut())).collect();
        Self { words, mask: capacity - 1, elements: PhantomData }
    }

    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.mask + 1
    }

    #[inline]
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.words)
    }

    pub(super) fn as_ptr(&self) -> *const Word {
        self.words.as_ptr()
    }

    /// Returns the slot of `index`, whatever the index.
    #[inline]
    pub(super) fn slot(&self, index: usize) -> &[Word] {
        // SAFETY: the words are those of `mask` + 1 slots, and live as long as `self`.
        unsafe { slot::<T>(self.as_ptr(), self.mask, index) }
    }
}

pub(super) const DOES_NOT_FIT: &str = "a deque of this capacity does not fit into memory";

/// Returns the slot of `index` in a ring of `mask` + 1 slots, a power of two, that begins at `words`.
///
/// # Safety
///
/// The ring is there, and stays for `'a`.
#[inline]
pub(super) unsafe fn slot<'a, T>(words: *const Word, mask: usize, index: usize) -> &'a [Word] {
    // SAFETY: the position is at most `mask`, so its words are within the ring.
    let first = unsafe { words.add((index & mask) * Element::<T>::WORDS) };
    // SAFETY: as above; they are atomics, so shared references to them are always in order.
    unsafe { std::slice::from_raw_parts(first, Element::<T>::WORDS) }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("capacity", &self.capacity()).finish()
    }
}
