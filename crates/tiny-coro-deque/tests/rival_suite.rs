//! The same suite on `crossbeam-deque` itself: what it asks for is what people know, and no invention of ours.
#![cfg(not(tiny_coro_loom))]

mod suite;

/// The renaming layer: all that the suite knows of a crate.
mod names {
    pub(crate) use crossbeam_deque::{Injector, Steal, Stealer, Worker};

    pub(crate) fn fifo<T>() -> Worker<T> {
        Worker::new_fifo()
    }

    pub(crate) fn lifo<T>() -> Worker<T> {
        Worker::new_lifo()
    }
}
