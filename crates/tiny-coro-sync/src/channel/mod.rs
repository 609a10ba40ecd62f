//! A channel in the manner of CSP: many senders, many receivers, each value received once, in order.
//!
//! [`bounded(n)`](bounded) stores up to n values and makes senders wait for room: back-pressure. [`bounded(0)`](bounded) stores none:
//! a send is over when a receiver has taken the value, a *rendezvous*. [`unbounded`] never makes a sender wait.
//!
//! # Vocabulary
//!
//! A sender that waits has its value in its own slot; it *moves up* into the buffer when a receive has made room. A
//! receiver that waits and for which a value has come is *completed*: it is woken, and one value is *reserved* for it until
//! it comes back. No other receiver can take that one, so a completed receiver never comes in vain. What is reserved is a
//! number of values, not certain ones: whoever receives gets the oldest. The channel is *closed* by `close`, by the last
//! sender or by the last receiver that goes.
//!
//! # Protocol
//!
//! One short lock protects all of it; an operation is one critical section of a few moves, then at most one wake, outside.
//! An operation that has to wait needs a second section, because cloning its waker may run user code, which must not
//! happen under the lock.
//!
//! | | a receiver waits | room | full | closed |
//! |---|---|---|---|---|
//! | send | store, reserve, wake it | store | queue with the value | give the value back |
//!
//! | | a value that isn't reserved | a sender waits | neither | closed, buffer empty |
//! |---|---|---|---|---|
//! | receive | take the oldest; the first sender moves up, wake it | the same | queue | error |
//!
//! Closing completes every sender in the same critical section: it gets its value back. Receivers that wait get the error when
//! the buffer is empty: at once, or when the last reserved value has been taken.
//!
//! # Invariants
//!
//! They hold whenever the lock is free.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | C1 | a sender is queued ⇒ the buffer is full | send queues only then; receive moves the first up | send: a newcomer with room overtakes nobody | `capacity_one_two_senders` |
//! | C2 | stored ≥ reserved = completed receivers; a receiver is queued ⇒ stored = reserved and no sender is queued | send, receive, `release` | a completed receiver finds a value; nobody waits beside one | `rendezvous`, `cancelled_receiver_passes_on` |
//! | C3 | closed ⇒ no sender is queued, and a receiver only while values are reserved | close, `dismiss_receivers` | nobody waits for ever; nobody is sent away before the last value is received | `close_against_send`, `close_against_recv` |
//! | C4 | each value is in exactly one place: a sender's slot, the buffer, or a caller's hands | every transition is a move under the lock | received + returned + dropped = sent | `cancel_after_reservation`, `cancelled_sender` |
//! | C5 | stored ≤ max(capacity, values that receivers have waited for) | send | memory | property test |
//! | K1 | one thread at a time is in a critical section, and sees what the last one did | the [spin lock](#limits) | C1 to C5 | `spin_lock` |
//!
//! *Nobody waits while he could go on.* A receiver is queued only if nothing is there for it (C2), and each later send completes
//! the first of them. A sender is queued only if there is no room (C1), and each later receive that makes some completes the
//! first of them. A completed receiver that is dropped releases its reservation: to the first receiver in the queue, which is
//! completed for it, or to whoever comes. A completed sender has no duty left. So no wake is owed to anybody after a
//! cancellation. *The order holds.* Values enter the buffer at the back, senders move up in the order in which they queued and
//! before any newcomer (C1), and values leave at the front only.
//!
//! # Limits
//!
//! Capacity 0 stores a value for a receiver that has been woken for it: should that receiver be dropped, the value stays, and
//! the next receive gets it. `try_recv` doesn't take a value that is reserved. A value is moved up to three times: box
//! large ones. The lock spins, and yields the processor when its holder has been preempted; nothing that runs under it
//! can block.

mod core;
mod error;
mod receiver;
mod sender;
mod state;

use tiny_coro_prim::sync::Arc;

use self::core::Channel;
pub use error::{RecvError, SendError, TryRecvError, TrySendError};
pub use receiver::{IntoStream, Receiver, RecvFuture};
pub use sender::{SendFuture, Sender};

/// Makes a channel that stores up to `capacity` values. With 0 each send waits for its receiver.
///
/// The storage is allocated at once.
///
/// # Panics
///
/// When so many values can't be allocated.
///
/// # Examples
///
/// A rendezvous: the sender knows that its value was taken.
///
/// ```
/// use futures_lite::future;
/// use tiny_coro_sync::channel;
///
/// let (sender, receiver) = channel::bounded(0);
/// assert!(sender.try_send("nobody listens").is_err());
/// future::block_on(future::zip(
///     async { sender.send("hello").await.unwrap() },
///     async { assert_eq!(receiver.recv().await, Ok("hello")) },
/// ));
/// ```
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity != usize::MAX, "use an unbounded channel");
    with_capacity(capacity)
}

/// Makes a channel that stores any number of values. A send never waits: memory is the limit.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = tiny_coro_sync::channel::unbounded();
/// sender.try_send(1).unwrap();
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Ok(1));
/// assert!(receiver.try_recv().unwrap_err().is_closed());
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    with_capacity(usize::MAX)
}

fn with_capacity<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(capacity));
    (Sender::new(channel.clone()), Receiver::new(channel))
}
