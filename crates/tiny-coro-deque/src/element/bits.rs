//! Elements as their own bits.

use std::mem::{ManuallyDrop, MaybeUninit};

use tiny_coro_prim::atomic::Ordering;

use super::Word;

/// One word's worth of a value: some of its bits may be padding, and so uninitialised.
type Bits = MaybeUninit<*mut ()>;

/// A `T` on its way between a value and the words of a slot.
///
/// `align` makes the size a whole number of words, and the alignment at least that of one.
pub(crate) union Element<T> {
    value: ManuallyDrop<T>,
    _align: Bits,
}

impl<T> Element<T> {
    /// How many words make a slot: none for a type without a size.
    pub(crate) const WORDS: usize = size_of::<T>().div_ceil(size_of::<Bits>());

    /// Takes a value in.
    #[inline]
    pub(crate) fn new(value: T) -> Self {
        Self { value: ManuallyDrop::new(value) }
    }

    /// Gives the value out.
    ///
    /// # Safety
    ///
    /// The words are those of one value, which nobody else makes of them.
    #[inline]
    pub(crate) unsafe fn into_value(self) -> T {
        // SAFETY: the caller vouches for the value.
        ManuallyDrop::into_inner(unsafe { self.value })
    }

    /// Writes the words to a slot.
    #[inline]
    pub(crate) fn store(self, slot: &[Word]) {
        debug_assert_eq!(slot.len(), Self::WORDS);
        let words = (&raw const self).cast::<Bits>();
        for (index, word) in slot.iter().enumerate() {
            // SAFETY: the union is as large as `WORDS` words and aligned as one; a `Bits` may be anything.
            let bits = unsafe { words.add(index).read() };
            word.store(freeze(bits), Ordering::Relaxed);
        }
    }

    /// Reads the words of a slot, whatever they are.
    #[inline]
    pub(crate) fn load(slot: &[Word]) -> Self {
        debug_assert_eq!(slot.len(), Self::WORDS);
        let mut element = MaybeUninit::<Self>::uninit();
        let words = element.as_mut_ptr().cast::<*mut ()>();
        for (index, word) in slot.iter().enumerate() {
            // SAFETY: the union is as large as `WORDS` words and aligned as one.
            unsafe { words.add(index).write(word.load(Ordering::Relaxed)) };
        }
        // SAFETY: a union of types that may hold anything may hold anything.
        unsafe { element.assume_init() }
    }
}

/// Makes something of every bit: what is uninitialised becomes zero or one, whichever it happens to be, and stays so.
///
/// An atomic store wants initialised words, and no type can tell which bits of a `T` are padding. The compiler takes
/// the word through assembly it does not look into, which gives out a word like any other. There is no instruction in
/// it: all that it costs is that the word is in a register, where the store wants it anyhow.
#[inline(always)]
fn freeze(bits: Bits) -> *mut () {
    let frozen;
    // SAFETY: the assembly is a comment. It touches no memory, stack or flags, and its output is its input.
    unsafe {
        core::arch::asm!("/* {0} */", inout(reg) bits => frozen, options(pure, nomem, nostack, preserves_flags));
    }
    frozen
}
