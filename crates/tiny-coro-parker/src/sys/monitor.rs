//! Everywhere: a mutex and its condition variable do what the futex does.

use std::fmt;
use std::time::Instant;

use tiny_coro_prim::atomic::{AtomicU32, Ordering};

use super::{Backend, Slept};

/// A mutex and its condition variable: a [`Backend`] for whoever has no better one.
///
/// # Examples
///
/// `Std` is this, but for the poisoning:
///
/// ```
/// use std::sync::{Condvar, Mutex, MutexGuard};
/// use std::time::Instant;
/// use tiny_coro_parker::Parker;
/// use tiny_coro_parker::backend::{Monitor, Slept};
///
/// #[derive(Debug, Default)]
/// struct Mine(Mutex<()>, Condvar);
///
/// impl Monitor for Mine {
///     type Guard<'a> = MutexGuard<'a, ()>;
///
///     fn enter(&self) -> MutexGuard<'_, ()> {
///         self.0.lock().unwrap()
///     }
///
///     fn wait<'a>(&'a self, guard: MutexGuard<'a, ()>) {
///         drop(self.1.wait(guard).unwrap());
///     }
///
///     fn wait_until<'a>(&'a self, guard: MutexGuard<'a, ()>, deadline: Instant) -> Slept {
///         let left = deadline.saturating_duration_since(Instant::now());
///         if left.is_zero() {
///             return Slept::DeadlinePassed;
///         }
///         drop(self.1.wait_timeout(guard, left).unwrap());
///         Slept::LookAgain
///     }
///
///     fn notify(&self) {
///         self.1.notify_one();
///     }
/// }
///
/// let parker = Parker::with_backend(Mine::default());
/// parker.unpark();
/// parker.park();
/// ```
pub trait Monitor: fmt::Debug + Send + Sync + 'static {
    /// The right to be inside; dropping it leaves.
    type Guard<'a>
    where
        Self: 'a;

    /// Locks the mutex.
    fn enter(&self) -> Self::Guard<'_>;

    /// Unlocks the mutex and falls asleep in one step, until a [`notify`](Self::notify) or for no reason. Ends outside.
    fn wait<'a>(&'a self, guard: Self::Guard<'a>);

    /// Does what [`wait`](Self::wait) does, until `deadline` at most. Does not wait if that has passed.
    fn wait_until<'a>(&'a self, guard: Self::Guard<'a>, deadline: Instant) -> Slept;

    /// Wakes one thread that waits.
    fn notify(&self);
}

impl<M: Monitor> Backend for M {
    fn sleep(&self, word: &AtomicU32, value: u32) {
        let guard = self.enter();
        // Relaxed: a waker changes the word, then enters. If that was before us, the lock shows us the change; if it is
        // after us, it finds us asleep (K4).
        if word.load(Ordering::Relaxed) == value {
            self.wait(guard);
        }
    }

    fn sleep_until(&self, word: &AtomicU32, value: u32, deadline: Instant) -> Slept {
        let guard = self.enter();
        // Relaxed: as in `sleep`.
        if word.load(Ordering::Relaxed) == value { self.wait_until(guard, deadline) } else { Slept::LookAgain }
    }

    fn wake(&self, _word: &AtomicU32) {
        // Waits out an owner that has looked at the word but is not asleep yet (K4). Left again before the notification, so
        // that the owner does not wake up only to wait for the lock.
        drop(self.enter());
        self.notify();
    }
}
