//! Everywhere: a mutex and a condition variable do what the futex does.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tiny_coro_prim::atomic::{AtomicU32, Ordering};

use super::Slept;

#[derive(Debug)]
pub(crate) struct Bed {
    /// Held between the look at the word and falling asleep (K4).
    looking: Mutex<()>,
    woken: Condvar,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self { looking: Mutex::new(()), woken: Condvar::new() }
    }

    pub(crate) fn sleep(&self, word: &AtomicU32, value: u32) {
        let guard = self.look();
        // Relaxed: `wake` takes the lock after the word has changed. If that was before us, the lock shows us the change; if it
        // is after us, it finds us asleep.
        if word.load(Ordering::Relaxed) == value {
            drop(self.woken.wait(guard));
        }
    }

    pub(crate) fn sleep_until(&self, word: &AtomicU32, value: u32, deadline: Instant) -> Slept {
        let guard = self.look();
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Slept::DeadlinePassed;
        }
        // Relaxed: as in `sleep`.
        if word.load(Ordering::Relaxed) == value {
            drop(self.woken.wait_timeout(guard, left));
        }
        Slept::LookAgain
    }

    pub(crate) fn wake(&self, _word: &AtomicU32) {
        // Wait out an owner that has looked at the word but not fallen asleep yet (K4).
        drop(self.look());
        self.woken.notify_one();
    }

    fn look(&self) -> MutexGuard<'_, ()> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
