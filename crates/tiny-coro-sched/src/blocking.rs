//! Threads for closures that block: as many as needed up to a limit, ended when idle.
//!
//! Everything that two threads must agree on is under one mutex; what takes long, or runs code of users, is outside. A push decides under
//! it who will come to the closure: an idle thread that nobody has counted on yet, a new thread, or one that is busy and looks into the
//! queue again before it ends. A thread decides under it that it ends, and from then on nobody counts on it.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | B1 | a closure in the queue has a thread that will look into the queue, or it is cancelled | `push`; `run` ends with an empty queue, in the critical section in which it stops serving; `thread_refused` | every join handle | `push_against_time_out`, `notification_against_time_out`, `refused_thread`, `refused_first_thread` |
//! | B2 | `notified` is the number of idle threads that were notified and have not come round: no push counts on one of them | `push`, `run` | closures that wait for one another, up to the limit of threads | `two_pushes_and_one_idle_thread`, `notification_against_time_out` |
//! | B3 | a closure is run or cancelled, once; a mandatory one that was queued before the end is run; when `join` returns nothing runs | `begin_shutdown`, `push`, `thread_ended` | `Runtime::drop`, files that were told to be written | `push_against_shutdown`, `mandatory_against_time_out_and_shutdown`, `join_against_the_last_thread` |
//! | B4 | what is let in has room: no more closures wait than the capacity says, besides those for which a thread may be had | `let_in`, `push` (`expected`) | the bound on memory | `two_pushers_and_one_place` |

use crate::context;
use crate::handle::Handle;
use crate::schedule::report_panic;
use crate::shared::Shared;
use crate::task::{self, Cause, Header, Incoming, JoinError, JoinHandle, Schedule, TaskId, TaskRef};
use crate::threads::Threads;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tiny_coro_prim::sync::{Condvar, Mutex};
use tiny_coro_reactor::ClockHold;

/// How many threads the pool has at most, by default.
pub(crate) const DEFAULT_MAX_THREADS: usize = 512;
/// How many closures wait for a thread at most, by default.
pub(crate) const DEFAULT_QUEUE_CAPACITY: usize = 1 << 16;
/// How long an idle thread waits for another closure before it ends, by default.
pub(crate) const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The limits of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_threads: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) queue_capacity: usize,
    pub(crate) threads: Threads,
}

/// The pool of one runtime.
pub(crate) struct BlockingPool {
    limits: Limits,
    state: Mutex<State>,
    /// A closure is there, or the pool ends.
    work: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Queued>,
    /// Closures that were let in and are not in the queue yet.
    expected: usize,
    /// Threads that will look into the queue again before they end.
    serving: usize,
    /// Threads that have not quite ended.
    alive: usize,
    idle: usize,
    /// Threads that run a closure.
    running: usize,
    /// Idle threads that were notified and have not come round yet: a push must not count on them twice.
    notified: usize,
    shutdown: bool,
}

/// A closure that waits for a thread.
#[derive(Debug)]
struct Queued {
    task: TaskRef,
    urgency: Urgency,
    /// A paused clock does not move on its own before the closure has run.
    hold: Option<ClockHold>,
}

impl Queued {
    fn new(task: TaskRef, urgency: Urgency, handle: &Handle) -> Self {
        let reactor = &handle.shared.reactor;
        Self { task, urgency, hold: reactor.is_paused().then(|| reactor.hold_clock()) }
    }

    fn run(self) {
        self.task.run();
        drop(self.hold);
    }
}

/// What the end of the runtime means for a closure that has not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It is cancelled.
    Optional,
    /// It is run all the same: somebody was told that it would be.
    Mandatory,
}

/// The pool in numbers.
pub(crate) struct Snapshot {
    pub(crate) threads: usize,
    pub(crate) running: usize,
    pub(crate) queued: usize,
}

