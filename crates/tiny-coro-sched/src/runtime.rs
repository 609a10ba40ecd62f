//! The runtime as its owner sees it: start, run, stop.

use crate::block_on;
use crate::blocking::Urgency;
use crate::builder::Builder;
use crate::context::{self, EnterGuard};
use crate::handle::Handle;
use crate::metrics::Metrics;
use crate::task::JoinHandle;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

/// A multi-threaded, work-stealing runtime.
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
        Builder::new().build()
    }

    /// Configures a runtime.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn from_parts(handle: Handle, threads: Vec<thread::JoinHandle<()>>) -> Self {
        Self { handle, threads, stopped: false }
    }

    pub(crate) fn add_thread(&mut self, thread: thread::JoinHandle<()>) {
        self.threads.push(thread);
    }

    /// Runs `future` on the current thread until it completes, while the workers run what it spawns.
    ///
    /// # Panics
    ///
    /// When the future does; and on a worker thread, which must not block: spawn and await there instead.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        assert!(
            !context::is_worker(),
            "block_on was called on a worker thread, inside a task: await the future instead"
        );
        let _entered = self.enter();
        block_on::block_on(future)
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
        self.stopped = true;
    }

    fn stop(&mut self, deadline: Option<Instant>) -> bool {
        let shared = &self.handle.shared;
        shared.begin_shutdown();
        if context::is_own_thread(shared) {
            self.threads.clear();
            return false;
        }
        if !shared.wait_until_finished(deadline) {
            self.threads.clear();
            return false;
        }
        for thread in self.threads.drain(..) {
            // A worker catches the panics of its tasks; its own would be a defect, already printed by the panic hook.
            let _ = thread.join();
        }
        shared.blocking.join(deadline)
    }
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
