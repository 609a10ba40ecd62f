//! Which deque the crate's names stand for: the one place that asks.
//!
//! A backend supplies `Worker`, `Stealer` and `Injector` with the methods of [`crate::chase_lev`]; `tests/conformance.rs` says
//! what they promise.

#[cfg(not(feature = "crossbeam-deque"))]
pub use crate::chase_lev::{Injector, Stealer, Worker};
#[cfg(feature = "crossbeam-deque")]
pub use crate::crossbeam::{Injector, Stealer, Worker};
