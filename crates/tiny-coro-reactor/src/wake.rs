//! Waking many, where one may panic.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

/// Wakes all of them. A panic of one (a waker is its executor's code) goes on after the last.
pub(crate) fn all(woken: impl IntoIterator<Item = Waker>) {
    let mut panicked = None;
    for waker in woken {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            panicked.get_or_insert(panic);
        }
    }
    if let Some(panic) = panicked
        && !std::thread::panicking()
    {
        resume_unwind(panic);
    }
}
