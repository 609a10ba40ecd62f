//! The deque of this crate, whichever backend its names stand for.

mod buffer;
mod shared;
mod stealer;
mod worker;

pub use stealer::Stealer;
pub use worker::Worker;
