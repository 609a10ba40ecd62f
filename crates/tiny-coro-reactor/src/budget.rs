//! The cooperative budget: a task whose sockets are always ready yields after a while.
//!
//! A scheduler calls [`reset`] before each poll of a task. Each readiness that a [`Source`](crate::Source) hands out costs one
//! unit; with none left, the source wakes the task and answers `Pending`, so the task goes to the back of its queue.
//! Outside a task of such a scheduler the budget is unlimited.

use std::cell::Cell;
use std::task::{Context, Poll};

/// How many ready operations a task may do in one poll, by default.
pub const DEFAULT: u32 = 128;

/// No limit: what a thread starts with.
pub const UNLIMITED: u32 = u32::MAX;

/// After how many refusals a thread gets a new budget that nobody has reset: a task may run an executor of its own, which
/// polls again and again inside one poll, and must not do so for ever.
const PATIENCE: u32 = 64;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(UNLIMITED) };
    static REFUSED: Cell<u32> = const { Cell::new(0) };
}

/// Gives the task that is about to be polled on this thread `units` ready operations; [`UNLIMITED`] lifts the limit.
#[inline]
pub fn reset(units: u32) {
    LEFT.with(|left| left.set(units));
}

/// How many ready operations the task on this thread has left.
#[inline]
pub fn left() -> u32 {
    LEFT.with(Cell::get)
}

/// Takes one unit, or wakes the task and answers `Pending` if none is left.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<()> {
    LEFT.with(|left| match left.get() {
        UNLIMITED => Poll::Ready(()),
        0 => {
            refuse();
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        units => {
            left.set(units - 1);
            Poll::Ready(())
        }
    })
}

fn refuse() {
    REFUSED.with(|refused| {
        refused.set((refused.get() + 1) % PATIENCE);
        if refused.get() == 0 {
            reset(DEFAULT);
        }
    });
}
