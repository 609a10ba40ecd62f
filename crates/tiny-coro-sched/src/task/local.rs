//! Tasks that stay on one thread.

use super::JoinHandle;
use super::cell::allocate_local;
use super::header::{Header, TaskRef};
use super::incoming::Incoming;
use super::list::WaitingTasks;
use super::schedule::{Cause, Schedule};
use crate::panic::quietly;
use crate::runtime::Runtime;
use pin_project_lite::pin_project;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::num::NonZeroU16;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tiny_coro_prim::sync::Mutex;
use tiny_coro_prim::thread::thread_local;

/// How many tasks one poll of a set runs before it gives way to the rest of its thread.
const POLLS: usize = 61;

thread_local! {
    /// The set that is being polled on this thread, or was entered.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Runs `future`, which need not be `Send`, on the current thread, as a task of the current [`LocalSet`].
///
/// # Panics
///
/// Outside a `LocalSet`: inside [`LocalSet::run_until`], one of its tasks, or after [`LocalSet::enter`] there is one.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use tiny_coro_sched::task::{LocalSet, spawn_local};
///
/// let runtime = tiny_coro_sched::Runtime::new()?;
/// let local = LocalSet::new();
/// let sum = local.block_on(&runtime, async {
///     let shared = Rc::new(20);
///     let other = shared.clone();
///     *shared + spawn_local(async move { *other + 2 }).await.unwrap()
/// });
/// assert_eq!(sum, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let spawned_at = Location::caller();
    let current = CURRENT.with(|current| current.borrow().clone());
    match current {
        Some(shared) => shared.spawn(future, spawned_at),
        None => panic!(
            "`spawn_local` was called outside a LocalSet: call it inside `LocalSet::run_until` or `LocalSet::block_on`, or in a \
             task that `spawn_local` has made"
        ),
    }
}

/// Tasks whose futures are not `Send`, all on the thread that polls the set.
///
/// They run while the set is polled: inside [`run_until`](LocalSet::run_until), or when the set itself is awaited, which completes once
/// all its tasks have. Dropping the set drops the futures that are left.
pub struct LocalSet {
    shared: Arc<Shared>,
    /// What is in the tasks belongs to this thread.
    _not_send: PhantomData<Rc<()>>,
}

/// What a set shares with the wakers of its tasks, which may be called, and dropped, on any thread.
///
/// A future of the set is polled and dropped only by whoever polls or drops the set, so on the set's own thread: others only put
/// references into the queue. An output is dropped there as well, or belongs to a join handle, which is `Send` only if the output
/// is. So whoever gives up the last reference finds nothing left in the cell.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    waiting: WaitingTasks,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<TaskRef>,
    /// Tasks that have not completed.
    live: usize,
    /// Who polls the set, to be woken when a task is queued: the set's own future, and each `run_until`.
    pollers: Vec<(Poller, Waker)>,
    next_poller: u64,
    closed: bool,
}

/// Tells those who poll one set apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Poller(u64);

impl Poller {
    /// The set's own future.
    const SET: Self = Self(0);
}

impl LocalSet {
    /// An empty set.
    pub fn new() -> Self {
        let shared = Shared { state: Mutex::default(), waiting: WaitingTasks::new() };
        Self { shared: Arc::new(shared), _not_send: PhantomData }
    }

    /// Adds a task. It runs when the set is polled.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.shared.spawn(future, Location::caller())
    }

    /// Runs `future`, and the tasks of the set while it waits. Tasks that are left then stay in the set.
    ///
    /// # Cancel safety
    ///
    /// That of `future`; the tasks stay in the set.
    pub fn run_until<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        let mut state = self.shared.state.lock();
        state.next_poller += 1;
        RunUntil { set: self, poller: Poller(state.next_poller), future }
    }

    /// [`Runtime::block_on`] with [`run_until`](LocalSet::run_until).
    ///
    /// # Panics
    ///
    /// When the future does.
    pub fn block_on<F: Future>(&self, runtime: &Runtime, future: F) -> F::Output {
        runtime.block_on(self.run_until(future))
    }

    /// Makes this the set that [`spawn_local`] means on this thread, until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        let previous = CURRENT.with(|current| current.replace(Some(self.shared.clone())));
        LocalEnterGuard { previous, _not_send: PhantomData }
    }

    /// Runs what is queued, up to a limit. Returns true if all tasks have completed.
    fn tick(&self, poller: Poller, cx: &mut Context<'_>) -> bool {
        let _entered = self.enter();
        let (mut polls, mut fresh) = (0, None);
        while polls < POLLS {
            let mut state = self.shared.state.lock();
            if let Some(task) = state.queue.pop_front() {
                drop(state);
                task.run();
                polls += 1;
                continue;
            }
            let completed = state.live == 0;
            // The set's own future ends with its tasks; `run_until` waits for something else, which may come of a task to come.
            let old = if completed && poller == Poller::SET {
                state.forget(poller)
            } else if state.knows(poller, cx.waker()) {
                None
            } else if let Some(fresh) = fresh.take() {
                state.remember(poller, fresh)
            } else {
                drop(state);
                fresh = Some(cx.waker().clone()); // outside the lock, as every touch of a waker; then it looks again
                continue;
            };
            drop(state);
            drop(old);
            return completed;
        }
        cx.waker().wake_by_ref();
        false
    }
}

