//! The `sync` group: channels and locks between tasks.
//!
//! A contender is a family of primitives on a runtime: its own, or the one that it is mostly used with.

mod cases;
mod channels;
mod mutexes;

use std::future::Future;

pub use cases::{channel_cases, mutex_cases, rendezvous_cases};
pub use channels::{AsyncChannel, Flume, Kanal, OurChannel, TokioMpsc};
pub use mutexes::{AsyncLock, OurMutex, TokioMutex};

/// What is sent.
pub type Message = usize;

/// Bounded channels.
pub trait Channels: 'static {
    /// The half that sends, of which there may be many.
    type Sender: Clone + Send + 'static;
    /// The half that receives.
    type Receiver: Send + 'static;

    /// A channel with room for so many messages.
    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver);

    /// Sends; waits while there is no room.
    fn send(sender: &Self::Sender, message: Message) -> impl Future<Output = ()> + Send;

    /// Receives; waits while there is nothing. `None` once all senders are gone.
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<Message>> + Send;
}

/// A lock around a number.
pub trait Mutex: Send + Sync + 'static {
    /// The number is zero.
    fn new() -> Self;

    /// Locks, adds one, unlocks. Returns the new number.
    fn add_one(&self) -> impl Future<Output = usize> + Send;
}
