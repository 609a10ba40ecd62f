//! Pointers for lock-free structures: who has the object, and a tag in the bits that its alignment leaves free.
//!
//! [`Owned`] has it alone, [`Shared`] borrows it from a pin, [`Atomic`] is where threads exchange it. None of them
//! knows which backend pins. Tags are set and cleared with the pointer's provenance kept.

mod atomic;
mod owned;
mod shared;

pub use atomic::{Atomic, CompareExchangeError};
pub use owned::Owned;
pub use shared::Shared;

/// What an [`Atomic`] can be made to hold: an [`Owned`] or a [`Shared`].
pub trait Pointer<T> {
    /// Returns the pointer with its tag, and whatever ownership comes with it.
    fn into_ptr(self) -> *mut T;

    /// Takes back what [`into_ptr`](Self::into_ptr) gave.
    ///
    /// # Safety
    ///
    /// `data` came from [`into_ptr`](Self::into_ptr) of the same type, and is taken back once.
    unsafe fn from_ptr(data: *mut T) -> Self;
}

/// Returns the bits that a tag can have: those below the alignment.
const fn tag_bits<T>() -> usize {
    align_of::<T>() - 1
}

/// Returns the tag of `data`.
fn tag_of<T>(data: *const T) -> usize {
    data.addr() & tag_bits::<T>()
}

/// Returns `data` with `tag` instead of its own; what of it does not fit is dropped.
fn with_tag<T>(data: *mut T, tag: usize) -> *mut T {
    data.map_addr(|address| address & !tag_bits::<T>() | tag & tag_bits::<T>())
}

/// Returns `data` without its tag.
fn untagged<T>(data: *mut T) -> *mut T {
    with_tag(data, 0)
}

/// Asserts, in debug builds, that a pointer from outside has no bits where tags go.
#[track_caller]
fn assert_aligned<T>(raw: *const T) {
    debug_assert_eq!(tag_of(raw), 0, "a pointer that is not aligned");
}
