//! A pin, and what can be done under it.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;

use crate::collector::Collector;
use crate::deferred::Deferred;
use crate::epoch::full_fence;
use crate::participant::Participant;

/// Keeps its thread pinned: nothing that could be reached when it was made, or since, is reclaimed while it lives.
///
/// A guard may outlive the handle that made it. It stays on its thread, and so does a future that holds one across an
/// await:
///
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(tiny_coro_ebr::pin());
/// ```
#[must_use = "dropping the guard unpins"]
pub struct Guard {
    entry: NonNull<Participant>,
    _not_send: PhantomData<*mut ()>,
}

impl Guard {
    #[inline]
    pub(crate) fn enter(entry: &Participant) -> Self {
        let look = entry.enter();
        // The guard comes first: it unpins if a deferred function unwinds.
        let guard = Self { entry: NonNull::from(entry), _not_send: PhantomData };
        if look {
            entry.look_after();
        }
        guard
    }

    #[inline]
    pub(crate) fn enter_fenced(entry: &Participant) -> Self {
        if entry.is_pinned() {
            full_fence();
        }
        Self::enter(entry)
    }

    #[inline]
    fn entry(&self) -> &Participant {
        // SAFETY: an entry with a guard keeps its collector, and that keeps the entry.
        unsafe { self.entry.as_ref() }
    }

    /// Calls `function` once nobody who is pinned now, or has been since before this call, is pinned any more.
    ///
    /// It may be called by any thread, inside a later `pin`, `defer` or `flush`, or when the collector is dropped. Up
    /// to three words of captured values are stored without an allocation. A panic in it is reported by the panic
    /// hook and counted in [`Statistics::panics`](crate::Statistics::panics); it reaches nobody else.
    ///
    /// # Safety
    ///
    /// - Whatever `function` destroys was made unreachable for new pins before this call, while this guard lived, and
    ///   is deferred once.
    /// - `function` may be called later by another thread: what it captures is `Send` and lives as long as it takes,
    ///   or is used as if it were.
    ///
    /// # Examples
    ///
    /// ```
    /// let guard = tiny_coro_ebr::pin();
    /// // SAFETY: it destroys nothing, and captures nothing.
    /// unsafe { guard.defer(|| println!("everybody has moved on")) };
    /// ```
    #[inline]
    pub unsafe fn defer<F: FnOnce()>(&self, function: F) {
        self.entry().retire(Deferred::new(function), mem::size_of::<F>());
    }

    /// Like [`defer`](Self::defer), and counts `bytes` of garbage against [`Limits::bytes`](crate::Limits::bytes).
    ///
    /// # Safety
    ///
    /// As for [`defer`](Self::defer).
    #[inline]
    pub unsafe fn defer_sized<F: FnOnce()>(&self, bytes: usize, function: F) {
        self.entry().retire(Deferred::new(function), bytes);
    }

    /// Drops the box behind `pointer` once nobody who is pinned now, or has been since before this call, is pinned
    /// any more.
    ///
    /// # Safety
    ///
    /// - `pointer` came from [`Box::into_raw`] and is not used by anybody who is not pinned with this collector.
    /// - No new pin can reach it, since before this call and while this guard lived; it is retired once.
    /// - Another thread may drop the value: it is `Send` and lives as long as it takes, or is dropped as if it were.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicPtr, Ordering};
    ///
    /// let current = AtomicPtr::new(Box::into_raw(Box::new(1)));
    /// let guard = tiny_coro_ebr::pin();
    /// let old = current.swap(Box::into_raw(Box::new(2)), Ordering::AcqRel);
    /// // SAFETY: the swap took the box out of everybody's sight, under this guard, and gave it to us alone.
    /// unsafe { guard.defer_destroy(old) };
    /// # // SAFETY: nobody else has the second box.
    /// # unsafe { drop(Box::from_raw(current.into_inner())) };
    /// ```
    #[inline]
    pub unsafe fn defer_destroy<T: ?Sized>(&self, pointer: *mut T) {
        // SAFETY: the caller vouches that the value is alive until it is dropped here.
        let bytes = mem::size_of_val(unsafe { &*pointer });
        // SAFETY: the caller vouches that it came from a box and is retired once.
        let destroy = move || drop(unsafe { Box::from_raw(pointer) });
        self.entry().retire(Deferred::new(destroy), bytes);
    }

    /// Gives this thread's garbage to the collector, tries to advance the epoch, and reclaims what it can.
    ///
    /// Where nobody else is pinned, three rounds of `pin` and `flush` reclaim everything.
    pub fn flush(&self) {
        self.entry().hand_over();
        self.entry().help();
    }

    /// Unpins and pins again, if this is the only guard: lets the epoch pass. Otherwise does nothing.
    ///
    /// It takes the guard exclusively, so that no reference borrowed from it survives.
    pub fn repin(&mut self) {
        if self.entry().is_outermost() && self.entry().pin() {
            self.entry().look_after();
        }
    }

    /// Returns a handle on the collector.
    pub fn collector(&self) -> Collector {
        Collector::from_shared(self.entry().collector())
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        // The last user of a collector drops it here, after the last use of the entry.
        drop(self.entry().leave());
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard { .. }")
    }
}
