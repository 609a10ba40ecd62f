//! A future on its way into its cell.

use std::mem::{self, ManuallyDrop};
use std::ptr;

/// A future that is about to be spawned: a pointer to where the caller has put it, so that it is copied once, however many functions
/// and closures it passes on its way. Futures of some kilobytes are common.
///
/// Dropped on the way, it drops the future.
pub(crate) struct Incoming<'a, F>(&'a mut ManuallyDrop<F>);

impl<F> Incoming<'_, F> {
    /// Calls `body` with `future`.
    #[inline(always)]
    pub(crate) fn with<R>(future: F, body: impl FnOnce(Incoming<'_, F>) -> R) -> R {
        let mut future = ManuallyDrop::new(future);
        body(Incoming(&mut future))
    }

    /// Moves the future to `place`.
    ///
    /// # Safety
    ///
    /// `place` may be written to.
    #[inline(always)]
    pub(super) unsafe fn move_to(self, place: *mut F) {
        // SAFETY: the source is a value that nobody else reads from here on: `with` has given out this one pointer to it, which is
        // forgotten below. The two are not the same place, since `place` may be written to.
        unsafe { ptr::copy_nonoverlapping(ptr::from_mut(self.0).cast::<F>(), place, 1) };
        mem::forget(self);
    }
}

impl<F> Drop for Incoming<'_, F> {
    fn drop(&mut self) {
        // SAFETY: `with` leaves the future to this value, and `move_to` forgets it.
        unsafe { ManuallyDrop::drop(self.0) };
    }
}
