//! The one cfg ladder: which build gets which names. Both sides supply the same five modules.

#[cfg(not(tiny_coro_loom))]
mod native;
#[cfg(not(tiny_coro_loom))]
pub use native::{atomic, cell, hint, sync, thread};

#[cfg(tiny_coro_loom)]
mod model;
#[cfg(tiny_coro_loom)]
pub use model::{atomic, cell, hint, sync, thread};
