//! What the runtime does when a task panics, besides giving the payload to the join handle.

use crate::task::TaskId;
use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

/// What to do when a task or a blocking closure panics; for [`Builder::panic_policy`](crate::Builder::panic_policy). In any case the
/// panic ends that task only, and its [`JoinError`](crate::JoinError) has the payload.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum PanicPolicy {
    /// Nothing more: the panic hook of the process has printed the message. The default.
    #[default]
    Log,
    /// Call a function, on the thread where it happened. What the function itself panics with is dropped.
    Call(Arc<dyn Fn(&TaskPanic<'_>) + Send + Sync>),
    /// Shut the runtime down, as [`Runtime::shutdown_background`](crate::Runtime::shutdown_background): all other tasks are
    /// cancelled.
    ShutDown,
}

impl PanicPolicy {
    /// Calls `callback` for each panic.
    pub fn call(callback: impl Fn(&TaskPanic<'_>) + Send + Sync + 'static) -> Self {
        Self::Call(Arc::new(callback))
    }
}

impl fmt::Debug for PanicPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "Log",
            Self::Call(_) => "Call",
            Self::ShutDown => "ShutDown",
        })
    }
}

/// A task that has panicked.
#[derive(Debug)]
#[non_exhaustive]
pub struct TaskPanic<'a> {
    /// The task's id.
    pub id: TaskId,
    /// Its name, if it was given one.
    pub name: Option<&'a str>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// What it panicked with.
    pub payload: &'a (dyn Any + Send),
}

impl TaskPanic<'_> {
    /// The text of the panic, where it has one.
    pub fn message(&self) -> Option<&str> {
        message(self.payload)
    }
}

/// Calls `body`, which runs code of users. A panic there has been printed by the panic hook, and ends here.
pub(crate) fn quietly(body: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(body)) else { return };
    // The payload's own destructor may panic: that payload is given up.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(payload);
    }
}

/// The text of a panic's payload, where it has one.
pub(crate) fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
