//! The futures that wait for a lock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::{Mutex, MutexGuard, OwnedMutexGuard};
use crate::list::{Phase, Waiter};

/// What a poll after the end says.
const READY: &str = "a lock future was polled after it was ready";

/// The future of [`Mutex::lock`].
#[must_use = "a future does nothing until it is polled"]
pub struct Lock<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// Pinned with the future.
    waiter: Waiter<()>,
}

impl<'a, T: ?Sized> Lock<'a, T> {
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T>) -> Self {
        Self { mutex, waiter: Waiter::new(None) }
    }
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `waiter` stays pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `this` was pinned, and so is its field.
        let waiter = unsafe { Pin::new_unchecked(&mut this.waiter) };
        ready!(this.mutex.raw.poll_lock(waiter, cx));
        // SAFETY: Ready means that the lock is ours.
        Poll::Ready(unsafe { MutexGuard::new(this.mutex) })
    }
}

impl<T: ?Sized> Drop for Lock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.waiter.phase() != Phase::Idle {
            // SAFETY: a waiter that isn't idle has been polled, so it is pinned; it is not moved before it is gone.
            self.mutex.raw.cancel(unsafe { Pin::new_unchecked(&mut self.waiter) });
        }
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// The future of [`Mutex::lock_owned`].
#[must_use = "a future does nothing until it is polled"]
pub struct LockOwned<T: ?Sized> {
    /// `None` once the guard has it.
    mutex: Option<Arc<Mutex<T>>>,
    /// Pinned with the future.
    waiter: Waiter<()>,
}

impl<T: ?Sized> LockOwned<T> {
    pub(super) fn new(mutex: Arc<Mutex<T>>) -> Self {
        Self { mutex: Some(mutex), waiter: Waiter::new(None) }
    }
}

impl<T: ?Sized> Future for LockOwned<T> {
    type Output = OwnedMutexGuard<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `waiter` is not moved and stays pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `this` was pinned, and so is its field.
        let waiter = unsafe { Pin::new_unchecked(&mut this.waiter) };
        ready!(this.mutex.as_ref().expect(READY).raw.poll_lock(waiter, cx));
        let mutex = this.mutex.take().expect(READY);
        // SAFETY: Ready means that the lock is ours.
        Poll::Ready(unsafe { OwnedMutexGuard::new(mutex) })
    }
}

impl<T: ?Sized> Drop for LockOwned<T> {
    fn drop(&mut self) {
        if let Some(mutex) = &self.mutex {
            // SAFETY: a waiter that `cancel` touches has been polled, so it is pinned; it is not moved before it is gone.
            mutex.raw.cancel(unsafe { Pin::new_unchecked(&mut self.waiter) });
        }
    }
}

impl<T: ?Sized> fmt::Debug for LockOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOwned").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
