//! One place in a block: who may touch the element, and how it changes hands.

use std::mem::MaybeUninit;

use tiny_coro_prim::atomic::{AtomicU8, Ordering};
use tiny_coro_prim::cell::UnsafeCell;

/// The slot is its pusher's, who has not got there yet.
const EMPTY: u8 = 0;
/// There is an element, and it is the thief's who claims the slot.
const FULL: u8 = 1;
/// A thief could not wait. The slot stays the pusher's, who has to find another; whoever claims it finds nothing.
const POISONED: u8 = 2;

/// A place for one element, used once in a life of its block. One pusher claims it, and one thief, who has seen it decided.
///
/// ```text
///            fill (its pusher)
///   EMPTY ─────────────────────▶ FULL
///     │
///     └────────────────────────▶ POISONED
///            poison (any thief)
/// ```
pub(super) struct Slot<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    state: AtomicU8,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self { value: UnsafeCell::new(MaybeUninit::uninit()), state: AtomicU8::new(EMPTY) }
    }

    /// Makes it empty, in a block that nobody is in any more (I8).
    pub(super) fn reset(&self) {
        // Relaxed: the block is published once all of it is as if new.
        self.state.store(EMPTY, Ordering::Relaxed);
    }

    /// Puts an element in, or gives it back if the slot is poisoned. With success the slot is no longer the caller's.
    ///
    /// # Safety
    ///
    /// The caller has claimed the slot for pushing, and calls this once.
    #[inline]
    pub(super) unsafe fn fill(&self, element: T) -> Result<(), T> {
        // SAFETY: as long as it is not FULL the slot is its pusher's (I2), and that is the caller.
        self.value.with_mut(|slot| unsafe { (*slot).write(element) });
        // ORDERING I1: release. Publishes the element to the acquire load in `state`. Failure needs no order: a thief
        // that poisons does not touch the element.
        match self.state.compare_exchange(EMPTY, FULL, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            // SAFETY: POISONED: the slot stays the pusher's (I2), and what was just written is still there.
            Err(_) => Err(self.value.with(|slot| unsafe { (*slot).assume_init_read() })),
        }
    }

    /// Returns whether there is an element in it, or never will be.
    #[inline]
    pub(super) fn is_decided(&self) -> bool {
        self.state() != EMPTY
    }

    /// Decides that there will be no element, unless there is one.
    pub(super) fn poison(&self) -> bool {
        // Neither success nor failure reads more than the state.
        self.state.compare_exchange(EMPTY, POISONED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Takes the element out, if it was not poisoned.
    ///
    /// # Safety
    ///
    /// The caller has claimed the slot for taking, after it was decided, and calls this once.
    #[inline]
    pub(super) unsafe fn take(&self) -> Option<T> {
        // SAFETY: FULL: the element is whole (I1), and that of the thief who claimed the slot (I2): the caller.
        (self.state() == FULL).then(|| self.value.with(|slot| unsafe { (*slot).assume_init_read() }))
    }

    #[inline]
    fn state(&self) -> u8 {
        // ORDERING I1: acquire. Whoever sees FULL sees the element: pairs with the release in `fill`.
        self.state.load(Ordering::Acquire)
    }

    /// Looks like a write of the element to the model checker.
    #[cfg(tiny_coro_loom)]
    pub(super) fn claim_all(&self) {
        self.value.with_mut(|_| ());
    }
}
