//! How long an owner looks at the word before it sleeps.

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

use tiny_coro_prim::hint;

use crate::permit::Permit;

/// How many looks at the word go with one at the clock, which takes as long as some of them.
const ROUNDS_PER_LOOK_AT_CLOCK: u32 = 64;

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
        self.wait_unless(permit, || false);
    }

    /// Likewise, and not much longer than until `deadline`.
    #[inline]
    pub(crate) fn wait_until(self, permit: &Permit, deadline: Instant) {
        self.wait_unless(permit, || Instant::now() >= deadline);
    }

    #[inline]
    fn wait_unless(self, permit: &Permit, is_over: impl Fn() -> bool) {
        for round in 1..=self.0 {
            if permit.is_there() || (round % ROUNDS_PER_LOOK_AT_CLOCK == 0 && is_over()) {
                return;
            }
            hint::spin_loop();
        }
    }
}
