//! The lock protocol without the value: one state word, one list.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tiny_coro_prim::atomic::{AtomicU8, Ordering};
use tiny_coro_prim::{budget, sync};

use crate::list::{List, Phase, Waiter};

/// Nobody has the lock.
const UNLOCKED: u8 = 0;
/// Somebody has the lock, or it is on its way to a waiter that has been woken.
const LOCKED: u8 = 0b01;
/// The list is not empty: the fast path of `unlock` is shut. Excludes `UNLOCKED`; changes only under the list's lock.
const WAITERS: u8 = 0b10;

/// The protocol of [`Mutex`](super::Mutex). See the [module page](super) for the state diagram and the invariants.
pub(super) struct RawMutex {
    state: AtomicU8,
    waiters: sync::Mutex<List<()>>,
}

impl RawMutex {
    #[cfg(not(tiny_coro_loom))]
    pub(super) const fn new() -> Self {
        Self { state: AtomicU8::new(UNLOCKED), waiters: sync::Mutex::new(List::new()) }
    }

    #[cfg(tiny_coro_loom)]
    pub(super) fn new() -> Self {
        Self { state: AtomicU8::new(UNLOCKED), waiters: sync::Mutex::new(List::new()) }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        // ORDERING M1: acquire. Pairs with the release in `unlock`: the last holder's writes are visible.
        self.state.compare_exchange(UNLOCKED, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Gives the lock to the first waiter, or frees it.
    ///
    /// # Safety
    ///
    /// The caller has the lock, and gives it up.
    #[inline]
    pub(super) unsafe fn unlock(&self) {
        // The load saves the exchange that would fail.
        let alone = self.state.load(Ordering::Relaxed) == LOCKED;
        // ORDERING M1: release. Pairs with the acquire in `try_lock` and `enlist`.
        if !alone || self.state.compare_exchange(LOCKED, UNLOCKED, Ordering::Release, Ordering::Relaxed).is_err() {
            self.pass_baton();
        }
    }

    /// The slow half of `unlock`: the caller has the lock and has seen `WAITERS`.
    #[cold]
    fn pass_baton(&self) {
        let mut waiters = self.waiters.lock();
        let heir = waiters.complete_first(Phase::Done, |_| ());
        if heir.is_none() {
            // The waiters have been cancelled meanwhile.
            // ORDERING M1: release. A store will do: while LOCKED is set the word changes only under the list's lock.
            self.state.store(UNLOCKED, Ordering::Release);
        } else if waiters.is_empty() {
            self.state.store(LOCKED, Ordering::Relaxed); // no edge: the baton travels in the waiter's phase (L4)
        }
        drop(waiters);
        if let Some(((), waker)) = heir {
            waker.wake();
        }
    }

    /// Takes the lock, or queues `waiter`, or looks whether it has been handed the baton.
    #[inline]
    pub(super) fn poll_lock(&self, mut waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<()> {
        match waiter.phase() {
            Phase::Idle => {
                ready!(budget::poll_left(cx));
                if !self.try_lock() {
                    return self.enlist(waiter, cx);
                }
                budget::spend();
                Poll::Ready(())
            }
            Phase::Queued => self.renew(waiter, cx),
            Phase::Done | Phase::Closed => {
                waiter.as_mut().settle();
                Poll::Ready(())
            }
        }
    }

    #[cold]
    fn enlist(&self, waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut waiters = self.waiters.lock();
        if self.announce() {
            // SAFETY: a waiter of this mutex only ever meets this list, under this lock.
            unsafe { waiters.push_back(waiter, waker) };
            return Poll::Pending;
        }
        drop(waiters); // before `waker`, whose drop may be user code
        Poll::Ready(())
    }

    /// Sets `WAITERS`, or takes the lock if it has become free: then false. The caller holds the list's lock.
    fn announce(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & WAITERS != 0 {
                return true; // and stays so: see the constant
            }
            let next = if state == UNLOCKED { LOCKED } else { LOCKED | WAITERS };
            // ORDERING M1: acquire. Pairs with the release in `unlock`, in case the lock has become free.
            match self.state.compare_exchange_weak(state, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return state != UNLOCKED,
                Err(now) => state = now,
            }
        }
    }

    #[cold]
    fn renew(&self, mut waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<()> {
        let mut fresh = None;
        loop {
            let mut waiters = self.waiters.lock();
            if waiter.phase() != Phase::Queued {
                break;
            }
            // SAFETY: queued, and this is the only list it can be in.
            let renewed = unsafe { waiters.renew(&waiter, cx.waker(), &mut fresh) };
            drop(waiters);
            if renewed {
                return Poll::Pending;
            }
            fresh = Some(cx.waker().clone());
        }
        waiter.as_mut().settle();
        Poll::Ready(())
    }

    /// Gives up waiting: leaves the queue, or passes on a baton that has already been handed over.
    pub(super) fn cancel(&self, mut waiter: Pin<&mut Waiter<()>>) {
        if waiter.phase() == Phase::Queued {
            let mut waiters = self.waiters.lock();
            // SAFETY: queued in no other list.
            let waker = unsafe { waiters.remove(waiter.as_mut()) };
            if waker.is_some() && waiters.is_empty() {
                self.state.store(LOCKED, Ordering::Relaxed); // M3. WAITERS kept every other party out of the word
            }
            drop(waiters);
            drop(waker);
        }
        if waiter.phase() == Phase::Done {
            waiter.as_mut().settle();
            // SAFETY: Done means that the caller has the lock.
            unsafe { self.unlock() };
        }
    }
}
