//! Which task the current thread polls.

use super::header::{Header, TaskId};
use std::cell::Cell;
use std::ptr::NonNull;
use tiny_coro_prim::thread::thread_local;

thread_local! {
    /// The task whose poll is the innermost on this thread. Valid while set: the poller has a reference.
    static CURRENT: Cell<Option<NonNull<Header>>> = const { Cell::new(None) };
}

/// Makes `task` the current one until the guard is dropped.
pub(super) fn enter(task: NonNull<Header>) -> Entered {
    Entered { previous: CURRENT.with(|current| current.replace(Some(task))) }
}

pub(super) struct Entered {
    previous: Option<NonNull<Header>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(self.previous));
    }
}

/// The id of the task that calls it.
///
/// # Panics
///
/// Outside a task; [`try_id`] does not.
#[track_caller]
pub fn id() -> TaskId {
    try_id().expect("`task::id` was called outside a task")
}

/// The id of the task that calls it; `None` outside a task, as in the main future of `block_on`.
pub fn try_id() -> Option<TaskId> {
    let current = CURRENT.try_with(Cell::get).ok().flatten()?;
    // SAFETY: the poll that set it is further up on this thread's stack, and has a reference.
    Some(unsafe { current.as_ref() }.id)
}
