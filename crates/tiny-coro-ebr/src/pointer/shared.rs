//! The pointer of whoever reads under a pin.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ptr;

use super::{Owned, Pointer, assert_aligned, tag_of, untagged, with_tag};
#[expect(unused_imports, reason = "for the documentation")]
use crate::Guard;

/// A pointer loaded under a guard, with its tag; it may be null.
///
/// It lives no longer than the guard whose pin keeps the object from being reclaimed. Two are equal if both pointer
/// and tag are.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::Ordering;
/// use tiny_coro_ebr::{Atomic, pin};
///
/// let word = Atomic::new(7);
/// let guard = pin();
/// let shared = word.load(Ordering::Acquire, &guard);
/// // SAFETY: it points to the box that was just made, and that nobody has retired.
/// assert_eq!(unsafe { shared.as_ref() }, Some(&7));
/// # // SAFETY: nobody else has it.
/// # unsafe { drop(word.into_owned()) };
/// ```
///
/// ```compile_fail,E0505
/// # use std::sync::atomic::Ordering;
/// # use tiny_coro_ebr::{Atomic, pin};
/// # let word = Atomic::new(7);
/// let guard = pin();
/// let shared = word.load(Ordering::Acquire, &guard);
/// drop(guard);
/// shared.is_null();
/// ```
pub struct Shared<'g, T: 'g> {
    data: *mut T,
    _guard: PhantomData<(&'g (), *const T)>,
}

impl<'g, T> Shared<'g, T> {
    /// Returns the null pointer, without a tag.
    pub const fn null() -> Self {
        Self { data: ptr::null_mut(), _guard: PhantomData }
    }

    /// Returns the pointer without its tag.
    pub fn as_raw(&self) -> *const T {
        untagged(self.data)
    }

    /// Returns whether the pointer is null, whatever its tag.
    #[inline]
    pub fn is_null(&self) -> bool {
        untagged(self.data).is_null()
    }

    /// Returns the object.
    ///
    /// # Safety
    ///
    /// - The pointer is not null, and points to an object that has not been reclaimed: it was loaded under the guard
    ///   of `'g` from where whoever unlinks it retires it, or nobody else has it.
    /// - The object's initialisation happens before this call, as where the pointer was stored with release and loaded
    ///   with acquire ordering.
    /// - Nobody writes to it meanwhile but through atomics and cells.
    #[inline]
    pub unsafe fn deref(&self) -> &'g T {
        // SAFETY: the caller vouches for all that a reference demands.
        unsafe { &*untagged(self.data) }
    }

    /// Returns the object exclusively.
    ///
    /// # Safety
    ///
    /// As for [`deref`](Self::deref), and nobody else reads or writes it while the reference lives.
    #[inline]
    pub unsafe fn deref_mut(&mut self) -> &'g mut T {
        // SAFETY: the caller vouches for all that an exclusive reference demands.
        unsafe { &mut *untagged(self.data) }
    }

    /// Returns the object, or nothing if the pointer is null.
    ///
    /// # Safety
    ///
    /// As for [`deref`](Self::deref), if the pointer is not null.
    #[inline]
    pub unsafe fn as_ref(&self) -> Option<&'g T> {
        // SAFETY: the caller vouches for all that a reference demands.
        unsafe { untagged(self.data).as_ref() }
    }

    /// Takes the object, with the tag.
    ///
    /// # Safety
    ///
    /// The pointer is not null, came from a box, and nobody else uses it from here on or takes it too.
    pub unsafe fn into_owned(self) -> Owned<T> {
        debug_assert!(!self.is_null(), "there is no object to take");
        // SAFETY: the caller vouches for the box, and for being the only one to take it.
        unsafe { Owned::from_ptr(self.data) }
    }

    /// Takes the object, with the tag, or nothing if the pointer is null.
    ///
    /// # Safety
    ///
    /// As for [`into_owned`](Self::into_owned), if the pointer is not null.
    pub unsafe fn try_into_owned(self) -> Option<Owned<T>> {
        // SAFETY: it is not null, and for the rest the caller vouches.
        (!self.is_null()).then(|| unsafe { self.into_owned() })
    }

    /// Returns the tag.
    #[inline]
    pub fn tag(&self) -> usize {
        tag_of(self.data)
    }

    /// Returns the same pointer with another tag: as many low bits of `tag` as the alignment of `T` leaves free.
    #[inline]
    #[must_use]
    pub fn with_tag(&self, tag: usize) -> Self {
        Self { data: with_tag(self.data, tag), _guard: PhantomData }
    }
}

impl<T> Pointer<T> for Shared<'_, T> {
    #[inline]
    fn into_ptr(self) -> *mut T {
        self.data
    }

    #[inline]
    unsafe fn from_ptr(data: *mut T) -> Self {
        Self { data, _guard: PhantomData }
    }
}

impl<T> From<*const T> for Shared<'_, T> {
    /// Wraps a pointer without a tag.
    ///
    /// # Panics
    ///
    /// In debug builds, if `raw` is not aligned.
    fn from(raw: *const T) -> Self {
        Self::from(raw.cast_mut())
    }
}

impl<T> From<*mut T> for Shared<'_, T> {
    /// Wraps a pointer without a tag.
    ///
    /// # Panics
    ///
    /// In debug builds, if `raw` is not aligned.
    fn from(raw: *mut T) -> Self {
        assert_aligned(raw);
        Self { data: raw, _guard: PhantomData }
    }
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

impl<T> PartialEq for Shared<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl<T> Eq for Shared<'_, T> {}

impl<T> PartialOrd for Shared<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Shared<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.data.cmp(&other.data)
    }
}

impl<T> Default for Shared<'_, T> {
    fn default() -> Self {
        Self::null()
    }
}

impl<T> fmt::Debug for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("raw", &self.as_raw()).field("tag", &self.tag()).finish()
    }
}

impl<T> fmt::Pointer for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.as_raw(), f)
    }
}