impl BlockingPool {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::new(State::default()), work: Condvar::new(), ended: Condvar::new() }
    }

    /// Queues `closure` for a thread of the pool. `handle` is what the thread sees as its runtime. The handle that is returned says
    /// `refused` if the queue is full.
    pub(crate) fn spawn<F, T>(
        self: &Arc<Self>,
        handle: &Handle,
        closure: F,
        urgency: Urgency,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let refused = !self.let_in();
        let scheduler = Unscheduled { shared: Arc::downgrade(&handle.shared), refused };
        let [queued, joined] = Incoming::with(Blocking(Some(closure)), |it| task::allocate(it, scheduler, spawned_at));
        if refused {
            queued.shutdown();
        } else {
            self.push(handle, Queued::new(queued, urgency, handle));
        }
        // SAFETY: counted for the join handle by `allocate`, for this output type.
        unsafe { JoinHandle::new(joined) }
    }

    /// As [`spawn`](BlockingPool::spawn), but gives the closure back where the queue is full.
    pub(crate) fn try_spawn<F, T>(
        self: &Arc<Self>,
        handle: &Handle,
        closure: F,
        spawned_at: &'static Location<'static>,
    ) -> Result<JoinHandle<T>, F>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if !self.let_in() {
            return Err(closure);
        }
        let scheduler = Unscheduled { shared: Arc::downgrade(&handle.shared), refused: false };
        let [queued, joined] = Incoming::with(Blocking(Some(closure)), |it| task::allocate(it, scheduler, spawned_at));
        self.push(handle, Queued::new(queued, Urgency::Optional, handle));
        // SAFETY: counted for the join handle by `allocate`, for this output type.
        Ok(unsafe { JoinHandle::new(joined) })
    }

    /// Makes room for one more closure, which `push` then fills. False if there is none: as many wait already as may.
    fn let_in(&self) -> bool {
        let mut state = self.state.lock();
        // What a thread without a closure will take, be it idle, starting or not started yet, does not wait.
        let soon = self.limits.max_threads.saturating_sub(state.running);
        let room = self.limits.queue_capacity.saturating_add(soon);
        if state.queue.len() + state.expected >= room {
            return false;
        }
        state.expected += 1;
        true
    }

    fn push(self: &Arc<Self>, handle: &Handle, queued: Queued) {
        let mut state = self.state.lock();
        state.expected -= 1;
        if state.shutdown {
            drop(state);
            return queued.task.shutdown();
        }
        state.queue.push_back(queued);
        if state.idle > state.notified {
            state.notified += 1;
            drop(state);
            self.work.notify_one();
        } else if state.serving < self.limits.max_threads {
            state.serving += 1;
            state.alive += 1;
            drop(state);
            if self.start_thread(handle).is_err() {
                self.thread_refused();
            }
        }
    }

    fn start_thread(self: &Arc<Self>, handle: &Handle) -> io::Result<()> {
        let (pool, handle) = (self.clone(), handle.clone());
        self.limits.threads.start_detached("-blocking", move || {
            let entered = context::enter(&handle);
            context::join_pool(&pool);
            drop(handle);
            pool.run();
            drop(entered);
            pool.thread_ended();
        })
    }

    /// The operating system has no thread for us. If the pool has another one, that will come to the closure in time; if
    /// not, what is queued is cancelled, since nobody would ever come to it.
    fn thread_refused(&self) {
        let mut state = self.state.lock();
        state.serving -= 1;
        state.alive -= 1;
        let stranded = if state.serving == 0 { std::mem::take(&mut state.queue) } else { VecDeque::new() };
        drop(state);
        self.ended.notify_all();
        stranded.into_iter().for_each(|queued| queued.task.shutdown());
    }

    /// One thread's life: closures, until it has been idle for too long or the pool ends. In the same critical section in
    /// which it decides to end it stops counting as serving, so that no push relies on it.
    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            while let Some(queued) = state.queue.pop_front() {
                state.running += 1;
                drop(state);
                queued.run();
                state = self.state.lock();
                state.running -= 1;
            }
            if state.shutdown {
                break;
            }
            let until = Instant::now().checked_add(self.limits.keep_alive);
            state.idle += 1;
            let timed_out = match until {
                Some(until) => self.work.wait_until(&mut state, until).timed_out(),
                None => {
                    self.work.wait(&mut state);
                    false
                }
            };
            state.idle -= 1;
            if state.notified > 0 && (!timed_out || state.notified > state.idle) {
                state.notified -= 1;
            } else if timed_out && state.queue.is_empty() {
                break;
            }
        }
        state.serving -= 1;
    }

    fn thread_ended(&self) {
        let mut state = self.state.lock();
        state.alive -= 1;
        drop(state);
        self.ended.notify_all();
    }

    /// Refuses further closures and cancels those that have not started, but for the mandatory ones: these are run by the
    /// threads there are or, if there is none, here.
    pub(crate) fn begin_shutdown(&self) {
        let mut state = self.state.lock();
        state.shutdown = true;
        let queue = std::mem::take(&mut state.queue);
        let (mandatory, optional): (VecDeque<_>, VecDeque<_>) =
            queue.into_iter().partition(|queued| queued.urgency == Urgency::Mandatory);
        let here = if state.serving > 0 {
            state.queue = mandatory;
            VecDeque::new()
        } else {
            mandatory
        };
        drop(state);
        self.work.notify_all();
        optional.into_iter().for_each(|queued| queued.task.shutdown());
        here.into_iter().for_each(|queued| queued.task.run());
    }

    /// Waits until all threads have ended, at most until `deadline`. Returns true if they have.
    pub(crate) fn join(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state.lock();
        while state.alive > 0 {
            match deadline {
                None => self.ended.wait(&mut state),
                Some(deadline) => {
                    if self.ended.wait_until(&mut state, deadline).timed_out() {
                        return state.alive == 0;
                    }
                }
            }
        }
        true
    }

    /// Lets the deadlines of idle threads pass: a checker has no clock.
    #[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]
    pub(crate) fn expire(&self) {
        self.work.expire();
    }

    /// Starts a thread that finds nothing to do.
    #[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]
    pub(crate) fn start_idle_thread(self: &Arc<Self>, handle: &Handle) {
        let mut state = self.state.lock();
        state.serving += 1;
        state.alive += 1;
        drop(state);
        self.start_thread(handle).expect("the model has threads");
    }

    /// How many threads wait for a closure.
    #[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]
    pub(crate) fn idle(&self) -> usize {
        self.state.lock().idle
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        Snapshot { threads: state.serving, running: state.running, queued: state.queue.len() }
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool").field("limits", &self.limits).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A closure as a future that is polled once.
struct Blocking<F>(Option<F>);

impl<F> Unpin for Blocking<F> {}

impl<F: FnOnce() -> T, T> Future for Blocking<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let closure = self.0.take().expect("a closure's task is polled once, since it never answers Pending");
        Poll::Ready(closure())
    }
}

/// The scheduler of a blocking closure: it never waits, so nothing wakes it.
struct Unscheduled {
    shared: Weak<Shared>,
    refused: bool,
}

impl Schedule for Unscheduled {
    unsafe fn submit(_: NonNull<Self>, task: TaskRef, _: Cause) {
        debug_assert!(false, "a blocking closure is scheduled from spawn to its end");
        drop(task);
    }

    fn enlist(&self, _: NonNull<Header>) -> bool {
        debug_assert!(false, "a blocking closure never answers Pending");
        false
    }

    fn cancelled(&self, id: TaskId) -> JoinError {
        if self.refused { JoinError::refused(id) } else { JoinError::cancelled(id) }
    }

    fn panicked(&self, task: &Header, payload: &(dyn Any + Send)) {
        report_panic(&self.shared, task, None, payload);
    }

    fn release(&self, _: NonNull<Header>) -> bool {
        false
    }
}
