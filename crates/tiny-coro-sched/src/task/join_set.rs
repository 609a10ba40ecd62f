//! A set of tasks, joined in the order in which they end.

use super::{AbortHandle, JoinError, JoinHandle, TaskId};
use crate::handle::Handle;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use tiny_coro_prim::budget;
use tiny_coro_prim::sync::Mutex;

/// A set of tasks with the same output, whose results come in the order in which the tasks end. Dropping it aborts those that are
/// left.
///
/// # Examples
///
/// ```
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// use tiny_coro_sched::task::JoinSet;
///
/// let mut set = JoinSet::new();
/// for n in 0..10 {
///     set.spawn(async move { n });
/// }
/// let mut sum = 0;
/// while let Some(result) = set.join_next().await {
///     sum += result.unwrap();
/// }
/// assert_eq!(sum, 45);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct JoinSet<T> {
    /// The tasks, by the number their wakers have; `None` where one has been joined.
    members: Vec<Option<Member<T>>>,
    vacant: Vec<usize>,
    ended: Arc<Ended>,
}

struct Member<T> {
    handle: JoinHandle<T>,
    waker: Waker,
}

/// Who is to be looked at, and who waits for that.
#[derive(Debug, Default)]
struct Ended(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Members that may have ended, each at most once but for members that are new.
    queue: VecDeque<usize>,
    waiter: Option<Waker>,
}

/// The waker that a member's join handle is polled with.
struct MemberWaker {
    number: usize,
    ended: Arc<Ended>,
}

impl Wake for MemberWaker {
    fn wake(self: Arc<Self>) {
        let waiter = {
            let mut state = self.ended.0.lock();
            state.queue.push_back(self.number);
            state.waiter.take()
        };
        waiter.into_iter().for_each(Waker::wake);
    }
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { members: Vec::new(), vacant: Vec::new(), ended: Arc::default() }
    }

    /// How many tasks have not been joined.
    pub fn len(&self) -> usize {
        self.members.len() - self.vacant.len()
    }

    /// True if every task has been joined.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns `future` onto the current runtime and adds the task.
    ///
    /// # Panics
    ///
    /// On a thread that is not in a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(crate::spawn(future))
    }

    /// Spawns `future` onto the runtime of `handle` and adds the task.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, future: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(future))
    }

    /// Spawns `future` onto the current [`LocalSet`](super::LocalSet) and adds the task.
    ///
    /// # Panics
    ///
    /// Outside a `LocalSet`.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(super::spawn_local(future))
    }

    /// Runs `closure` on the blocking pool of the current runtime and adds it.
    ///
    /// # Panics
    ///
    /// On a thread that is not in a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, closure: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(crate::spawn_blocking(closure))
    }

    fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let number = self.vacant.pop().unwrap_or_else(|| {
            self.members.push(None);
            self.members.len() - 1
        });
        let waker = Waker::from(Arc::new(MemberWaker { number, ended: self.ended.clone() }));
        // Its handle has no waker yet: the first look leaves it.
        waker.wake_by_ref();
        self.members[number] = Some(Member { handle, waker });
        abort
    }

    /// Waits for the next task to end, and returns its result; `None` once the set is empty.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a task leaves the set when its result is returned.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](JoinSet::join_next), with the task's id. The id is in the error too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as `join_next`.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(TaskId, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Returns the result of a task that has ended, without waiting; `None` if there is none.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.poll_ended().map(|(_, result)| result)
    }

    /// As [`join_next`](JoinSet::join_next), to be polled.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_next(cx).map(|next| next.map(|(_, result)| result))
    }

    /// As [`join_next_with_id`](JoinSet::join_next_with_id), to be polled.
    pub fn poll_join_next_with_id(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(TaskId, T), JoinError>>> {
        self.poll_next(cx).map(|next| next.map(|(id, result)| result.map(|output| (id, output))))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(TaskId, Result<T, JoinError>)>> {
        ready!(budget::poll_left(cx));
        loop {
            if self.is_empty() {
                return Poll::Ready(None);
            }
            if let Some(ended) = self.poll_ended() {
                budget::spend();
                return Poll::Ready(Some(ended));
            }
            let waker = cx.waker().clone();
            let mut state = self.ended.0.lock();
            if state.queue.is_empty() {
                let old = state.waiter.replace(waker);
                drop(state);
                drop(old); // after the lock: it may run user code
                return Poll::Pending;
            }
        }
    }

    /// Looks at the members that may have ended, until one has.
    fn poll_ended(&mut self) -> Option<(TaskId, Result<T, JoinError>)> {
        loop {
            let number = self.ended.0.lock().queue.pop_front()?;
            let Some(member) = &mut self.members[number] else { continue };
            let Poll::Ready(result) = member.handle.poll_result(&mut Context::from_waker(&member.waker)) else {
                continue;
            };
            let id = member.handle.id();
            self.members[number] = None;
            self.vacant.push(number);
            return Some((id, result));
        }
    }

    /// Waits for all tasks and returns their outputs, in the order in which they ended.
    ///
    /// # Panics
    ///
    /// With the first panic of a task, and if a task was cancelled. The others are aborted then.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(output) => outputs.push(output),
                Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        outputs
    }

    /// Aborts all tasks. Their results, most of them "cancelled", can still be joined.
    pub fn abort_all(&self) {
        self.members.iter().flatten().for_each(|member| member.handle.abort());
    }

    /// Aborts all tasks and waits until each has ended, its future dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what has not ended stays in the set, aborted.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Lets all tasks run on by themselves, and empties the set.
    pub fn detach_all(&mut self) {
        self.members.clear();
        self.vacant.clear();
        // The numbers start over: what the old members have left must not be taken for the new ones'.
        self.ended = Arc::default();
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.members.iter().flatten().for_each(|member| member.handle.abort());
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T: Send + 'static, F: Future<Output = T> + Send + 'static> FromIterator<F> for JoinSet<T> {
    /// Spawns each future onto the current runtime.
    ///
    /// # Panics
    ///
    /// On a thread that is not in a runtime.
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        futures.into_iter().for_each(|future| drop(set.spawn(future)));
        set
    }
}
