//! tiny-coro-ebr.

use super::{Epoch, Garbage};

/// `tiny_coro_ebr::pin`.
#[derive(Debug)]
pub struct TinyCoro;

impl Epoch for TinyCoro {
    type Guard = tiny_coro_ebr::Guard;

    fn pin() -> Self::Guard {
        tiny_coro_ebr::pin()
    }

    fn defer(guard: &Self::Guard, garbage: Garbage) {
        guard.defer(move || drop(garbage));
    }
}
