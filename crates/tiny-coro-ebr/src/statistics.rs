//! What a collector tells of itself.

use std::fmt;
use std::thread::ThreadId;
use std::time::Duration;

/// What a collector has done so far; see [`Collector::statistics`](crate::Collector::statistics).
///
/// The counters are read one after the other while others go on: each is exact once the participants rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many times the epoch has advanced.
    pub advances: usize,
    /// Objects retired.
    pub retired: usize,
    /// Objects reclaimed: their functions have been called.
    pub reclaimed: usize,
    /// Objects that wait: retired and not yet reclaimed.
    pub pending: usize,
    /// The size in bytes of those that wait, as told by whoever retired them.
    pub pending_bytes: usize,
    /// Deferred functions that panicked (they count as reclaimed).
    pub panics: usize,
    /// Times that a participant over its limits tried to advance the epoch in vain: somebody stays pinned.
    pub stalled: usize,
    /// Handles registered now, or kept by a guard.
    pub participants: usize,
}

/// A participant that keeps the epoch from advancing; see [`Collector::stalled`](crate::Collector::stalled).
///
/// It prints as a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// The name of the thread that registered, if it has one.
    pub thread: Option<String>,
    /// The id of the thread that registered; none if that was while its thread-locals were being destroyed.
    pub thread_id: Option<ThreadId>,
    /// How many epochs its pin is behind: one, as the epoch gets one ahead of a pin and then waits for it.
    pub epochs_behind: usize,
    /// How long it has been so, at least: since the first attempt in vain to advance the epoch, or the first time that
    /// somebody asked.
    pub pinned_for: Duration,
    /// The attempts in vain to advance the epoch since then, of all participants.
    pub attempts: usize,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.thread.as_deref().unwrap_or("unnamed");
        write!(f, "thread '{name}' has been pinned for {:?} or longer, ", self.pinned_for)?;
        write!(f, "{} epoch behind; {} attempts to advance were in vain", self.epochs_behind, self.attempts)
    }
}
