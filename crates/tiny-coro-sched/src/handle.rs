//! A reference to a runtime, for threads and code that do not own it.

use crate::block_on;
use crate::blocking::Urgency;
use crate::context::{self, EnterGuard};
use crate::metrics::Metrics;
use crate::schedule::TaskScheduler;
use crate::shared::Shared;
use crate::task::{Incoming, JoinHandle, TaskRef};
use crate::worker::block_in_place;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use tiny_coro_prim::budget;

/// A reference to a [`Runtime`](crate::Runtime). Cloning is cheap. It does not keep the runtime running: what is spawned
/// through it after the runtime's end is cancelled at once.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Returns the runtime that the current thread is in: on a worker, in `block_on`, in a blocking closure, or after
    /// [`enter`](Handle::enter).
    ///
    /// # Panics
    ///
    /// On any other thread; [`try_current`](Handle::try_current) does not.
    #[track_caller]
    pub fn current() -> Self {
        Self::try_current().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns the runtime that the current thread is in.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`] on a thread that is in none.
    pub fn try_current() -> Result<Self, NoRuntime> {
        context::current().ok_or(NoRuntime(()))
    }

    /// Makes this the current thread's runtime, for `spawn`, `sleep` and sockets, until the guard is dropped.
    pub fn enter(&self) -> EnterGuard {
        context::enter(self)
    }

    /// Starts `future` on the runtime's workers. It runs whether or not the handle is awaited.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future, Location::caller())
    }

    /// Runs `closure` on a thread where it may block.
    ///
    /// If the operating system refuses the pool's first thread, awaiting gives a cancelled [`JoinError`](crate::JoinError); if
    /// [`blocking_queue_capacity`](crate::Builder::blocking_queue_capacity) closures wait already, a refused one.
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, closure: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.blocking.spawn(self, closure, Urgency::Optional, Location::caller())
    }

    /// As [`spawn_blocking`](Handle::spawn_blocking), but gives the closure back where it would be refused.
    ///
    /// # Errors
    ///
    /// The closure, if [`blocking_queue_capacity`](crate::Builder::blocking_queue_capacity) closures wait already.
    #[track_caller]
    pub fn try_spawn_blocking<F, T>(&self, closure: F) -> Result<JoinHandle<T>, F>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.blocking.try_spawn(self, closure, Location::caller())
    }

    /// Runs `future` on the current thread until it completes, in this runtime. It does not run the tasks of a current-thread
    /// runtime: only [`Runtime::block_on`](crate::Runtime::block_on) does.
    ///
    /// Inside a task as [`Runtime::block_on`](crate::Runtime::block_on).
    ///
    /// # Panics
    ///
    /// When the future does.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _entered = self.enter();
        budget::unlimited(|| block_in_place(|| block_on::block_on(future)))
    }

    /// As [`spawn_blocking`](Handle::spawn_blocking), for what somebody has been told will happen, such as a write: a runtime
    /// that ends before the closure has started runs it all the same. Only a refused thread, or a runtime that has ended
    /// already, cancels it.
    #[track_caller]
    pub fn spawn_mandatory_blocking<F, T>(&self, closure: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.blocking.spawn(self, closure, Urgency::Mandatory, Location::caller())
    }

    /// What the runtime has done so far.
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.shared).finish()
    }
}

/// The error of asking for a runtime on a thread that is in none.
#[derive(Debug)]
pub struct NoRuntime(());

impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this thread is not in a tiny-coro runtime: call this from a task or from inside `Runtime::block_on`, or \
             make a runtime current with `Handle::enter`",
        )
    }
}

impl std::error::Error for NoRuntime {}

/// Starts `future` on the current runtime's workers. It runs whether or not the handle is awaited.
///
/// # Panics
///
/// On a thread that is not in a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let spawned_at = Location::caller();
    let (handle, refused) = Incoming::with(future, |future| {
        let spawned = context::with_current(|handle| match handle {
            Some(handle) => Ok(handle.shared.try_spawn(future, spawned_at, TaskScheduler::new)),
            None => Err(future),
        });
        // Outside the borrow of the current handle, too: the panic drops the future.
        spawned.unwrap_or_else(|_future| panic!("{}", NoRuntime(())))
    });
    // Not while the current handle is borrowed: it runs the future's destructor.
    refused.into_iter().for_each(TaskRef::shutdown);
    handle
}

/// Runs `closure` on a thread of the current runtime where it may block.
///
/// # Panics
///
/// On a thread that is not in a runtime.
#[track_caller]
pub fn spawn_blocking<F, T>(closure: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let spawned_at = Location::caller();
    let handle = Handle::current();
    handle.shared.blocking.spawn(&handle, closure, Urgency::Optional, spawned_at)
}
