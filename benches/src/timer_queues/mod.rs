//! The block-level half of the `timer` group: what it costs to keep deadlines.
//!
//! Time is a number that the workload moves on. tokio's wheel can only be had as `DelayQueue`, which looks at tokio's
//! clock; there the clock is paused and moved on, which is part of an [`expire`](TimerQueue::expire) and far less than
//! the work that each has in these cases.

mod cases;
mod std_collections;
mod tiny_coro;
mod tokio;

pub use cases::cases;
pub use std_collections::{BTree, Tombstones};
pub use tiny_coro::{Heap, TinyCoro, Wheel};
pub use tokio::DelayQueue;

/// Deadlines with values. Times are nanoseconds since some beginning.
pub trait TimerQueue: Sized + 'static {
    /// Names an entry.
    type Key: Copy + 'static;

    /// An empty queue at time zero.
    fn new() -> Self;

    /// Adds an entry.
    fn insert(&mut self, deadline: u64, value: u32) -> Self::Key;

    /// Removes an entry that has not expired.
    fn cancel(&mut self, key: Self::Key);

    /// Moves the time on to `now` and hands out the values whose deadline has come.
    fn expire(&mut self, now: u64, fired: impl FnMut(u32));
}
