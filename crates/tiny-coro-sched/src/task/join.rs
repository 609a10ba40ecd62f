//! The handles to a task: await its result, or end it.

use super::header::{TaskId, TaskRef};
use super::state::Wake;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

/// Awaits a task's result. Dropping it detaches the task, which runs on.
///
/// # Cancel safety
///
/// Polling through `&mut JoinHandle` may stop at any time: the result stays until it is taken.
///
/// # Panics
///
/// When it is polled after it has given its result.
#[must_use = "dropping a JoinHandle detaches the task; call `detach` to say so"]
pub struct JoinHandle<T> {
    task: ManuallyDrop<TaskRef>,
    _output: PhantomData<T>,
}

// SAFETY: the output moves to the thread that polls the handle, so `T: Send` is enough; the rest is `Send` itself.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: `&JoinHandle` gives no access to the output.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// Makes the one join handle of a task.
    ///
    /// # Safety
    ///
    /// `task` is the reference that was counted for the join handle of a task with output `T`.
    pub(crate) unsafe fn new(task: TaskRef) -> Self {
        Self { task: ManuallyDrop::new(task), _output: PhantomData }
    }

    /// Ends the task at its next suspension point: its future is dropped, and awaiting gives
    /// [`JoinError::is_cancelled`]. A task that completes first keeps its result. A blocking closure that has
    /// started is not interrupted.
    pub fn abort(&self) {
        abort(&self.task);
    }

    /// Returns true once the result is there.
    pub fn is_finished(&self) -> bool {
        self.task.header().state.is_complete()
    }

    /// Returns a handle that can abort the task and nothing else.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { task: self.task.duplicate() }
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.task.header().id
    }

    /// Lets the task run on by itself; its result is dropped. The same as dropping the handle, said aloud.
    pub fn detach(self) {}
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut output: Poll<Self::Output> = Poll::Pending;
        let header = self.task.as_raw();
        let poll_join = self.task.header().vtable.poll_join;
        // SAFETY: this is the join handle, borrowed exclusively, and `output` has the type it was made for.
        unsafe { poll_join(header, (&raw mut output).cast(), cx.waker()) };
        output
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let drop_join = self.task.header().vtable.drop_join;
        // SAFETY: the handle ends here, and `ManuallyDrop` leaves its reference to `drop_join`.
        unsafe { drop_join(self.task.as_raw()) };
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinHandle").field(self.task.header()).finish()
    }
}

/// Aborts a task without waiting for it. Holding one keeps the task's memory, not the task, alive.
pub struct AbortHandle {
    task: TaskRef,
}

impl AbortHandle {
    /// As [`JoinHandle::abort`].
    pub fn abort(&self) {
        abort(&self.task);
    }

    /// As [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.task.header().state.is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.task.header().id
    }
}

impl Clone for AbortHandle {
    fn clone(&self) -> Self {
        Self { task: self.task.duplicate() }
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AbortHandle").field(self.task.header()).finish()
    }
}

fn abort(task: &TaskRef) {
    if task.header().state.cancel() == Wake::Submit {
        // SAFETY: `cancel` has set SCHEDULED and counted a reference for the queue.
        unsafe { (task.header().vtable.submit)(task.as_raw()) };
    }
}

/// Why a task has no result: it panicked, or it was cancelled by [`JoinHandle::abort`] or the end of its runtime.
pub struct JoinError {
    id: TaskId,
    /// The payload of the panic. In a mutex because a payload is `Send` and an error is expected to be `Sync`.
    panic: Option<Mutex<Box<dyn Any + Send>>>,
}

impl JoinError {
    pub(crate) fn cancelled(id: TaskId) -> Self {
        Self { id, panic: None }
    }

    pub(crate) fn panic(id: TaskId, payload: Box<dyn Any + Send>) -> Self {
        Self { id, panic: Some(Mutex::new(payload)) }
    }

    /// Returns true if the task was aborted, or its runtime ended first.
    pub fn is_cancelled(&self) -> bool {
        self.panic.is_none()
    }

    /// Returns true if the task panicked.
    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// Returns what the task panicked with, to be passed to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the task did not panic; [`try_into_panic`](JoinError::try_into_panic) does not.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        self.try_into_panic().expect("the task was cancelled, it did not panic")
    }

    /// Returns what the task panicked with.
    ///
    /// # Errors
    ///
    /// This error itself, if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.panic {
            Some(payload) => Ok(payload.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())),
            None => Err(self),
        }
    }

    /// The id of the task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The text of the panic, where it has one.
    fn message(&self) -> Option<String> {
        let payload = self.panic.as_ref()?.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.panic, self.message()) {
            (None, _) => write!(f, "task {} was cancelled", self.id),
            (Some(_), Some(text)) => write!(f, "task {} panicked: {text}", self.id),
            (Some(_), None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        io::Error::other(error)
    }
}
