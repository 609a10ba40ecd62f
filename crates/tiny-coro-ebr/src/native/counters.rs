//! One participant's share of the statistics, off the hot path.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::bag::Reclaimed;
use crate::Statistics;

/// One participant's counters. Only its owner writes: a load and a store, no read-modify-write.
///
/// These are the standard library's atomics even in a model: they are only counters, and each access that the model
/// checker knows of multiplies the schedules it must try.
#[derive(Debug, Default)]
pub(super) struct Counters {
    retired: AtomicUsize,
    retired_bytes: AtomicUsize,
    reclaimed: AtomicUsize,
    reclaimed_bytes: AtomicUsize,
    panics: AtomicUsize,
    stalled: AtomicUsize,
}

#[inline]
fn add(counter: &AtomicUsize, count: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

impl Counters {
    #[inline]
    pub(super) fn retire(&self, bytes: usize) {
        add(&self.retired, 1);
        add(&self.retired_bytes, bytes);
    }

    pub(super) fn reclaim(&self, sum: Reclaimed) {
        add(&self.reclaimed, sum.objects);
        add(&self.reclaimed_bytes, sum.bytes);
        add(&self.panics, sum.panics);
    }

    pub(super) fn stall(&self) {
        add(&self.stalled, 1);
    }

    /// Adds this share to `sum`. What was reclaimed is read first, so that a sum never counts more of it than was
    /// retired.
    pub(super) fn add_to(&self, sum: &mut Statistics) {
        let get = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        sum.reclaimed = sum.reclaimed.wrapping_add(get(&self.reclaimed));
        sum.pending_bytes = sum.pending_bytes.wrapping_sub(get(&self.reclaimed_bytes));
        sum.panics = sum.panics.wrapping_add(get(&self.panics));
        sum.stalled = sum.stalled.wrapping_add(get(&self.stalled));
        sum.retired = sum.retired.wrapping_add(get(&self.retired));
        sum.pending_bytes = sum.pending_bytes.wrapping_add(get(&self.retired_bytes));
    }
}
