//! Every system: the standard library's mutex and condition variable.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Slept;
use super::monitor::Monitor;

/// Sleeps on the standard library's mutex and condition variable. The default where there is no `Futex`.
#[derive(Debug, Default)]
pub struct Std {
    inside: Mutex<()>,
    woken: Condvar,
}

impl Monitor for Std {
    type Guard<'a> = MutexGuard<'a, ()>;

    fn enter(&self) -> MutexGuard<'_, ()> {
        // Nothing that could be left half done is behind this lock.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, guard: MutexGuard<'a, ()>) {
        drop(self.woken.wait(guard));
    }

    fn wait_until<'a>(&'a self, guard: MutexGuard<'a, ()>, deadline: Instant) -> Slept {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Slept::DeadlinePassed;
        }
        drop(self.woken.wait_timeout(guard, left));
        Slept::LookAgain
    }

    fn notify(&self) {
        self.woken.notify_one();
    }
}
