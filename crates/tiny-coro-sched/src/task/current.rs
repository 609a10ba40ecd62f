//! Which task the current thread polls.

use super::header::{Header, TaskId};
use super::waker::is_waker_of;
use std::cell::Cell;
use std::ptr::NonNull;
use std::task::Waker;
use tiny_coro_prim::thread::thread_local;

#[derive(Clone, Copy)]
struct Current {
    /// Valid while set: the poller has a reference.
    task: Option<NonNull<Header>>,
    /// True once the task was woken by its own poll.
    woken: bool,
}

thread_local! {
    /// The innermost poll of a task on this thread.
    static CURRENT: Cell<Current> = const { Cell::new(Current { task: None, woken: false }) };
}

/// Makes `task` the current one until the guard is dropped.
pub(super) fn enter(task: NonNull<Header>) -> Entered {
    Entered { previous: CURRENT.with(|current| current.replace(Current { task: Some(task), woken: false })) }
}

pub(super) struct Entered {
    previous: Current,
}

impl Entered {
    /// True if the task was woken by [`wake`] meanwhile.
    pub(super) fn is_woken(&self) -> bool {
        CURRENT.try_with(|current| current.get().woken).unwrap_or(false)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(self.previous));
    }
}

/// Wakes `task`, if it is the one that this thread polls: the end of its poll will see to it. False if it is not.
#[must_use = "a task that is not current is not woken by this"]
pub(super) fn wake(task: NonNull<Header>) -> bool {
    let woken = CURRENT.try_with(|current| {
        let is_current = current.get().task == Some(task);
        if is_current {
            current.set(Current { task: Some(task), woken: true });
        }
        is_current
    });
    woken.unwrap_or(false)
}

/// True if `waker` is that of the task that this thread polls, and the task has woken itself in this poll: it will be polled again at once.
/// Whoever was polled with that waker will be, too, since nobody can tell for whom it was woken.
pub(crate) fn is_woken(waker: &Waker) -> bool {
    let current = CURRENT.try_with(Cell::get);
    current.is_ok_and(|current| current.woken && current.task.is_some_and(|task| is_waker_of(waker, task)))
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
    let current = CURRENT.try_with(Cell::get).ok()?.task?;
    // SAFETY: the poll that set it is further up on this thread's stack, and has a reference.
    Some(unsafe { current.as_ref() }.id)
}
