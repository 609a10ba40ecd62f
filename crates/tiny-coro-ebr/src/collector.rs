//! A collector: the epoch and those who take part in it.

use std::fmt;

use tiny_coro_prim::sync::Arc;

use crate::epoch::{AtomicEpoch, Epoch};
use crate::handle::LocalHandle;
use crate::limits::{AtomicLimits, Limits};
use crate::orphans::Orphans;
use crate::registry::Registry;
use crate::statistics::Statistics;

/// An epoch counter, the participants that watch it, and the garbage that nobody owns.
///
/// Cloning gives another handle on the same collector. When the last handle and the last participant are gone, every
/// deferred function that still waits is called, on that thread. A deferred function must therefore not own a handle
/// on its own collector: the two would keep each other alive.
///
/// # Examples
///
/// ```
/// let collector = tiny_coro_ebr::Collector::new();
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
pub(crate) struct Shared {
    pub(crate) epoch: AtomicEpoch,
    pub(crate) registry: Registry,
    pub(crate) orphans: Orphans,
    pub(crate) limits: AtomicLimits,
}

impl Collector {
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
        };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Registers the current thread. A thread may register more than once; each handle is a participant of its own.
    pub fn register(&self) -> LocalHandle {
        let entry = self.shared.registry.claim();
        entry.adopt(self.shared.clone());
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
}

impl Shared {
    /// Moves the epoch on if every pinned participant has seen it. The caller is pinned in `own`.
    pub(crate) fn try_advance(&self, own: Epoch) -> bool {
        let now = self.epoch.load();
        // The caller itself is in the way.
        if now != own {
            return false;
        }
        // No fence here: the caller's pin, which has read this very epoch, has one, and it comes after everything
        // that had to happen for the epoch to be reached (E3).
        !self.registry.iter().any(|entry| entry.blocks(now)) && self.epoch.advance(now)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is pinned: a participant keeps the collector. Its garbage has come here when it left.
        for mut bag in self.orphans.take_all() {
            bag.reclaim();
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
