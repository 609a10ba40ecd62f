//! The runtimes that are measured, behind the few things that the workloads ask of one.

mod drive;
mod smol;
mod tiny_coro;
mod tokio;

use std::future::Future;
use std::time::Duration;

pub use drive::{Countdown, run};
pub use smol::Smol;
pub use tiny_coro::TinyCoro;
pub use tokio::Tokio;

/// What a runtime has to offer.
pub trait Runtime: Sync + 'static {
    /// Waits for a task.
    type Handle<T: Send + 'static>: Send + 'static;

    /// Starts the runtime, with [`workers`](crate::workers) threads.
    fn new() -> Self;

    /// Spawns from inside a task.
    fn spawn<F>(future: F) -> Self::Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static;

    /// Spawns from inside a task, and lets go of the task.
    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static;

    /// Spawns from a thread outside of the runtime, and lets go of the task.
    fn detach_remote<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static;

    /// Waits for a task and takes its result. No task of these workloads panics.
    fn join<T: Send + 'static>(handle: Self::Handle<T>) -> impl Future<Output = T> + Send;

    /// Lets the other tasks run.
    fn yield_now() -> impl Future<Output = ()> + Send;

    /// Waits.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;

    /// Runs `future` for so long at most. Returns whether it came to its end.
    fn timeout(duration: Duration, future: impl Future<Output = ()> + Send) -> impl Future<Output = bool> + Send;
}
