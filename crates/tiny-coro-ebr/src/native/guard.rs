//! A pin, and what can be done under it.

use std::fmt;
use std::mem;
use std::ptr;

use super::collector::Collector;
use super::deferred::Deferred;
use super::epoch::full_fence;
use super::participant::Participant;
use crate::Shared;

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
    /// Null in the one guard of [`unprotected`], which is never owned nor dropped.
    entry: *const Participant,
}

impl Guard {
    #[inline]
    pub(super) fn enter(entry: &Participant) -> Self {
        let look = entry.enter();
        // The guard comes first: it unpins if a deferred function unwinds.
        let guard = Self { entry };
        if look {
            entry.look_after();
        }
        guard
    }

    #[inline]
    pub(super) fn enter_fenced(entry: &Participant) -> Self {
        if entry.is_pinned() {
            // ORDERING E9: sequentially consistent, the caller's side of a protocol of its own. An outermost pin has
            // this fence, an inner one none.
            full_fence();
        }
        Self::enter(entry)
    }

    /// Returns the entry, unless the guard is that of [`unprotected`].
    #[inline]
    fn entry(&self) -> Option<&Participant> {
        // SAFETY: an entry with a guard keeps its collector, and that keeps the entry.
        unsafe { self.entry.as_ref() }
    }

    #[inline]
    fn retire<R>(&self, bytes: usize, function: impl FnOnce() -> R) {
        match self.entry() {
            Some(entry) => entry.retire(Deferred::new(|| drop(function())), bytes),
            None => drop(function()),
        }
    }

    /// Calls `function` once nobody who is pinned now, or has been since before this call, is pinned any more.
    ///
    /// It is called by any thread, inside a later `pin`, `defer` or `flush`, at the latest when the collector is
    /// dropped. Up to three words of captured values are stored without an allocation. A panic in it is reported by the
    /// panic hook and counted in [`Statistics::panics`](crate::Statistics::panics); it reaches nobody else.
    ///
    /// # Examples
    ///
    /// ```
    /// let guard = tiny_coro_ebr::pin();
    /// guard.defer(|| println!("everybody has moved on"));
    /// ```
    #[inline]
    pub fn defer<F, R>(&self, function: F)
    where
        F: FnOnce() -> R + Send + 'static,
    {
        self.retire(mem::size_of::<F>(), function);
    }

    /// Like [`defer`](Self::defer), for functions of which only the caller knows that they may be called later.
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
    /// use std::sync::atomic::{AtomicPtr, Ordering};
    ///
    /// let current = AtomicPtr::new(Box::into_raw(Box::new(1)));
    /// let guard = tiny_coro_ebr::pin();
    /// let old = current.swap(Box::into_raw(Box::new(2)), Ordering::AcqRel);
    /// // SAFETY: the swap took the box out of everybody's sight, under this guard, and gave it to us alone.
    /// unsafe { guard.defer_unchecked(move || Box::from_raw(old)) };
    /// # // SAFETY: nobody else has the second box.
    /// # unsafe { drop(Box::from_raw(current.into_inner())) };
    /// ```
    #[inline]
    pub unsafe fn defer_unchecked<F, R>(&self, function: F)
    where
        F: FnOnce() -> R,
    {
        self.retire(mem::size_of::<F>(), function);
    }

    /// Like [`defer_unchecked`](Self::defer_unchecked), and counts `bytes` of garbage against
    /// [`Limits::bytes`](crate::Limits::bytes), which otherwise are those of the captured values.
    ///
    /// # Safety
    ///
    /// As for [`defer_unchecked`](Self::defer_unchecked).
    #[inline]
    pub unsafe fn defer_sized<F, R>(&self, bytes: usize, function: F)
    where
        F: FnOnce() -> R,
    {
        self.retire(bytes, function);
    }

