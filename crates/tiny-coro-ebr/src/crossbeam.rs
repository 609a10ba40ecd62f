//! The reclamation of `crossbeam-epoch` behind this crate's names.
//!
//! It counts nothing, knows no limits and can't tell who is stalled: [`Collector::REPORTS`] is false, the statistics
//! are zeros, nobody is ever stalled, and there is no limit, nor does setting one do anything. A deferred function
//! that panics does so in whichever thread calls it.
//!
//! Longer than an adapter should be because there are three types to wrap, and each forwarding method takes its lines.

use std::sync::atomic::{Ordering, fence};

use crossbeam_epoch as theirs;
pub use theirs::is_pinned;

use crate::{Limits, Shared, Stall, Statistics};

/// A handle on a collector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Collector(theirs::Collector);

/// A thread's registration with a collector.
#[derive(Debug)]
pub struct LocalHandle(theirs::LocalHandle);

/// A pin.
#[derive(Debug)]
#[repr(transparent)]
pub struct Guard(theirs::Guard);

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl Collector {
    pub const REPORTS: bool = false;

    pub fn new() -> Self {
        Self::default()
    }
    pub fn with_limits(_: Limits) -> Self {
        Self::default()
    }
    pub fn global() -> &'static Self {
        Self::of(theirs::default_collector())
    }
    pub fn register(&self) -> LocalHandle {
        LocalHandle(self.0.register())
    }
    pub fn limits(&self) -> Limits {
        Limits::new().with_objects(usize::MAX).with_bytes(usize::MAX)
    }
    pub fn set_limits(&self, _: Limits) {}
    pub fn statistics(&self) -> Statistics {
        Statistics::default()
    }
    pub fn stalled(&self) -> Vec<Stall> {
        Vec::new()
    }
    fn of(collector: &theirs::Collector) -> &Self {
        // SAFETY: a transparent wrapper has the layout of what it wraps.
        unsafe { &*std::ptr::from_ref(collector).cast() }
    }
}

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl LocalHandle {
    pub fn pin(&self) -> Guard {
        Guard(self.0.pin())
    }
    pub fn is_pinned(&self) -> bool {
        self.0.is_pinned()
    }
    pub fn collector(&self) -> &Collector {
        Collector::of(self.0.collector())
    }
}

#[expect(missing_docs, clippy::missing_safety_doc, reason = "the same as those of the default backend")]
impl Guard {
    pub fn defer<F: FnOnce() -> R + Send + 'static, R>(&self, function: F) {
        self.0.defer(function);
    }
    pub unsafe fn defer_unchecked<F: FnOnce() -> R, R>(&self, function: F) {
        // SAFETY: the caller vouches for the same.
        unsafe { self.0.defer_unchecked(function) };
    }
    pub unsafe fn defer_sized<F: FnOnce() -> R, R>(&self, _: usize, function: F) {
        // SAFETY: the caller vouches for the same.
        unsafe { self.0.defer_unchecked(function) };
    }
    pub unsafe fn defer_destroy<'g, T: 'g>(&self, pointer: impl Into<Shared<'g, T>>) {
        let pointer = pointer.into();
        // SAFETY: the caller vouches for the same, and that the pointer is a box's.
        unsafe { self.0.defer_unchecked(move || pointer.into_owned()) };
    }
    pub fn flush(&self) {
        self.0.flush();
    }
    pub fn repin(&mut self) {
        self.0.repin();
    }
    pub fn repin_after<F: FnOnce() -> R, R>(&mut self, function: F) -> R {
        self.0.repin_after(function)
    }
    pub fn collector(&self) -> Option<&Collector> {
        self.0.collector().map(Collector::of)
    }
}

/// Returns the collector of the process.
pub fn default_collector() -> &'static Collector {
    Collector::global()
}

/// Pins the current thread with the collector of the process.
#[inline]
pub fn pin() -> Guard {
    Guard(theirs::pin())
}

/// Pins the current thread, and fences in any case: an outermost pin of theirs is a full fence, an inner one is not.
#[inline]
pub fn pin_fenced() -> Guard {
    if is_pinned() {
        // UNMODELLED: no model runs this backend. Without it a thief's fence would be missing under an outer pin.
        fence(Ordering::SeqCst);
    }
    pin()
}

/// Returns a guard that pins nobody.
///
/// # Safety
///
/// As for the default backend's.
pub unsafe fn unprotected() -> &'static Guard {
    // SAFETY: the caller vouches for the same; and a transparent wrapper has the layout of what it wraps.
    unsafe { &*std::ptr::from_ref(theirs::unprotected()).cast() }
}
