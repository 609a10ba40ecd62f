//! How long an owner looks at the word before it sleeps.

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

use tiny_coro_prim::hint;

use crate::permit::Permit;

/// The number of looks at the word before the sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spin(u32);

impl Spin {
    pub(crate) const NEVER: Self = Self(0);

    /// `rounds` looks, or none where the process has one processor: nobody else runs while we look.
    pub(crate) fn new(rounds: u32) -> Self {
        static ALONE: OnceLock<bool> = OnceLock::new();
        let alone =
            || *ALONE.get_or_init(|| thread::available_parallelism().is_ok_and(|count| count == NonZero::<usize>::MIN));
        if rounds == 0 || alone() { Self::NEVER } else { Self(rounds) }
    }

    /// Waits a little for a permit, without taking it.
    #[inline]
    pub(crate) fn wait(self, permit: &Permit) {
        for _ in 0..self.0 {
            if permit.is_there() {
                return;
            }
            hint::spin_loop();
        }
    }
}
