//! Cache lines of its own for a value.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Keeps a value on cache lines of its own.
///
/// Two threads that write to neighbouring words of one cache line slow each other down as if they shared the word
/// (*false sharing*). The alignment is two lines, because x86-64 prefetches lines in pairs and Apple's aarch64 has lines
/// of 128 bytes.
///
/// ```
/// use tiny_coro_prim::CachePadded;
/// assert_eq!(std::mem::align_of::<CachePadded<u8>>(), 128);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(align(128))]
pub struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    /// Pads `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value without its padding.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for CachePadded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for CachePadded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
