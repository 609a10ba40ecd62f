//! The one atomic of this crate: whether a signal is on its way to the wait.

// Not through tiny-coro-prim: for a single bool, this crate would bring a lock library along. Shuttle's programs leave the poller alone.
#[cfg(all(tiny_coro_loom, not(tiny_coro_shuttle)))]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(any(not(tiny_coro_loom), tiny_coro_shuttle))]
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised from the first wake until a wait has consumed its signal (P3).
pub(crate) struct WakeFlag(AtomicBool);

impl WakeFlag {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Raises the flag, and sends the signal if nobody else has: otherwise the wait that consumes the signal on its way
    /// stands for this wake, too.
    pub(crate) fn wake<E>(&self, signal: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        // ORDERING P3: release. Publishes the caller's writes to the acquire swap in `lower`; a later wake continues the
        // release sequence, so that one `lower` sees the writes of all wakes that it stands for.
        if self.0.swap(true, Ordering::Release) {
            return Ok(());
        }
        signal().inspect_err(|_| self.lower())
    }

    /// Called by the wait that consumed the signal, before it returns.
    pub(crate) fn lower(&self) {
        // ORDERING P3: acquire. Sees what was written before every `wake` that precedes it. One that comes after finds the
        // flag down and sends a signal of its own: on a single location no fence is needed.
        self.0.swap(false, Ordering::Acquire);
    }
}
