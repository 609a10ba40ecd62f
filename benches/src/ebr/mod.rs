//! The `ebr` group: what it costs to pin, and to retire an object.

mod cases;
mod crossbeam;
mod tiny_coro;

pub use cases::cases;
pub use crossbeam::Crossbeam;
pub use tiny_coro::TinyCoro;

/// The object that is retired.
pub type Garbage = Box<usize>;

/// Epoch-based reclamation with a collector for the process.
pub trait Epoch: 'static {
    /// As long as it lives, the thread is pinned.
    type Guard;

    /// Pins the current thread.
    fn pin() -> Self::Guard;

    /// Has `garbage` dropped when nobody can reach it any more.
    fn defer(guard: &Self::Guard, garbage: Garbage);
}
