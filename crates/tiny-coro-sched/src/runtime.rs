//! The runtime as its owner sees it: start, run, stop.

use crate::block_on;
use crate::blocking::Urgency;
use crate::builder::Builder;
use crate::context::{self, EnterGuard};
use crate::current::Core;
use crate::handle::Handle;
use crate::metrics::Metrics;
use crate::report::Report;
use crate::task::JoinHandle;
use crate::worker::{Worker, block_in_place};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_prim::budget;

/// How long past its deadline [`Runtime::shutdown`] waits for polls that are under way.
pub const STOP_LIMIT: Duration = Duration::from_millis(100);
/// How often `shutdown` looks whether everything has ended. Nobody tells it: that would cost every completion something.
const AT_REST_INTERVAL: Duration = Duration::from_millis(1);
/// The same on a clock that stands, where each look takes a thread.
const PAUSED_INTERVAL: Duration = Duration::from_millis(10);

/// A runtime: multi-threaded and work-stealing or, from [`Builder::new_current_thread`], on the thread that calls
/// [`block_on`](Runtime::block_on).
///
/// Dropping it stops the workers at their next suspension point and drops every task that has not completed, each
/// exactly once; it waits for that, and for blocking closures that have started. Dropped on one of its own threads it does not
/// wait: the last worker cleans up.
///
/// # Examples
///
/// ```
/// let runtime = tiny_coro_sched::Runtime::new()?;
/// let answer = runtime.block_on(async {
///     let task = tiny_coro_sched::spawn(async { 6 * 7 });
///     task.await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Runtime {
    handle: Handle,
    threads: Vec<thread::JoinHandle<()>>,
    /// Of a current-thread runtime: its worker.
    core: Option<Core>,
    /// True once a shutdown with a limit has been asked for: dropping then does not wait any more.
    stopped: bool,
}

impl Runtime {
    /// Starts a runtime with the defaults of [`Builder`].
    ///
    /// # Errors
    ///
    /// The operating system's, when it has no descriptors or threads left.
    pub fn new() -> io::Result<Self> {
        Builder::new_multi_thread().build()
    }

    /// Configures a multi-threaded runtime; [`Builder::new_current_thread`] one on the current thread.
    pub fn builder() -> Builder {
        Builder::new_multi_thread()
    }

    pub(crate) fn multi_thread(handle: Handle, threads: Vec<thread::JoinHandle<()>>) -> Self {
        Self { handle, threads, core: None, stopped: false }
    }

    pub(crate) fn current_thread(handle: Handle, worker: Box<Worker>) -> Self {
        Self { handle, threads: Vec::new(), core: Some(Core::new(worker)), stopped: false }
    }

    pub(crate) fn add_thread(&mut self, thread: thread::JoinHandle<()>) {
        self.threads.push(thread);
    }

    /// Runs `future` on the current thread until it completes, while the workers run what it spawns. On a current-thread runtime
    /// this thread is the worker; of several threads in `block_on` one is, until its future completes.
    ///
    /// Inside a task it blocks that task's thread, so another one takes over as the worker, as in
    /// [`block_in_place`](crate::block_in_place). Inside a task of a current-thread runtime the other tasks run on top of
    /// that task's stack: two such calls, one on top of the other, that wait for one another will wait for ever. Awaiting is better
    /// in either case.
    ///
    /// # Panics
    ///
    /// When the future does.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _entered = self.enter();
        // A budget is for who must give way: a thread that blocks has nobody to give way to. What the task around has left counts again
        // afterwards.
        budget::unlimited(|| match &self.core {
            Some(core) => core.block_on(&self.handle.shared, future),
            None => block_in_place(|| block_on::block_on(future)),
        })
    }

    /// As [`Handle::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.shared.spawn(future, Location::caller())
    }

    /// As [`Handle::spawn_blocking`].
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, closure: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.handle.shared.blocking.spawn(&self.handle, closure, Urgency::Optional, Location::caller())
    }

    /// As [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard {
        self.handle.enter()
    }

    /// A reference to this runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// As [`Handle::metrics`].
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
    }

    /// Stops the runtime and waits, for at most `timeout`, as dropping it does without limit.
    ///
    /// Returns false if a task or a blocking closure was still running then; its thread ends when it does.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> bool {
        let ended = self.stop(Instant::now().checked_add(timeout));
        self.stopped = true;
        ended
    }

    /// Stops the runtime without waiting.
    pub fn shutdown_background(mut self) {
        self.handle.shared.begin_shutdown();
        drop(self.core.as_ref().and_then(Core::close));
        self.stopped = true;
    }

    /// Ends the runtime in good order: tasks and blocking closures may end by themselves up to `deadline`; what is left then is
    /// dropped at its next suspension point, and listed.
    ///
    /// Waits up to [`STOP_LIMIT`] past the deadline for workers to leave the polls they are in. What is still in one then is
    /// listed as [`Wait::Running`](crate::Wait::Running), and its thread ends when it does. On a current-thread runtime this thread
    /// runs the tasks meanwhile.
    pub fn shutdown(mut self, deadline: Instant) -> Report {
        let shared = self.handle.shared.clone();
        shared.survivors.ask();
        while Instant::now() < deadline && !shared.is_shutting_down() {
            let pool = shared.blocking.snapshot();
            if shared.live_tasks() == 0 && pool.running + pool.queued == 0 {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let nap = AT_REST_INTERVAL.min(left);
            match &self.core {
                // Nobody else runs the tasks meanwhile. The nap is by the operating system's clock, whatever the reactor's shows.
                Some(_) if shared.reactor.is_paused() => self.block_on(nap_elsewhere(PAUSED_INTERVAL.min(left))),
                Some(_) => self.block_on(async { crate::time::sleep(nap).await }),
                // Not a sleep of the runtime's own, whose workers may all be in long polls.
                None => block_in_place(|| thread::sleep(nap)),
            }
        }
        self.stop(Instant::now().checked_add(STOP_LIMIT));
        self.stopped = true;
        shared.survivors.report(&shared, shared.blocking.snapshot().running)
    }

    fn stop(&mut self, deadline: Option<Instant>) -> bool {
        let shared = &self.handle.shared;
        shared.begin_shutdown();
        drop(self.core.as_ref().and_then(Core::close));
        if context::is_own_thread(shared) {
            self.threads.clear();
            return false;
        }
        if !shared.wait_until_finished(deadline) {
            self.threads.clear();
            return false;
        }
        let here = thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != here) {
            // It may still be in a poll, without its worker.
            while !thread.is_finished() && deadline.is_some() {
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return false;
                }
                thread::sleep(AT_REST_INTERVAL);
            }
            // A worker catches the panics of its tasks; its own would be a defect, already printed by the panic hook.
            let _ = thread.join();
        }
        shared.spares.as_ref().is_none_or(|spares| spares.join(deadline)) && shared.blocking.join(deadline)
    }
}

/// Ends after `duration` by the operating system's clock.
async fn nap_elsewhere(duration: Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let mut waits = false;
    poll_fn(move |cx| {
        // Relaxed: it says no more than that, and the wake orders it.
        if over.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut waits, true) {
            let (over, waker) = (over.clone(), cx.waker().clone());
            let nap = move || {
                thread::sleep(duration);
                over.store(true, Ordering::Relaxed);
                waker.wake();
            };
            if thread::Builder::new().spawn(nap).is_err() {
                thread::sleep(duration);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if !self.stopped {
            self.stop(None);
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.handle.shared).finish()
    }
}
