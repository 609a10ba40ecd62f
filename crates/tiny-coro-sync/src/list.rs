//! The intrusive waiter list that [`mutex`](crate::mutex) and [`channel`](crate::channel) share.
//!
//! A coroutine that has to wait puts a [`Waiter`], a field of its own future, into a [`List`] that lives under a short
//! lock. Whoever has what it waits for takes the first waiter off, leaves the outcome in it and wakes it. Nothing is
//! allocated, and a cancelled future takes its node out in O(1).
//!
//! # Phases of a waiter
//!
//! ```text
//!              owner, under the lock                another party, under the lock
//!      Idle ───────── push_back ─────────▶ Queued ───────── complete ─────────▶ Done | Closed
//!       ▲ ▲                                  │                                      │
//!       │ └───────────── remove ─────────────┘                                      │
//!       └─────────────────────────────── settle (owner) ────────────────────────────┘
//! ```
//!
//! | ID | always true | kept by | relied on by |
//! |----|-------------|---------|--------------|
//! | L1 | a linked waiter is alive and does not move | `Pin`, and `Drop`, which aborts on a queued waiter | every access through a link |
//! | L2 | links and waker are touched only under the list's lock | `&mut List` | each other |
//! | L3 | the slot belongs to the lock's holder while Queued, else to the owner | `complete_*`, `settle`, `take` | handing a sender's value over |
//! | L4 | the store of Done or Closed is the completer's last access | `complete_first` | the owner, who may free the node at once |
//! | L5 | the list never wakes, clones or drops a waker itself | the callers get them back | user code never runs under the lock |
//!
//! L4 is what makes the waker necessary as an owned value: it is moved out *before* the phase is stored, so that a
//! coroutine that sees its outcome by chance, returns and is freed cannot pull the waker away from under the completer.

use std::marker::PhantomPinned;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Waker;

use tiny_coro_prim::atomic::{AtomicU8, Ordering};
use tiny_coro_prim::cell::UnsafeCell;

/// Where a waiter is in its life. Only the owner leaves `Idle`, `Done` and `Closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// In no list. The owner has the slot.
    Idle = 0,
    /// In the list. The holder of the lock has the slot.
    Queued = 1,
    /// Taken off the list: what it waited for has happened. The owner has the slot.
    Done = 2,
    /// Taken off the list: what it waited for will never happen. The owner has the slot.
    Closed = 3,
}

struct Links<S> {
    previous: Option<NonNull<Waiter<S>>>,
    next: Option<NonNull<Waiter<S>>>,
}

/// One waiting coroutine: a list node with a slot through which a value changes hands.
pub(crate) struct Waiter<S> {
    links: UnsafeCell<Links<S>>,
    waker: UnsafeCell<Option<Waker>>,
    slot: UnsafeCell<Option<S>>,
    phase: AtomicU8,
    _pinned: PhantomPinned,
}

// SAFETY: the owner's methods need `&mut Waiter`, everybody else's need the lock (L2, L3); values of `S` and wakers, which
// are `Send`, move between threads.
unsafe impl<S: Send> Send for Waiter<S> {}
// SAFETY: through `&Waiter` only the atomic phase can be read.
unsafe impl<S: Send> Sync for Waiter<S> {}

impl<S> Waiter<S> {
    /// Makes an idle waiter with `slot` to hand over, or an empty slot to be filled.
    pub(crate) fn new(slot: Option<S>) -> Self {
        Self {
            links: UnsafeCell::new(Links { previous: None, next: None }),
            waker: UnsafeCell::new(None),
            slot: UnsafeCell::new(slot),
            phase: AtomicU8::new(Phase::Idle as u8),
            _pinned: PhantomPinned,
        }
    }

    /// Returns the phase. Any answer but `Queued` stays true until the owner changes it.
    pub(crate) fn phase(&self) -> Phase {
        // ORDERING L4: acquire. Pairs with the release store in `complete_first`: who sees Done or Closed sees the slot.
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Idle,
            1 => Phase::Queued,
            2 => Phase::Done,
            _ => Phase::Closed,
        }
    }

    /// Takes the slot's content.
    ///
    /// # Panics
    ///
    /// When the waiter is queued: the slot isn't the owner's then.
    pub(crate) fn take(self: Pin<&mut Self>) -> Option<S> {
        assert!(self.phase() != Phase::Queued, "the slot of a queued waiter belongs to the list");
        // SAFETY: L3: not queued, so the slot is the owner's, and `&mut self` is the owner.
        self.slot.with_mut(|slot| unsafe { (*slot).take() })
    }

    /// Fills the slot of an idle waiter.
    pub(crate) fn put(self: Pin<&mut Self>, value: S) {
        assert!(self.phase() == Phase::Idle, "the slot of a queued waiter belongs to the list");
        // SAFETY: L3: idle, so the slot is the owner's, and `&mut self` is the owner.
        self.slot.with_mut(|slot| unsafe { *slot = Some(value) });
    }

    /// Makes a waiter whose outcome was seen idle again.
    pub(crate) fn settle(self: Pin<&mut Self>) {
        debug_assert!(self.phase() != Phase::Queued);
        self.phase.store(Phase::Idle as u8, Ordering::Relaxed); // no edge: only the owner acts on an unlinked waiter
    }
}

impl<S> Drop for Waiter<S> {
    fn drop(&mut self) {
        // The list would be left with a dangling node, and no unwinding can mend that. Each future's own `Drop` removes
        // its waiter first, so this is the proof of L1 and not a path that is taken.
        if self.phase() == Phase::Queued {
            std::process::abort();
        }
    }
}

