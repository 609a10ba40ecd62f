//! The model checker's futex: a mutex and a condition variable that it knows, and no clock.

use std::time::Instant;

use loom::sync::{Condvar, Mutex};
use tiny_coro_prim::atomic::{AtomicU32, Ordering};
use tiny_coro_prim::thread;

use super::Slept;

#[derive(Debug)]
pub(crate) struct Bed {
    looking: Mutex<()>,
    woken: Condvar,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self { looking: Mutex::new(()), woken: Condvar::new() }
    }

    pub(crate) fn sleep(&self, word: &AtomicU32, value: u32) {
        let guard = self.looking.lock().expect("nobody panics under this lock");
        if word.load(Ordering::Relaxed) == value {
            drop(self.woken.wait(guard));
        }
    }

    /// Other threads run for as long as the checker likes; then either the word has changed or the time is over.
    pub(crate) fn sleep_until(&self, word: &AtomicU32, value: u32, _deadline: Instant) -> Slept {
        thread::yield_now();
        if word.load(Ordering::Relaxed) == value { Slept::DeadlinePassed } else { Slept::LookAgain }
    }

    pub(crate) fn wake(&self, _word: &AtomicU32) {
        drop(self.looking.lock().expect("nobody panics under this lock"));
        self.woken.notify_one();
    }
}
