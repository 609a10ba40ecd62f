//! Which queue the crate's plain name stands for: the one place that asks.
//!
//! A backend is a module with a `TimerQueue` that has the methods of [`crate::heap::TimerQueue`] and passes
//! `tests/conformance.rs` and `tests/properties.rs`.

#[cfg(feature = "heap")]
pub use crate::heap::TimerQueue;
#[cfg(not(feature = "heap"))]
pub use crate::wheel::TimerQueue;
