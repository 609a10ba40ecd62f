//! The model checker's backend: a mutex and a condition variable that it knows, and no clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tiny_coro_prim::checker::let_time_pass;
use tiny_coro_prim::checker::sync::{Condvar, Mutex, MutexGuard};

use super::Slept;
use super::monitor::Monitor;

/// Sleeps as the model checker sees it. Of a parker's sleeps that are not over at the first look, every other one is ended by
/// a signal; the rest end by a wake, or where there is a deadline by that.
#[derive(Debug, Default)]
pub struct Model {
    inside: Mutex<()>,
    woken: Condvar,
    // Not the seam's: only the owner looks at it, and it is no part of the protocol.
    signalled: AtomicBool,
}

impl Monitor for Model {
    type Guard<'a> = MutexGuard<'a, ()>;

    fn enter(&self) -> MutexGuard<'_, ()> {
        self.inside.lock().expect("nobody panics under this lock")
    }

    fn wait<'a>(&'a self, guard: MutexGuard<'a, ()>) {
        if self.signalled.fetch_not(Ordering::Relaxed) {
            drop(self.woken.wait(guard));
        }
    }

    /// The sleep is over at once, which is as long after the look at the word as the checker likes.
    fn wait_until<'a>(&'a self, guard: MutexGuard<'a, ()>, _deadline: Instant) -> Slept {
        drop(guard);
        let_time_pass();
        if self.signalled.fetch_not(Ordering::Relaxed) { Slept::DeadlinePassed } else { Slept::LookAgain }
    }

    fn notify(&self) {
        self.woken.notify_one();
    }
}
