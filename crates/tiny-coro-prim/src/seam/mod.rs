//! The one cfg ladder: which build gets which names. Every side supplies the same five modules, and the two checkers one more.
//!
//! The rest of the project asks for `tiny_coro_loom` only, which both checkers set: they take the same stand-ins and the same small
//! constants. What tells them apart is here.

#[cfg(not(tiny_coro_loom))]
mod native;
#[cfg(not(tiny_coro_loom))]
pub use native::{atomic, cell, hint, sync, thread};

#[cfg(all(tiny_coro_loom, not(tiny_coro_shuttle)))]
mod loom;
#[cfg(all(tiny_coro_loom, not(tiny_coro_shuttle)))]
pub use self::loom::{atomic, cell, checker, hint, sync, thread};

#[cfg(all(tiny_coro_loom, tiny_coro_shuttle))]
mod shuttle;
#[cfg(all(tiny_coro_loom, tiny_coro_shuttle))]
pub use self::shuttle::{atomic, cell, checker, hint, sync, thread};

#[cfg(all(tiny_coro_shuttle, not(tiny_coro_loom)))]
compile_error!(
    "`--cfg tiny_coro_shuttle` stands beside `--cfg tiny_coro_loom`, which brings in what a checker needs elsewhere"
);

/// The thread builder of a checker.
#[cfg(tiny_coro_loom)]
mod builder;
/// The lock and the condition variable of a checker.
#[cfg(tiny_coro_loom)]
mod lock;
/// The cell where no checker looks at its accesses.
#[cfg(any(not(tiny_coro_loom), tiny_coro_shuttle))]
mod plain;
