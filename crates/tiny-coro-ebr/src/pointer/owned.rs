//! The pointer of whoever has the object alone.

use std::borrow::{Borrow, BorrowMut};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use super::{Pointer, Shared, assert_aligned, tag_of, untagged, with_tag};
use crate::Guard;

/// A box with a tag: an object that nobody else has seen yet, or that has been taken out of everybody's sight.
///
/// # Examples
///
/// ```
/// use tiny_coro_ebr::Owned;
///
/// let mut node = Owned::new(1_u64).with_tag(3);
/// *node += 1;
/// assert_eq!((*node, node.tag()), (2, 3));
/// ```
pub struct Owned<T> {
    /// A pointer from `Box::into_raw`, and a tag.
    data: *mut T,
}

// SAFETY: it owns its `T`, as a box does.
unsafe impl<T: Send> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// Puts `value` into a box.
    pub fn new(value: T) -> Self {
        Self::from(Box::new(value))
    }

    /// Takes back a box from [`Box::into_raw`].
    ///
    /// # Safety
    ///
    /// `raw` came from [`Box::into_raw`], has no tag, and is taken back once.
    ///
    /// # Panics
    ///
    /// In debug builds, if `raw` is not aligned.
    pub unsafe fn from_raw(raw: *mut T) -> Self {
        assert_aligned(raw);
        Self { data: raw }
    }

    /// Returns the box, without the tag.
    pub fn into_box(self) -> Box<T> {
        let raw = untagged(self.into_ptr());
        // SAFETY: `data` came from a box, and `into_ptr` gave up its ownership.
        unsafe { Box::from_raw(raw) }
    }

    /// Makes it shared, for as long as `guard` lives.
    ///
    /// Nobody drops it any more: see [`Guard::defer_destroy`] and [`Shared::into_owned`].
    pub fn into_shared<'g>(self, _guard: &'g Guard) -> Shared<'g, T> {
        // SAFETY: it came from an `Owned` of the same type: a `Shared` has no ownership to keep apart.
        unsafe { Shared::from_ptr(self.into_ptr()) }
    }

    /// Returns the tag.
    pub fn tag(&self) -> usize {
        tag_of(self.data)
    }

    /// Sets the tag: as many low bits of `tag` as the alignment of `T` leaves free.
    #[must_use]
    pub fn with_tag(self, tag: usize) -> Self {
        Self { data: with_tag(self.into_ptr(), tag) }
    }
}

impl<T> Pointer<T> for Owned<T> {
    #[inline]
    fn into_ptr(self) -> *mut T {
        ManuallyDrop::new(self).data
    }

    #[inline]
    unsafe fn from_ptr(data: *mut T) -> Self {
        Self { data }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `data` came from a box, and nobody else has it.
        drop(unsafe { Box::from_raw(untagged(self.data)) });
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: without its tag `data` is a box's pointer, and `self` borrows the box.
        unsafe { &*untagged(self.data) }
    }
}

impl<T> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, exclusively.
        unsafe { &mut *untagged(self.data) }
    }
}

impl<T> From<T> for Owned<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> From<Box<T>> for Owned<T> {
    fn from(boxed: Box<T>) -> Self {
        Self { data: Box::into_raw(boxed) }
    }
}

impl<T: Clone> Clone for Owned<T> {
    /// Clones the value, and keeps the tag.
    fn clone(&self) -> Self {
        Self::new((**self).clone()).with_tag(self.tag())
    }
}

impl<T> AsRef<T> for Owned<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T> AsMut<T> for Owned<T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T> Borrow<T> for Owned<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T> BorrowMut<T> for Owned<T> {
    fn borrow_mut(&mut self) -> &mut T {
        self
    }
}

impl<T> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").field("raw", &untagged(self.data)).field("tag", &self.tag()).finish()
    }
}
