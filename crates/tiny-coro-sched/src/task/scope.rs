//! Tasks that end before the future that started them does.

use super::{AbortHandle, JoinError, JoinHandle, TaskId};
use pin_project_lite::pin_project;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tiny_coro_prim::sync::Mutex;

/// Runs `body`, which may spawn tasks through the [`Scope`], and waits until every one of them has ended, its future dropped.
///
/// The tasks run on the current runtime, `'static` like all tasks: what they share with the body is counted (`Arc`).
///
/// # Panics
///
/// When `body` does; the tasks are aborted then. And, after all tasks have ended, when one of them panicked, in a poll or in a
/// destructor, and nobody saw that in its join handle.
///
/// # Cancel safety
///
/// Dropping it drops `body` and aborts the tasks; it can't wait for them then.
///
/// # Examples
///
/// ```
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::sync::Arc;
/// use tiny_coro_sched::task;
///
/// let sum = Arc::new(AtomicU32::new(0));
/// task::scope(async |scope| {
///     for n in 1..=10 {
///         let sum = sum.clone();
///         scope.spawn(async move { sum.fetch_add(n, Ordering::Relaxed) });
///     }
/// })
/// .await;
/// assert_eq!(sum.load(Ordering::Relaxed), 55);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn scope<R>(body: impl AsyncFnOnce(&Scope) -> R) -> R {
    let scope = Scope { children: Arc::default() };
    let result = body(&scope).await;
    poll_fn(|cx| scope.children.poll_ended(cx)).await;
    let panicked = scope.children.0.lock().panicked;
    assert!(panicked == 0, "{panicked} tasks of a scope panicked, and nobody looked at their join handles");
    result
}

/// Where [`scope`] spawns its tasks.
#[derive(Debug)]
pub struct Scope {
    children: Arc<Children>,
}

#[derive(Debug, Default)]
struct Children(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    live: usize,
    /// Tasks that panicked and whose handle has not told anybody.
    panicked: usize,
    waiter: Option<Waker>,
    /// The tasks that may be live; those that have ended are thrown out when the list would grow.
    abort: Vec<AbortHandle>,
}

impl Scope {
    /// Spawns a task that ends before the scope does. Dropping the handle changes nothing about that.
    ///
    /// # Panics
    ///
    /// On a thread that is not in a runtime.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> ScopedJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let ticket = Ticket::new(&self.children);
        let handle = crate::spawn(Child { future: Some(future), panicked: false, ticket });
        let mut state = self.children.0.lock();
        if state.abort.len() == state.abort.capacity() {
            state.abort.retain(|task| !task.is_finished());
        }
        state.abort.push(handle.abort_handle());
        drop(state);
        ScopedJoinHandle { handle, children: self.children.clone() }
    }

    /// How many of its tasks have not ended.
    pub fn len(&self) -> usize {
        self.children.0.lock().live
    }

    /// True if all its tasks have ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Scope {
    /// At the regular end there is nothing left to abort.
    fn drop(&mut self) {
        let abort = mem::take(&mut self.children.0.lock().abort);
        abort.iter().for_each(AbortHandle::abort);
    }
}

impl Children {
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.0.lock();
        if state.live == 0 {
            return Poll::Ready(());
        }
        let old = state.waiter.replace(waker);
        drop(state);
        drop(old); // after the lock: it may run user code
        Poll::Pending
    }
}

/// One live child. Dropped after the child's future, since it is the later field.
#[derive(Debug)]
struct Ticket(Arc<Children>);

impl Ticket {
    fn new(children: &Arc<Children>) -> Self {
        children.0.lock().live += 1;
        Self(children.clone())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.live -= 1;
        let waiter = if state.live == 0 { state.waiter.take() } else { None };
        drop(state);
        waiter.into_iter().for_each(Waker::wake);
    }
}

pin_project! {
    /// `None` once it is dropped.
    struct Child<F> {
        #[pin]
        future: Option<F>,
        // True once this child has been counted among those that panicked.
        panicked: bool,
        ticket: Ticket,
    }

    impl<F> PinnedDrop for Child<F> {
        /// A panic in the destructor counts as well, and has to before the ticket goes.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            counted(this.panicked, this.ticket, || this.future.set(None));
        }
    }
}

/// Calls `body`, and counts a panic that comes out of it, once a child.
fn counted<R>(panicked: &mut bool, ticket: &Ticket, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        if !mem::replace(panicked, true) {
            ticket.0.0.lock().panicked += 1;
        }
        resume_unwind(payload)
    })
}

impl<F: Future> Future for Child<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("the task is polled until it is dropped");
        counted(this.panicked, this.ticket, || future.poll(cx))
    }
}

/// Awaits the result of a task of a [`Scope`].
///
/// # Cancel safety
///
/// As that of [`JoinHandle`].
#[derive(Debug)]
pub struct ScopedJoinHandle<T> {
    handle: JoinHandle<T>,
    children: Arc<Children>,
}

impl<T> ScopedJoinHandle<T> {
    /// As [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// As [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.handle.id()
    }
}

impl<T> Future for ScopedJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.handle).poll(cx);
        if let Poll::Ready(Err(error)) = &polled
            && error.is_panic()
        {
            let mut state = self.children.0.lock();
            state.panicked = state.panicked.saturating_sub(1);
        }
        polled
    }
}
