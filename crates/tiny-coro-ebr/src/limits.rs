//! How much garbage may wait before its owner helps.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How much garbage one participant may have before it helps at every step.
///
/// A participant tries to advance the epoch and to reclaim whenever it has retired a sixteenth of a limit since it
/// last tried. Beyond either limit it does so at every retirement and at every pin in a new epoch, until it is below
/// again; while it tries in vain, as seldom as before. One such step calls 512 deferred functions at most, or a quarter
/// of [`Limits::objects`] if that is more: a pin is never long, however much there is to make up for.
///
/// What no amount of help can pass is a guard that stays: as long as one is held, whatever is retired meanwhile waits.
/// [`Statistics::stalled`] counts the times that help was in vain, and [`Collector::stalled`] tells who it is.
///
/// [`Statistics::stalled`]: crate::Statistics::stalled
/// [`Collector::stalled`]: crate::Collector::stalled
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Retired objects that wait in one participant.
    pub objects: usize,
    /// Their size in bytes, as told by whoever retired them.
    pub bytes: usize,
}

impl Limits {
    /// The default of [`Limits::objects`].
    pub const OBJECTS: usize = 1024;

    /// The default of [`Limits::bytes`]: a mebibyte.
    pub const BYTES: usize = 1 << 20;

    /// The part of a limit after which a participant helps although it is below the limit.
    const STEPS: usize = 16;

    /// Returns the defaults.
    pub const fn new() -> Self {
        Self { objects: Self::OBJECTS, bytes: Self::BYTES }
    }

    /// Sets [`Limits::objects`].
    #[must_use]
    pub const fn with_objects(mut self, objects: usize) -> Self {
        self.objects = objects;
        self
    }

    /// Sets [`Limits::bytes`].
    #[must_use]
    pub const fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// How many deferred functions one step calls at most, so that no pin takes for ever.
    const PER_STEP: usize = 512;

    /// Returns how many deferred functions one step calls at most: more than can be retired from one attempt to help
    /// to the next, or a backlog would never shrink.
    pub(crate) fn per_step(self) -> usize {
        Self::PER_STEP.max(self.objects / 4)
    }

    /// Returns whether a participant with so much garbage is over a limit.
    pub(crate) const fn exceeded_by(self, objects: usize, bytes: usize) -> bool {
        objects > self.objects || bytes > self.bytes
    }

    /// Returns how much garbage makes a participant help again that now has so much, and whose last attempt
    /// `advanced` the epoch or did not.
    pub(crate) fn next_help(self, objects: usize, bytes: usize, advanced: bool) -> (usize, usize) {
        if advanced && self.exceeded_by(objects, bytes) {
            (objects.saturating_add(1), bytes.saturating_add(1))
        } else {
            let step = |now: usize, limit: usize| now.saturating_add((limit / Self::STEPS).max(1));
            (step(objects, self.objects), step(bytes, self.bytes))
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// Limits that can be set while others read them. No order between the two matters: they only say when to try.
///
/// These are the standard library's atomics even in a model: nothing hangs on the order in which they are seen, and
/// each access that the model checker knows of multiplies the schedules it must try.
#[derive(Debug)]
pub(crate) struct AtomicLimits {
    objects: AtomicUsize,
    bytes: AtomicUsize,
}

impl AtomicLimits {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { objects: AtomicUsize::new(limits.objects), bytes: AtomicUsize::new(limits.bytes) }
    }

    pub(crate) fn get(&self) -> Limits {
        Limits { objects: self.objects.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    pub(crate) fn set(&self, limits: Limits) {
        self.objects.store(limits.objects, Ordering::Relaxed);
        self.bytes.store(limits.bytes, Ordering::Relaxed);
    }
}
