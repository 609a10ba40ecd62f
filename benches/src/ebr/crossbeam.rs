//! crossbeam-epoch.

use super::{Epoch, Garbage};

/// `crossbeam_epoch::pin`.
#[derive(Debug)]
pub struct Crossbeam;

impl Epoch for Crossbeam {
    type Guard = crossbeam_epoch::Guard;

    fn pin() -> Self::Guard {
        crossbeam_epoch::pin()
    }

    fn defer(guard: &Self::Guard, garbage: Garbage) {
        guard.defer(move || drop(garbage));
    }
}
