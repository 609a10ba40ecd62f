//! Synchronisation for coroutines under any executor: baton-passing mutex, CSP channel, oneshot.
//!
//! # The problem
//!
//! A coroutine that waits must not hold its thread. It leaves word how to wake it, a [`Waker`](std::task::Waker), and returns;
//! whoever has what it waits for wakes it. Three things go wrong easily. A wake is *lost* when it falls between the look and the
//! registration. A *cancelled* coroutine, one that is dropped in mid-wait, takes what it was about to get along: the lock, the
//! message, the turn of the next in line. And a waker is *user code*: called, cloned or dropped in the wrong place, it
//! runs into a lock that is held or memory that is gone.
//!
//! This crate has four primitives that settle this once, on plain `std::task`. They know no runtime.
//!
//! | module | what | uncontended cost |
//! |---|---|---|
//! | [`mutex`] | [`Mutex`]: one at a time, first come, first served, held across `await` | one atomic operation to lock, one to unlock |
//! | [`channel`] | [`bounded`](channel::bounded) (0 to n) and [`unbounded`](channel::unbounded): many senders, many receivers, each value once, in order | one atomic operation and a store per send or receive |
//! | [`CancellationToken`] | one word, stop, to many coroutines, down a tree | one load to look |
//! | [`oneshot`] | [`channel`](oneshot::channel): one value, one allocation | one atomic operation to send, none to receive |
//!
//! # Vocabulary
//!
//! A *waiter* is the node of a waiting future in a queue; it lies in the future itself, so waiting allocates nothing. It is
//! *completed* by the party that takes it off the queue with an outcome, and *removed* by its own future when that is dropped.
//!
//! # Protocol
//!
//! Each module's page has its protocol, its invariants and a proof sketch. What they share:
//!
//! | ID | rule | why |
//! |----|------|-----|
//! | R1 | a waker is cloned, woken and dropped outside every lock | it may come back to the same lock |
//! | R2 | whoever completes a waiter first moves its waker out, and wakes it last, touching nothing of the waiter in between | the future may see its outcome by chance, return and be freed |
//! | R3 | a future that is dropped gives back what it was given and had not returned | cancellation loses nothing |
//! | R4 | a queue is first in, first out, and a newcomer doesn't overtake it | no starvation |
//!
//! # Example
//!
//! Two coroutines count into a shared total, a third is told when they are done.
//!
//! ```
//! use futures_lite::future;
//! use tiny_coro_sync::{Mutex, channel, oneshot};
//!
//! let total = Mutex::new(0);
//! let (numbers, work) = channel::bounded(2);
//! let (done, finished) = oneshot::channel();
//!
//! let produce = async move {
//!     for n in 1..=10 {
//!         numbers.send(n).await.unwrap(); // waits while two are stored
//!     }
//! };
//! let count = async {
//!     while let Ok(n) = work.recv().await {
//!         *total.lock().await += n;
//!     }
//!     done.send("done").unwrap();
//! };
//! let (((), ()), word) = future::block_on(future::zip(future::zip(produce, count), finished));
//! assert_eq!((word, total.into_inner()), (Ok("done"), 55));
//! ```
//!
//! # Limits and non-goals
//!
//! No poisoning: a panic under a lock unlocks it. No blocking calls: a thread outside waits with its own `block_on`. Under a
//! scheduler that sets a [budget](tiny_coro_prim::budget), a coroutine whose channel never runs dry gives way after a while; under any other it has
//! to yield by itself. Waiting futures are `!Unpin`: pin them (`.await` does) before polling them by hand.

mod list;
mod short;
#[cfg(not(tiny_coro_loom))]
mod spin;

mod cancellation;
pub mod channel;
pub mod mutex;
pub mod oneshot;

pub use cancellation::{CancellationToken, Cancelled, DropGuard};
pub use mutex::{Mutex, MutexGuard, OwnedMutexGuard};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
