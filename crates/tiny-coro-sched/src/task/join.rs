//! The handles to a task: await its result, or end it.

use super::header::{TaskId, TaskRef};
use super::state::Wake;
use crate::panic;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};
use tiny_coro_prim::budget;

/// Awaits a task's result. Dropping it detaches the task, which runs on.
///
/// # Cancel safety
///
/// Polling through `&mut JoinHandle` may stop at any time: the result stays until it is taken.
///
/// # Panics
///
/// When it is polled after it has given its result.
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

    /// The name that the task was given by [`task::Builder::name`](crate::task::Builder::name).
    pub fn name(&self) -> Option<&str> {
        self.task.name()
    }

    /// Lets the task run on by itself; its result is dropped. The same as dropping the handle, said aloud.
    pub fn detach(self) {}
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(budget::poll_left(cx));
        let polled = self.poll_result(cx);
        if polled.is_ready() {
            budget::spend();
        }
        polled
    }
}

impl<T> JoinHandle<T> {
    /// Polls without the budget.
    pub(super) fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let mut output: Poll<Result<T, JoinError>> = Poll::Pending;
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

/// Why a task has no result.
///
/// It panicked; it was cancelled, by [`JoinHandle::abort`] or the end of its runtime; or it is a blocking closure that was
/// refused, because the queue of the blocking pool was full.
pub struct JoinError(Repr);

/// Two words: it moves with every result.
enum Repr {
    Cancelled(TaskId),
    Refused(TaskId),
    Panic(Box<Panic>),
}

struct Panic {
    id: TaskId,
    /// In a mutex because a payload is `Send` and an error is expected to be `Sync`.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl JoinError {
    pub(crate) fn cancelled(id: TaskId) -> Self {
        Self(Repr::Cancelled(id))
    }

    pub(crate) fn refused(id: TaskId) -> Self {
        Self(Repr::Refused(id))
    }

    #[cold]
    pub(crate) fn panic(id: TaskId, payload: Box<dyn Any + Send>) -> Self {
        Self(Repr::Panic(Box::new(Panic { id, payload: Mutex::new(payload) })))
    }

    /// Returns true if the task was aborted, or its runtime ended first.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Repr::Cancelled(_))
    }

    /// Returns true if it is a blocking closure that was not accepted, because
    /// [`blocking_queue_capacity`](crate::Builder::blocking_queue_capacity) others were waiting for a thread.
    pub fn is_refused(&self) -> bool {
        matches!(self.0, Repr::Refused(_))
    }

    /// Returns true if the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Repr::Panic(_))
    }

    /// Returns what the task panicked with, to be passed to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the task did not panic; [`try_into_panic`](JoinError::try_into_panic) does not.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        self.try_into_panic().expect("the task did not panic")
    }

    /// Returns what the task panicked with.
    ///
    /// # Errors
    ///
    /// This error itself, if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.0 {
            Repr::Panic(panic) => Ok(panic.payload.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())),
            other => Err(Self(other)),
        }
    }

    /// Lends `body` what the task panicked with, if it did.
    pub(crate) fn with_panic(&self, body: impl FnOnce(&(dyn Any + Send))) {
        if let Repr::Panic(panic) = &self.0 {
            body(&**panic.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        }
    }

    /// The id of the task.
    pub fn id(&self) -> TaskId {
        match &self.0 {
            Repr::Cancelled(id) | Repr::Refused(id) => *id,
            Repr::Panic(panic) => panic.id,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Cancelled(id) => write!(f, "task {id} was cancelled"),
            Repr::Refused(id) => write!(
                f,
                "blocking closure {id} was refused: the queue of the blocking pool is full; raise `max_blocking_threads` or \
                 `blocking_queue_capacity`, or wait for others to end first"
            ),
            Repr::Panic(panic) => {
                let payload = panic.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                match panic::message(&**payload) {
                    Some(text) => write!(f, "task {} panicked: {text}", panic.id),
                    None => write!(f, "task {} panicked", panic.id),
                }
            }
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
        match error.0 {
            Repr::Refused(_) => io::Error::new(io::ErrorKind::ResourceBusy, error),
            _ => io::Error::other(error),
        }
    }
}
