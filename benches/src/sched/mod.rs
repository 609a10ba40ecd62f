//! The `sched` group: what it costs to spawn, to join, to yield and to wake.
//!
//! A runtime takes part by implementing [`Runtime`], and [`Oneshots`] if it has a oneshot channel. The methods are
//! the runtime's own, called directly: nothing is boxed on the way, so no runtime pays for being generic.

mod cases;
mod child;

use std::future::Future;

pub use cases::{Case, chained_spawn, ping_pong, skynet, spawn_join, spawn_local_many, spawn_remote, yield_many};
pub use child::run;

/// What a scheduler has to offer.
pub trait Runtime: Sync + 'static {
    /// Waits for a task. Dropping it detaches the task.
    type Handle<T: Send + 'static>: Send + 'static;

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
}

/// A runtime that brings a oneshot channel.
pub trait Oneshots: Runtime {
    /// The half that sends.
    type Sender: Send + 'static;
    /// The half that receives.
    type Receiver: Send + 'static;

    /// A channel for one message.
    fn oneshot() -> (Self::Sender, Self::Receiver);

    /// Sends the message.
    fn send(sender: Self::Sender);

    /// Waits for the message.
    fn receive(receiver: Self::Receiver) -> impl Future<Output = ()> + Send;
}
