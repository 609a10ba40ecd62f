//! tiny-coro-parker: the default, and the other backends by name.

use tiny_coro_parker as ours;
use tiny_coro_parker::backend::{Backend, Native, ParkingLot, Std};

use super::Parker;

/// `tiny_coro_parker::Parker` on one of its backends.
#[derive(Debug)]
pub struct OnBackend<B: Backend>(ours::Parker<B>);

/// The backend of this system.
pub type TinyCoro = OnBackend<Native>;

/// The standard library's mutex and condition variable.
pub type OnStd = OnBackend<Std>;

/// parking_lot's mutex and condition variable.
pub type OnParkingLot = OnBackend<ParkingLot>;

impl<B: Backend + Default> Parker for OnBackend<B> {
    type Unparker = ours::Unparker<B>;

    fn new() -> Self {
        OnBackend(ours::Parker::with_backend(B::default()))
    }

    fn unparker(&self) -> Self::Unparker {
        self.0.unparker()
    }

    fn park(&self) {
        self.0.park();
    }

    fn unpark(unparker: &Self::Unparker) {
        unparker.unpark();
    }
}
