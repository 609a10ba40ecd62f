//! Which reclamation the crate's names stand for: the one place that asks.
//!
//! A backend supplies `Collector`, `LocalHandle` and `Guard` with the methods of [`crate::native`], and its functions;
//! `tests/conformance.rs` says what they promise.

#[cfg(feature = "crossbeam-epoch")]
pub use crate::crossbeam::{Collector, Guard, LocalHandle, default_collector, is_pinned, pin, pin_fenced, unprotected};
#[cfg(not(feature = "crossbeam-epoch"))]
pub use crate::native::{Collector, Guard, LocalHandle, default_collector, is_pinned, pin, pin_fenced, unprotected};
