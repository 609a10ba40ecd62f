//! The same suite on `crossbeam-epoch` itself: what it asks for is what people know, and no invention of ours.
#![cfg(not(tiny_coro_loom))]

mod suite;

/// The renaming layer: all that the suite knows of a crate.
mod names {
    pub(crate) use crossbeam_epoch::{Atomic, Collector, Guard, LocalHandle, Owned, Shared};
    pub(crate) use crossbeam_epoch::{default_collector, is_pinned, pin, unprotected};
}
