//! One thread's registration with a collector.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::collector::Collector;
use super::guard::Guard;
use super::participant::Participant;

/// A thread's registration with a collector. Dropping it hands the thread's garbage over.
///
/// It stays on its thread:
///
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(tiny_coro_ebr::Collector::new().register());
/// ```
pub struct LocalHandle {
    entry: NonNull<Participant>,
    _not_send: PhantomData<*mut ()>,
}

impl LocalHandle {
    /// Wraps an entry that the caller has claimed and set up.
    pub(super) fn new(entry: &Participant) -> Self {
        Self { entry: NonNull::from(entry), _not_send: PhantomData }
    }

    #[inline]
    pub(super) fn entry(&self) -> &Participant {
        // SAFETY: the entry keeps its collector, and that keeps the entry, at least until this handle is dropped.
        unsafe { self.entry.as_ref() }
    }

    /// Pins: until the guard is dropped, nothing that can be reached now is reclaimed. Pins nest.
    #[inline]
    pub fn pin(&self) -> Guard {
        Guard::enter(self.entry())
    }

    /// Returns whether a guard of this handle is alive.
    #[inline]
    pub fn is_pinned(&self) -> bool {
        self.entry().is_pinned()
    }

    /// Returns the collector.
    pub fn collector(&self) -> &Collector {
        self.entry().collector()
    }
}

impl Drop for LocalHandle {
    fn drop(&mut self) {
        // The last user of a collector drops it here, after the last use of the entry.
        drop(self.entry().drop_handle());
    }
}

impl fmt::Debug for LocalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHandle").field("pinned", &self.is_pinned()).finish_non_exhaustive()
    }
}