/// A first-in, first-out list of [`Waiter`]s. It lives inside a lock.
pub(crate) struct List<S> {
    head: Option<NonNull<Waiter<S>>>,
    tail: Option<NonNull<Waiter<S>>>,
}

// SAFETY: the list reaches waiters through `&mut self` only, and moves values of `S` and wakers, both `Send`.
unsafe impl<S: Send> Send for List<S> {}

impl<S> List<S> {
    pub(crate) const fn new() -> Self {
        Self { head: None, tail: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Appends an idle waiter.
    ///
    /// # Safety
    ///
    /// Until `waiter` is completed or removed, its owner keeps it away from every other list, and this list stays under
    /// the one lock that the owner takes for [`remove`](Self::remove) and [`renew`](Self::renew).
    pub(crate) unsafe fn push_back(&mut self, waiter: Pin<&mut Waiter<S>>, waker: Waker) {
        assert!(waiter.phase() == Phase::Idle, "a waiter is queued once");
        let node = NonNull::from(waiter.as_ref().get_ref());
        // SAFETY: L2: unlinked and ours by `&mut`, nobody else touches its links.
        waiter.links.with_mut(|links| unsafe { *links = Links { previous: self.tail, next: None } });
        // SAFETY: as above for the waker; an idle waiter has none, so no user code is dropped here (L5).
        waiter.waker.with_mut(|slot| unsafe { *slot = Some(waker) });
        waiter.phase.store(Phase::Queued as u8, Ordering::Relaxed); // no edge: read by the owner and under the lock
        match self.tail.replace(node) {
            // SAFETY: L1: `tail` is linked, so it is alive; L2: `&mut self` is the lock.
            Some(tail) => unsafe { tail.as_ref() }.links.with_mut(|links| unsafe { (*links).next = Some(node) }),
            None => self.head = Some(node),
        }
    }

    /// Takes a queued waiter off and makes it idle. The waker comes back, to be dropped outside the lock.
    ///
    /// Returns `None`, and does nothing, when the waiter is not queued (any more).
    ///
    /// # Safety
    ///
    /// If `waiter` is queued, it is in this list.
    pub(crate) unsafe fn remove(&mut self, waiter: Pin<&mut Waiter<S>>) -> Option<Waker> {
        if waiter.phase() != Phase::Queued {
            return None;
        }
        // SAFETY: queued, in this list by the caller's promise.
        let waker = unsafe { self.unlink(&waiter) };
        waiter.phase.store(Phase::Idle as u8, Ordering::Relaxed); // no edge: the owner itself
        waker
    }

    /// Sees to it that a queued waiter's completion wakes the task of `waker`.
    ///
    /// Returns false when that takes a clone that the caller has not brought in `fresh`: clone outside the lock, and
    /// call again. `fresh` may hold a waker afterwards, to be dropped outside the lock.
    ///
    /// # Safety
    ///
    /// `waiter` is queued in this list.
    pub(crate) unsafe fn renew(&mut self, waiter: &Waiter<S>, waker: &Waker, fresh: &mut Option<Waker>) -> bool {
        waiter.waker.with_mut(|slot| {
            // SAFETY: L2: the waiter is linked and `&mut self` is its lock.
            let slot = unsafe { &mut *slot };
            if slot.as_ref().is_some_and(|current| current.will_wake(waker)) {
                return true;
            }
            let renewed = fresh.is_some();
            if renewed {
                std::mem::swap(slot, fresh);
            }
            renewed
        })
    }

    /// Takes the first waiter off, lets `exchange` fill or empty its slot, and gives it `outcome`.
    ///
    /// Returns what `exchange` returned and the waker, to be woken outside the lock. `exchange` only moves values.
    pub(crate) fn complete_first<R>(
        &mut self,
        outcome: Phase,
        exchange: impl FnOnce(&mut Option<S>) -> R,
    ) -> Option<(R, Waker)> {
        // SAFETY: L1: the head is linked, so it is alive.
        let waiter = unsafe { self.head?.as_ref() };
        // SAFETY: it is this list's head.
        let waker = unsafe { self.unlink(waiter) };
        // SAFETY: L3: queued, and `&mut self` is the lock.
        let result = waiter.slot.with_mut(|slot| exchange(unsafe { &mut *slot }));
        // ORDERING L4: release. Publishes the slot to the acquire load in `Waiter::phase`. The waiter may be gone from here on.
        waiter.phase.store(outcome as u8, Ordering::Release);
        Some((result, waker.expect("a queued waiter has a waker")))
    }

    /// # Safety
    ///
    /// `waiter` is linked in this list.
    unsafe fn unlink(&mut self, waiter: &Waiter<S>) -> Option<Waker> {
        // SAFETY: L2: linked in this list, and `&mut self` is the lock.
        let (previous, next) = waiter.links.with(|links| unsafe { ((*links).previous, (*links).next) });
        match previous {
            // SAFETY: L1 and L2: a linked neighbour.
            Some(previous) => unsafe { previous.as_ref() }.links.with_mut(|links| unsafe { (*links).next = next }),
            None => self.head = next,
        }
        match next {
            // SAFETY: L1 and L2: a linked neighbour.
            Some(next) => unsafe { next.as_ref() }.links.with_mut(|links| unsafe { (*links).previous = previous }),
            None => self.tail = previous,
        }
        // SAFETY: L2, as above.
        waiter.waker.with_mut(|waker| unsafe { (*waker).take() })
    }
}
