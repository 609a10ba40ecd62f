//! The suite for work-stealing deques, on the names of this crate: whichever backend they stand for.
#![cfg(not(tiny_coro_loom))]

mod suite;

/// The renaming layer: all that the suite knows of a crate.
mod names {
    pub(crate) use tiny_coro_deque::{Injector, Steal, Stealer, Worker};

    pub(crate) fn fifo<T>() -> Worker<T> {
        Worker::fifo()
    }

    pub(crate) fn lifo<T>() -> Worker<T> {
        Worker::lifo()
    }
}
