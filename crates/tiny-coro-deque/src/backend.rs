//! Which deque the crate's names stand for: the one place that asks.
//!
//! A backend supplies `Worker` and `Stealer` with the methods of [`crate::chase_lev`]; `tests/conformance.rs` says
//! what they promise.

#[cfg(not(feature = "crossbeam-deque"))]
pub use crate::chase_lev::{Stealer, Worker};
#[cfg(feature = "crossbeam-deque")]
pub use crate::crossbeam::{Stealer, Worker};