impl State {
    /// Notes whom to wake, and returns the waker that is replaced.
    #[must_use = "it is dropped outside the lock"]
    fn remember(&mut self, poller: Poller, new: Waker) -> Option<Waker> {
        match self.pollers.iter_mut().find(|(other, _)| *other == poller) {
            Some((_, old)) => Some(mem::replace(old, new)),
            None => {
                self.pollers.push((poller, new));
                None
            }
        }
    }

    fn knows(&self, poller: Poller, waker: &Waker) -> bool {
        self.pollers.iter().any(|(other, old)| *other == poller && old.will_wake(waker))
    }

    #[must_use = "it is dropped outside the lock"]
    fn forget(&mut self, poller: Poller) -> Option<Waker> {
        let position = self.pollers.iter().position(|(other, _)| *other == poller)?;
        Some(self.pollers.swap_remove(position).1)
    }
}

impl Shared {
    fn spawn<F>(self: &Arc<Self>, future: F, spawned_at: &'static Location<'static>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // SAFETY: the page of `Shared`: the future and its output stay on the thread of the set, which is this one, because neither the set
        // nor the thread-local reference to it leaves its thread.
        let [queued, joined] = Incoming::with(future, |future| unsafe {
            allocate_local(future, LocalScheduler(self.clone()), spawned_at)
        });
        self.state.lock().live += 1;
        // A destructor may spawn while the set is dropped: that task is cancelled at once.
        self.submit(queued).into_iter().for_each(TaskRef::shutdown);
        // SAFETY: counted for the join handle by `allocate_local`, for this output type.
        unsafe { JoinHandle::new(joined) }
    }

    /// Queues a task, or gives it back once the set is being dropped.
    fn submit(&self, task: TaskRef) -> Option<TaskRef> {
        let mut state = self.state.lock();
        if state.closed {
            return Some(task);
        }
        state.queue.push_back(task);
        // Each of them, since any may be the one whose own future goes on; the oldest first and no more than there are now, since one that
        // was woken comes back. The lock is not held during a wake.
        for _ in 0..state.pollers.len() {
            if state.pollers.is_empty() {
                break;
            }
            let (_, waker) = state.pollers.remove(0);
            drop(state);
            quietly(|| waker.wake());
            state = self.state.lock();
        }
        None
    }
}

impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.tick(Poller::SET, cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        // Not `enter`: the set may be dropped with the thread's own values, when there is no current set any more.
        let previous = CURRENT.try_with(|current| current.replace(Some(self.shared.clone())));
        let _entered = previous.ok().map(|previous| LocalEnterGuard { previous, _not_send: PhantomData });
        let queue = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            mem::take(&mut state.queue)
        };
        queue.into_iter().for_each(TaskRef::shutdown);
        while let Some(task) = self.shared.waiting.close_and_pop() {
            task.shutdown();
        }
    }
}

impl Default for LocalSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").field("live", &self.shared.state.lock().live).finish_non_exhaustive()
    }
}

/// Ends [`LocalSet::enter`] when it is dropped.
#[derive(Debug)]
#[must_use = "the set is current only while the guard lives"]
pub struct LocalEnterGuard {
    previous: Option<Arc<Shared>>,
    _not_send: PhantomData<Rc<()>>,
}

impl Drop for LocalEnterGuard {
    fn drop(&mut self) {
        let previous = self.previous.take();
        let left = CURRENT.try_with(|current| current.replace(previous)).ok();
        drop(left);
    }
}

pin_project! {
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        poller: Poller,
        #[pin]
        future: F,
    }

    impl<F> PinnedDrop for RunUntil<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let waker = this.set.shared.state.lock().forget(this.poller);
            drop(waker); // after the lock: it may run user code
        }
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = {
            let _entered = this.set.enter();
            this.future.poll(cx)
        };
        if polled.is_pending() {
            this.set.tick(*this.poller, cx);
        }
        polled
    }
}

struct LocalScheduler(Arc<Shared>);

impl Schedule for LocalScheduler {
    unsafe fn submit(this: NonNull<Self>, task: TaskRef, _: Cause) {
        // SAFETY: `task` keeps the allocation that `this` lies in alive until it is handed on; the clone outlives that.
        let shared = unsafe { this.as_ref() }.0.clone();
        // A task that comes back has waited, so whoever drops the set finds it in the waiting list. Not here: this may be another
        // thread.
        drop(shared.submit(task));
    }

    fn enlist(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller's reference keeps the task alive here; the duplicate is the list's.
        let listed = unsafe { ManuallyDrop::new(TaskRef::from_raw(task)) }.duplicate();
        let inserted = self.0.waiting.insert(listed).is_ok();
        if inserted {
            // SAFETY: the caller has set RUNNING, which owns the field; the task is alive.
            unsafe { task.as_ref().listed.with_mut(|listed| *listed = Some(NonZeroU16::MIN)) };
        }
        inserted
    }

    fn release(&self, task: NonNull<Header>) -> bool {
        self.0.state.lock().live -= 1;
        // SAFETY: the caller has set RUNNING, which owns the field.
        let listed = unsafe { task.as_ref().listed.with(|listed| (*listed).is_some()) };
        // SAFETY: the task is alive for the caller, and this is the only list it was ever in.
        listed && unsafe { self.0.waiting.remove(task) }
    }
}
