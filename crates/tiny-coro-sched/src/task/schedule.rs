//! What a task needs of the scheduler it belongs to.

use super::header::{Header, TaskId, TaskRef};
use super::join::JoinError;
use std::any::Any;
use std::ptr::NonNull;
use std::task::Waker;

/// Why a task is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was woken while idle.
    Wake,
    /// It was woken while it ran: it goes behind the others.
    Yield,
}

/// The scheduler side of a task, kept in the task's own allocation.
pub(crate) trait Schedule: Send + Sync + Sized + 'static {
    /// Queues `task`.
    ///
    /// # Safety
    ///
    /// `this` lies inside the allocation of `task`: it is alive at the call, and may be freed as soon as `task` is handed on.
    unsafe fn submit(this: NonNull<Self>, task: TaskRef, cause: Cause);

    /// Enters a task that is about to wait for the first time in a list of waiting tasks, with a reference of its own. False
    /// if the runtime ends: the task is to be cancelled instead. The caller has set RUNNING.
    fn enlist(&self, task: NonNull<Header>) -> bool;

    /// A task is about to complete, its future is gone: takes it out of its list of waiting tasks. Returns true if that list still
    /// had it: the list's reference is then the caller's, who has set RUNNING.
    fn release(&self, task: NonNull<Header>) -> bool;

    /// A task is about to be polled. The caller has set RUNNING.
    fn started(&self, task: &Header) {
        let _ = task;
    }

    /// The name of its tasks.
    fn name(&self) -> Option<&str> {
        None
    }

    /// The error of a task that ends without a result and without a panic.
    fn cancelled(&self, id: TaskId) -> JoinError {
        JoinError::cancelled(id)
    }

    /// Somebody waited for the task's result, with `joiner`, and does not get it: the task was cancelled, or its handle dropped.
    fn unjoined(&self, task: &Header, joiner: &Waker) {
        let _ = (task, joiner);
    }

    /// A task has panicked. The caller has set RUNNING.
    fn panicked(&self, task: &Header, payload: &(dyn Any + Send)) {
        let _ = (task, payload);
    }
}
