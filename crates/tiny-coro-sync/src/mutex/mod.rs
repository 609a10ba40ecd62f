//! A mutual-exclusion lock that a coroutine may hold across `await`, first come, first served.
//!
//! A lock of the standard library blocks its thread, and with it every other coroutine there. [`Mutex::lock`] suspends
//! the coroutine instead. If nothing is awaited under the lock, the standard library's is the better choice: it is faster.
//!
//! # Vocabulary
//!
//! The *baton* is the right to the value. An unlock doesn't free a lock that others wait for, it hands the baton to the
//! *heir*, the first waiter: nobody can overtake, and nobody starves. A *waiter* is a node inside the [`Lock`] future:
//! waiting allocates nothing.
//!
//! # Protocol
//!
//! One byte of state decides everything that is uncontended, in one atomic operation each way. The list of waiters is
//! looked at only when `WAITERS` says so, under a short lock of its own.
//!
//! ```text
//!                  lock, try_lock                    lock: enlist
//!      UNLOCKED ───────────────────▶ LOCKED ──────────────────────────▶ LOCKED|WAITERS ◀─┐
//!          ▲                         │    ▲                                │   │         │ lock: enlist
//!          └──────── unlock ─────────┘    └─ unlock hands the baton to ────┘   └─────────┘ unlock to the heir,
//!                                            the last waiter, or it cancels                others still wait
//! ```
//!
//! `LOCKED` stays set while the baton travels: the heir's waiter turns from Queued to Done, and the heir is woken, after
//! the list's lock has been released, by whoever unlocked. On its next poll the heir sees Done and has the lock, without
//! touching the state.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | M1 | what a holder wrote is visible to the next holder | unlock (release), the waiter's phase (L4) | lock (acquire) | `mutual_exclusion` |
//! | M2 | exactly one guard, or one waiter that is Done, exists while `LOCKED` is set; none while it isn't | unlock, cancel | the guard's `&mut T` | `mutual_exclusion`, `granted_waiter_dropped` |
//! | M3 | outside the list's lock: `WAITERS` is set if and only if a waiter is queued; `WAITERS` implies `LOCKED` | enlist, unlock, cancel | the fast path of unlock | `baton_against_cancel` |
//! | M4 | waiters get the baton in the order in which they were queued | push at the back, take from the front | fairness | `first_come_first_served` |
//!
//! *No waiter is forgotten.* Let W be queued. By M3 `WAITERS` is set, so an unlock's exchange `LOCKED → UNLOCKED` fails and it
//! takes the list's lock. There it either finds W or somebody before W, who has the baton next (M4) and unlocks in turn,
//! or gives it back: a future that is dropped with the baton in its hands (Done) unlocks. So the baton reaches W after
//! finitely many unlocks. *Two never have it.* The state leaves `UNLOCKED` only by the exchange that one party wins, and
//! while `LOCKED` stays set only a waiter turned Done gets the baton, from the one who gave it up (M2).
//!
//! A panic under the lock unlocks it: there is no poisoning. Who needs to know keeps a flag beside the value.

mod guard;
mod lock;
mod raw;

use std::fmt;
use std::sync::Arc;

use tiny_coro_prim::cell::UnsafeCell;

pub use guard::{MutexGuard, OwnedMutexGuard};
pub use lock::{Lock, LockOwned};
use raw::RawMutex;

/// A fair mutual-exclusion lock for coroutines. See the [module page](self) for how it works.
///
/// It takes 32 bytes beside the value, and it can stand in a `static`.
///
/// # Examples
///
/// ```
/// use tiny_coro_sync::Mutex;
///
/// static TOTAL: Mutex<u64> = Mutex::new(0);
///
/// async fn add(n: u64) -> u64 {
///     let mut total = TOTAL.lock().await;
///     *total += n;
///     *total
/// }
/// ```
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

// SAFETY: M2: one guard at a time, so sharing the mutex only moves the access to `T` from thread to thread.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: owning the mutex is owning the value; the queue is empty while nobody borrows the mutex.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

impl<T> Mutex<T> {
    /// Makes an unlocked mutex.
    #[cfg(not(tiny_coro_loom))]
    pub const fn new(value: T) -> Self {
        Self { raw: RawMutex::new(), value: UnsafeCell::new(value) }
    }

    /// Makes an unlocked mutex.
    #[cfg(tiny_coro_loom)]
    pub fn new(value: T) -> Self {
        Self { raw: RawMutex::new(), value: UnsafeCell::new(value) }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// The guard unlocks when it is dropped. Waiters are served in the order of their first poll.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the place in the queue. If it has been handed the lock already, the lock goes on to
    /// the next waiter.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let mutex = tiny_coro_sync::Mutex::new(vec![1]);
    /// mutex.lock().await.push(2);
    /// assert_eq!(*mutex.lock().await, [1, 2]);
    /// # });
    /// ```
    pub fn lock(&self) -> Lock<'_, T> {
        Lock::new(self)
    }

    /// Waits for the lock, with a guard that keeps the mutex alive instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// As [`lock`](Self::lock).
    pub fn lock_owned(self: Arc<Self>) -> LockOwned<T> {
        LockOwned::new(self)
    }

    /// Takes the lock if it is free and nobody waits for it.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        // SAFETY: the lock was just taken.
        self.raw.try_lock().then(|| unsafe { MutexGuard::new(self) })
    }

    /// Takes the lock if it is free and nobody waits for it, with a guard that keeps the mutex alive.
    pub fn try_lock_owned(self: Arc<Self>) -> Option<OwnedMutexGuard<T>> {
        // SAFETY: the lock was just taken.
        self.raw.try_lock().then(|| unsafe { OwnedMutexGuard::new(self) })
    }

    /// Returns the value of a mutex that nobody else can have locked.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: `&mut self`: no guard and no waiter exists.
        self.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.finish()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}
