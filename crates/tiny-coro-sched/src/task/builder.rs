//! Spawning with a name.

use super::{Incoming, JoinHandle, TaskRef};
use crate::handle::Handle;
use crate::schedule::NamedScheduler;
use std::future::Future;
use std::panic::Location;

/// Spawns tasks that have a name, which [`JoinHandle::name`], a panic policy and the report of a shutdown tell.
///
/// # Examples
///
/// ```
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// use tiny_coro_sched::task;
///
/// let task = task::Builder::new().name("sweeper").spawn(async { 7 });
/// assert_eq!(task.name(), Some("sweeper"));
/// assert_eq!(task.await.unwrap(), 7);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// A task without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name. Default: none. It costs the task one allocation.
    #[must_use]
    pub fn name(self, name: &'a str) -> Self {
        Self { name: Some(name) }
    }

    /// As [`spawn`](crate::spawn).
    ///
    /// # Panics
    ///
    /// On a thread that is not in a runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let spawned_at = Location::caller();
        self.spawn_at(future, &Handle::current(), spawned_at)
    }

    /// As [`Handle::spawn`].
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_at(future, handle, Location::caller())
    }

    fn spawn_at<F>(self, future: F, handle: &Handle, spawned_at: &'static Location<'static>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let Some(name) = self.name else { return handle.shared.spawn(future, spawned_at) };
        let (task, refused) = Incoming::with(future, |future| {
            handle.shared.try_spawn(future, spawned_at, |shard| NamedScheduler::new(shard, name.into()))
        });
        refused.into_iter().for_each(TaskRef::shutdown);
        task
    }
}
