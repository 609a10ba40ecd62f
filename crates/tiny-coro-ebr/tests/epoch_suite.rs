//! The suite on this crate, on whichever backend is chosen.
#![cfg(not(tiny_coro_loom))]

mod suite;

/// The renaming layer: all that the suite knows of a crate.
mod names {
    pub(crate) use tiny_coro_ebr::{Atomic, Collector, Guard, LocalHandle, Owned, Shared};
    pub(crate) use tiny_coro_ebr::{default_collector, is_pinned, pin, unprotected};
}