    /// Drops the box behind `pointer` once nobody who is pinned now, or has been since before this call, is pinned
    /// any more.
    ///
    /// `pointer` is a [`Shared`] or a raw pointer from [`Box::into_raw`].
    ///
    /// # Safety
    ///
    /// - `pointer` is not null, points to what was a box, and is not used by anybody who is not pinned with this
    ///   collector.
    /// - No new pin can reach it, since before this call and while this guard lived; it is retired once.
    /// - Another thread may drop the value: it is `Send` and lives as long as it takes, or is dropped as if it were.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::Ordering;
    /// use tiny_coro_ebr::{Atomic, Owned};
    ///
    /// let current = Atomic::new(1);
    /// let guard = tiny_coro_ebr::pin();
    /// let old = current.swap(Owned::new(2), Ordering::AcqRel, &guard);
    /// // SAFETY: the swap took the box out of everybody's sight, under this guard, and gave it to us alone.
    /// unsafe { guard.defer_destroy(old) };
    /// # // SAFETY: nobody else has the second box.
    /// # unsafe { drop(current.into_owned()) };
    /// ```
    #[inline]
    pub unsafe fn defer_destroy<'g, T: 'g>(&self, pointer: impl Into<Shared<'g, T>>) {
        let pointer = pointer.into();
        // SAFETY: the caller vouches that it came from a box and is retired once.
        self.retire(mem::size_of::<T>(), move || unsafe { pointer.into_owned() });
    }

    /// Gives this thread's garbage to the collector, tries to advance the epoch, and reclaims what it can.
    ///
    /// Where nobody else is pinned, three rounds of `pin` and `flush` reclaim everything, as long as that is not more
    /// than one step's share: see [`Limits`](crate::Limits).
    pub fn flush(&self) {
        if let Some(entry) = self.entry() {
            entry.hand_over();
            entry.help();
        }
    }

    /// Unpins and pins again, if this is the only guard: lets the epoch pass. Otherwise does nothing.
    ///
    /// It takes the guard exclusively, so that no reference borrowed from it survives.
    pub fn repin(&mut self) {
        let Some(entry) = self.entry() else { return };
        if entry.is_outermost() && entry.pin() {
            entry.look_after();
        }
    }

    /// Unpins, if this is the only guard, calls `function`, and pins again: for a wait in the midst of work.
    ///
    /// If `function` panics, the guard is pinned again all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut guard = tiny_coro_ebr::pin();
    /// let pinned = guard.repin_after(tiny_coro_ebr::is_pinned);
    /// assert!(!pinned && tiny_coro_ebr::is_pinned());
    /// ```
    pub fn repin_after<F, R>(&mut self, function: F) -> R
    where
        F: FnOnce() -> R,
    {
        let _resume = self.entry().map(Suspended::new);
        function()
    }

    /// Returns the collector; none if the guard is that of [`unprotected`].
    pub fn collector(&self) -> Option<&Collector> {
        self.entry().map(Participant::collector)
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: a guard that is owned has an entry, and an entry with a guard keeps its collector, which keeps it.
        let entry = unsafe { &*self.entry };
        // The last user of a collector drops it here, after the last use of the entry.
        drop(entry.leave());
    }
}

/// A guard without its pin, until it is dropped.
struct Suspended<'a>(&'a Participant);

impl<'a> Suspended<'a> {
    fn new(entry: &'a Participant) -> Self {
        entry.add_handle();
        let last = entry.leave();
        debug_assert!(last.is_none(), "an entry with a handle is not released");
        Self(entry)
    }
}

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        mem::forget(Guard::enter(self.0));
        let last = self.0.drop_handle();
        debug_assert!(last.is_none(), "an entry with a guard is not released");
    }
}

/// Returns a guard that pins nobody, for when there is nobody to be protected from: while a structure is being made or
/// dropped.
///
/// What is deferred with it is called at once.
///
/// # Safety
///
/// Whatever is reached through this guard is reached by no other thread at the same time; and what is retired with it
/// is not used by anybody any more.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::Ordering;
/// use tiny_coro_ebr::{Atomic, unprotected};
///
/// struct Cell(Atomic<String>);
///
/// impl Drop for Cell {
///     fn drop(&mut self) {
///         // SAFETY: who drops the cell has it alone, and the string is not retired a second time.
///         unsafe {
///             let guard = unprotected();
///             guard.defer_destroy(self.0.load(Ordering::Relaxed, guard));
///         }
///     }
/// }
/// drop(Cell(Atomic::new("dropped with the cell".into())));
/// ```
pub unsafe fn unprotected() -> &'static Guard {
    struct Nobody(Guard);

    // SAFETY: without an entry a guard has no state, and none of its methods touches any.
    unsafe impl Sync for Nobody {}

    static NOBODY: Nobody = Nobody(Guard { entry: ptr::null() });
    &NOBODY.0
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard { .. }")
    }
}
