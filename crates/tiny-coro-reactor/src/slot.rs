//! Where the one waiter of a direction leaves its waker.

use std::task::Waker;
use tiny_coro_prim::sync::Mutex;

/// The waiter slot of one direction (invariant R3 of the crate page).
///
/// A mutex, held for a compare and a move: user code (a waker's clone, wake or drop) never runs under it.
#[derive(Debug)]
pub(crate) struct Slot(Mutex<Option<Waker>>);

impl Slot {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Leaves `waker` as the one to wake. The caller looks at the readiness again afterwards.
    pub(crate) fn register(&self, waker: &Waker) {
        let replaced = {
            if self.0.lock().as_ref().is_some_and(|old| old.will_wake(waker)) {
                return;
            }
            let new = waker.clone();
            self.0.lock().replace(new)
        };
        drop(replaced);
    }

    /// Takes the waiter's waker. The caller has set the readiness before.
    pub(crate) fn take(&self) -> Option<Waker> {
        self.0.lock().take()
    }
}
