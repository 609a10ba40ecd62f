//! A collector: the epoch and those who take part in it.

use std::fmt;
use std::thread::{self, Thread};

use tiny_coro_prim::sync::Arc;

use super::epoch::{AtomicEpoch, Epoch};
use super::handle::LocalHandle;
use super::orphans::Orphans;
use super::participant::Participant;
use super::registry::Registry;
use super::stall::Standstill;
use crate::limits::AtomicLimits;
use crate::{Limits, Stall, Statistics};

/// An epoch counter, the participants that watch it, and the garbage that nobody owns.
///
/// Cloning gives another handle on the same collector. When the last handle and the last participant are gone, every
/// deferred function that still waits is called, on that thread. A deferred function must therefore not own a handle
/// on its own collector: the two would keep each other alive.
///
/// # Examples
///
/// ```
/// let collector = tiny_coro_ebr::native::Collector::new();
/// let handle = collector.register();
/// let guard = handle.pin();
/// let word = Box::into_raw(Box::new(7));
/// // SAFETY: the box is ours alone, and nobody has seen the pointer.
/// unsafe { guard.defer_destroy(word) };
/// assert_eq!(collector.statistics().pending, 1);
/// ```
#[derive(Clone)]
pub struct Collector {
    shared: Arc<Shared>,
}

/// What all handles and participants of one collector share.
pub(super) struct Shared {
    pub(super) epoch: AtomicEpoch,
    pub(super) registry: Registry,
    pub(super) orphans: Orphans,
    pub(super) limits: AtomicLimits,
    standstill: Standstill,
}

impl Collector {
    /// Whether this backend counts, limits its garbage, and reports who is stalled.
    pub const REPORTS: bool = true;

    /// Makes a collector of its own, with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::new())
    }

    /// Makes a collector of its own.
    pub fn with_limits(limits: Limits) -> Self {
        let shared = Shared {
            epoch: AtomicEpoch::new(),
            registry: Registry::new(),
            orphans: Orphans::new(),
            limits: AtomicLimits::new(limits),
            standstill: Standstill::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Registers the current thread. A thread may register more than once; each handle is a participant of its own.
    pub fn register(&self) -> LocalHandle {
        self.register_as(Some(thread::current()))
    }

    /// Registers the current thread under what is known of it.
    pub(super) fn register_as(&self, thread: Option<Thread>) -> LocalHandle {
        let entry = self.shared.registry.claim();
        entry.adopt(self.clone(), thread);
        LocalHandle::new(entry)
    }

    /// Returns the limits on garbage.
    pub fn limits(&self) -> Limits {
        self.shared.limits.get()
    }

    /// Sets the limits on garbage. A participant heeds them from its next attempt to help on.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.limits.set(limits);
    }

    /// Returns what the collector has done so far. Walks all participants and disturbs none.
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics { advances: self.shared.epoch.load().advances(), ..Statistics::default() };
        for entry in self.shared.registry.iter() {
            entry.counters.add_to(&mut sum);
            sum.participants += usize::from(entry.is_claimed());
        }
        sum.pending = sum.retired.saturating_sub(sum.reclaimed);
        sum
    }

    /// Returns who keeps the epoch from advancing at this moment, and since when.
    ///
    /// A participant that has just pinned may be among them, with a [`Stall::pinned_for`] of next to nothing; one to
    /// worry about stays and grows older. Walks all participants and disturbs none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tiny_coro_ebr::native::Collector;
    /// let collector = Collector::new();
    /// let (reader, writer) = (collector.register(), collector.register());
    /// let forgotten = reader.pin();
    /// (0..3).for_each(|_| writer.pin().flush());
    ///
    /// let stalls = collector.stalled();
    /// assert_eq!(stalls[0].thread_id, Some(std::thread::current().id()));
    /// assert_eq!(stalls[0].epochs_behind, 1);
    ///
    /// drop(forgotten);
    /// assert!(collector.stalled().is_empty());
    /// ```
    pub fn stalled(&self) -> Vec<Stall> {
        let now = self.shared.epoch.load();
        let stall = |entry: &Participant| {
            let epochs_behind = entry.pinned_in()?.behind(now);
            let (pinned_for, attempts) = (epochs_behind != 0).then(|| self.shared.standstill.get(now))?;
            let (thread, thread_id) = match entry.thread() {
                Some(thread) => (thread.name().map(str::to_owned), Some(thread.id())),
                None => (None, None),
            };
            Some(Stall { thread, thread_id, epochs_behind, pinned_for, attempts })
        };
        self.shared.registry.iter().filter_map(stall).collect()
    }
}

impl Shared {
    /// Moves the epoch on if every pinned participant has seen it. The caller is pinned in `own`.
    pub(super) fn try_advance(&self, own: Epoch) -> bool {
        let now = self.epoch.load();
        // The caller itself is in the way.
        if now != own {
            return false;
        }
        // No fence here: the caller's pin, which has read this very epoch, has one, and it comes after everything
        // that had to happen for the epoch to be reached (E3).
        if self.registry.iter().any(|entry| entry.blocks(now)) {
            self.standstill.count(now);
            return false;
        }
        self.epoch.advance(now)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is pinned: a participant keeps the collector. Its garbage has come here when it left.
        for mut bag in self.orphans.take_all() {
            bag.reclaim(usize::MAX);
        }
    }
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

/// Two handles are equal if they are on the same collector.
impl PartialEq for Collector {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Collector {}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}
