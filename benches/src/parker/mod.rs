//! The `parker` group: what it costs to sleep until another thread says so, and not to have to.

mod cases;
mod rivals;
mod tiny_coro;

pub use cases::cases;
pub use rivals::{Crossbeam, Parking, Std};
pub use tiny_coro::{OnParkingLot, OnStd, TinyCoro};

/// The end of the thread that sleeps. It belongs to the thread that made it.
pub trait Parker: 'static {
    /// The end of those that wake it.
    type Unparker: Send + Sync + 'static;

    /// Makes a parker without a permit for this thread.
    fn new() -> Self;

    /// The other end.
    fn unparker(&self) -> Self::Unparker;

    /// Takes the permit; sleeps until there is one.
    fn park(&self);

    /// Gives the permit.
    fn unpark(unparker: &Self::Unparker);
}
