//! The short lock around a channel's state.
//!
//! Each message passes two critical sections, of a few moves each, so the lock's own cost is most of the channel's. A lock that
//! lets threads park needs an atomic read-modify-write to unlock, to see whether anybody does; this one unlocks by a
//! store. What it gives up is an immediate wake-up of a thread that waited long, and long waits happen here only when
//! the holder has been preempted: no user code, no wake and no system call runs under it (an unbounded channel's growth
//! and a close allocate). A thread that meets a held lock spins, then yields its processor, then sleeps for ever
//! longer moments, so it never competes with a preempted holder for the processor that would free the lock.

use std::ops::{Deref, DerefMut};

use tiny_coro_prim::atomic::{AtomicBool, Ordering};
use tiny_coro_prim::cell::UnsafeCell;
use tiny_coro_prim::{hint, thread};

/// A value that one thread at a time works on, for some nanoseconds.
pub(crate) struct SpinLock<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the flag lets one thread at a time reach the value.
unsafe impl<T: Send> Sync for SpinLock<T> {}
// SAFETY: owning the lock is owning the value.
unsafe impl<T: Send> Send for SpinLock<T> {}

impl<T> SpinLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Takes the lock.
    #[inline]
    pub(crate) fn lock(&self) -> SpinGuard<'_, T> {
        if !self.try_acquire() {
            self.acquire_contended();
        }
        SpinGuard { lock: self }
    }

    #[inline]
    fn try_acquire(&self) -> bool {
        // ORDERING K1: acquire. Pairs with the release store in the guard's drop.
        self.locked.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn acquire_contended(&self) {
        let mut round = 0;
        loop {
            pause(round);
            round += 1;
            if !self.locked.load(Ordering::Relaxed) && self.try_acquire() {
                return;
            }
        }
    }
}

/// Passes the time before look number `round` at a held lock.
#[cfg(not(tiny_coro_loom))]
fn pause(round: u32) {
    match round {
        // A critical section takes less than this, so who still finds the lock held after it is not waiting for the code.
        0..6 => (0..16 << round).for_each(|_| hint::spin_loop()),
        6..16 => thread::yield_now(),
        _ => thread::sleep(std::time::Duration::from_micros(50 << (round - 16).min(4))),
    }
}

#[cfg(tiny_coro_loom)]
fn pause(_: u32) {
    hint::spin_loop();
    thread::yield_now();
}

/// The lock on a [`SpinLock`].
pub(crate) struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> Drop for SpinGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING K1: release. Publishes what was done under the lock to the acquire in `try_acquire`.
        self.lock.locked.store(false, Ordering::Release);
    }
}

impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard has the only access.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for SpinGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard has the only access, and is borrowed for it.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}
