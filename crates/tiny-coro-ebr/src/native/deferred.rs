//! A function to be called later, without an allocation where it is small.

use std::fmt;
use std::mem::{self, MaybeUninit};
use std::ptr;

/// The room for a closure: a pointer to a trait object and one word more.
type Words = MaybeUninit<[usize; 3]>;

/// A function to be called once, later, maybe by another thread. Small ones are stored in place.
///
/// Dropping it without calling it leaks what it captured: whoever owns one must call it (invariant E5).
pub(super) struct Deferred {
    call: unsafe fn(*mut Words),
    words: Words,
}

// SAFETY: `Guard::defer` demands that the function may be called by any thread.
unsafe impl Send for Deferred {}

impl Deferred {
    /// Stores `function`. The caller vouches that it may be called later, by any thread.
    #[inline]
    pub(super) fn new<F: FnOnce()>(function: F) -> Self {
        let mut words = Words::uninit();
        if mem::size_of::<F>() <= mem::size_of::<Words>() && mem::align_of::<F>() <= mem::align_of::<Words>() {
            // SAFETY: `write` needs room and alignment for an `F`: both were just compared.
            unsafe { words.as_mut_ptr().cast::<F>().write(function) };
            Self { call: call_in_place::<F>, words }
        } else {
            // SAFETY: as above; a thin pointer is one word.
            unsafe { words.as_mut_ptr().cast::<*mut F>().write(Box::into_raw(Box::new(function))) };
            Self { call: call_boxed::<F>, words }
        }
    }

    /// Calls the function.
    #[inline]
    pub(super) fn call(mut self) {
        // SAFETY: the words hold what `call` expects, as `new` wrote both; taking `self` makes this the only call.
        unsafe { (self.call)(&raw mut self.words) };
    }
}

/// # Safety
///
/// `words` holds an `F`, which is moved out.
unsafe fn call_in_place<F: FnOnce()>(words: *mut Words) {
    // SAFETY: the caller vouches for the content and never looks at it again.
    let function = unsafe { ptr::read(words.cast::<F>()) };
    function();
}

/// # Safety
///
/// `words` holds a pointer from `Box::<F>::into_raw`, whose ownership moves out.
unsafe fn call_boxed<F: FnOnce()>(words: *mut Words) {
    // SAFETY: the caller vouches for the content and never looks at it again.
    let function = unsafe { ptr::read(words.cast::<*mut F>()) };
    // SAFETY: the pointer came from `Box::into_raw`, and this is the one call.
    let function = unsafe { Box::from_raw(function) };
    function();
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deferred { .. }")
    }
}
