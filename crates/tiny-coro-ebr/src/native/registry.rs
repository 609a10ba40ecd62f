//! The list of participants: push-only, with reuse of what is free.

use std::iter;
use std::ptr;

use tiny_coro_prim::atomic::{AtomicPtr, Ordering};

use super::participant::Participant;

/// All participants there ever were: a list that only grows, whose unclaimed entries are claimed again.
///
/// An advance walks it without a lock, so no thread that is suspended while it registers keeps the others from
/// reclaiming, and no entry is freed under a walker. The price is that the list stays as long as its longest day.
#[derive(Debug)]
pub(super) struct Registry {
    head: AtomicPtr<Participant>,
}

impl Registry {
    pub(super) fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Returns the entries registered so far, the newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Participant> {
        // ORDERING E6: acquire. Pairs with the release of the exchange in `claim`: an entry is written before it is
        // seen.
        let head: *const Participant = self.head.load(Ordering::Acquire);
        // SAFETY: entries are published whole (E6) and live as long as the registry.
        let first = unsafe { head.as_ref() };
        // SAFETY: as above; `next` was set before its entry was published.
        iter::successors(first, |entry| unsafe { entry.next().as_ref() })
    }

    /// Returns an entry that is the caller's alone.
    pub(super) fn claim(&self) -> &Participant {
        if let Some(entry) = self.iter().find(|entry| entry.try_claim()) {
            return entry;
        }
        let new = Box::into_raw(Box::new(Participant::new_claimed()));
        // Relaxed: a guess that the exchange checks.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: `new` came from a box, and nobody else has it yet.
            unsafe { &mut *new }.set_next(head);
            // ORDERING E6: release. Publishes the entry to the acquire load in `iter`; those before it too, as
            // exchanges go on with the release sequence of what they replace.
            match self.head.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                // SAFETY: the entry lives as long as the registry.
                Ok(_) => return unsafe { &*new },
                Err(current) => head = current,
            }
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Relaxed: whoever drops the collector comes after everybody who had it.
        let mut entry = self.head.load(Ordering::Relaxed);
        while !entry.is_null() {
            // SAFETY: every entry came from a box, stands in the list once, and nobody walks the list of a registry
            // being dropped.
            let boxed = unsafe { Box::from_raw(entry) };
            debug_assert!(!boxed.is_claimed(), "a claimed entry keeps its collector");
            entry = boxed.next().cast_mut();
        }
    }
}
