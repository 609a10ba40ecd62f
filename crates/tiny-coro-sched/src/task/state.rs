//! The state word of a task: its bits, and every transition between them.
//!
//! One atomic word holds the lifecycle, what the join handle wants, and the reference count, so that each transition is
//! one compare-and-exchange and nobody ever sees half of one. Nothing outside this file touches the word.
//!
//! ```text
//!            wake                 pop                    poll = Pending
//!   idle ───────────▶ SCHEDULED ───────▶ RUNNING ─────────────────────────▶ idle
//!     ▲                                   │  │ wake: RUNNING|SCHEDULED
//!     │                                   │  └── poll = Pending ──▶ SCHEDULED (pushed again by the poller)
//!     │                                   └───── poll = Ready, panic, or CANCELLED ──▶ COMPLETE
//!     └─ spawn starts in SCHEDULED
//! ```

use std::fmt;
use tiny_coro_prim::atomic::{AtomicUsize, Ordering};

/// The task is in a queue, or on its way there, or was woken while it runs and goes there when its poll ends. Set by a
/// wake and by spawn; cleared when a worker starts to poll it. Whoever sets it while the task is idle pushes it.
const SCHEDULED: usize = 1 << 0;
/// One thread has the future to itself, to poll or to drop it. Excludes COMPLETE.
const RUNNING: usize = 1 << 1;
/// The future is gone and the output (or error) stands in its place. Never cleared.
const COMPLETE: usize = 1 << 2;
/// Somebody wants the task to end: the next thread to have the future drops it instead of polling. Never cleared.
const CANCELLED: usize = 1 << 3;
/// The join handle exists: after COMPLETE, the output is its to take or drop.
const JOIN_INTEREST: usize = 1 << 4;
/// The join handle's waker slot is filled and belongs to the completing thread. Unset, it belongs to the handle.
const JOIN_WAKER: usize = 1 << 5;
/// One reference; the count takes the rest of the word.
const REFERENCE: usize = 1 << 6;
/// Half of what fits: far more wakers than memory can hold, so only a leak in a loop gets here.
const MAX_REFERENCES: usize = usize::MAX / 2;

/// What a wake has to do after [`State::wake_by_value`] or [`State::wake_by_ref`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    /// Push the task: the caller's new reference goes with it.
    Submit,
    /// It is scheduled, will be rescheduled by its poller, or is complete.
    Nothing,
    /// As `Nothing`, and the caller's reference was the last: free the task.
    Free,
}

/// What a thread that popped the task has to do.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Start {
    /// Poll the future.
    Poll,
    /// Drop the future and complete with "cancelled".
    Cancel,
    /// Somebody else completed it; the queue's reference is given up.
    Nothing,
    /// As `Nothing`, and the queue's reference was the last: free the task.
    Free,
}

/// What a thread has to do whose poll answered `Pending`.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Idle {
    /// Nothing: the poller's reference is given up, and the next wake pushes the task.
    Done,
    /// It was woken meanwhile: push it again, with the poller's reference.
    Reschedule,
    /// It was cancelled meanwhile: drop the future and complete with "cancelled". The thread still has it.
    Cancel,
    /// It waits for the first time: enter it in the list of waiting tasks, then ask again. The thread still has it.
    List,
}

/// What the completing thread has to do.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Completed {
    /// The join handle is gone: drop the output.
    pub(crate) drop_output: bool,
    /// Take the waker out of the slot and wake it.
    pub(crate) wake_joiner: bool,
}

/// What a join handle that is dropped has to do.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Detach {
    /// The waker slot is the handle's again: empty it, then drop the reference.
    TakeWaker,
    /// The output is the handle's: drop it, then drop the reference.
    DropOutput,
}

/// The atomic state word of a task. Invariants T1 to T6 of the task page.
pub(crate) struct State(AtomicUsize);

impl State {
    /// A task that is scheduled, has a join handle and `references` references.
    pub(crate) fn new(references: usize) -> Self {
        Self(AtomicUsize::new(SCHEDULED | JOIN_INTEREST | (references * REFERENCE)))
    }

    /// Applies `next` until it takes or answers `None` for the word.
    fn update<R>(&self, mut next: impl FnMut(usize) -> (R, Option<usize>)) -> R {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            let (outcome, new) = next(now);
            let Some(new) = new else { return outcome };
            // ORDERING T1: acquire and release. Every transition sees what all earlier ones published (the future, the
            // output, the join waker, what a waking thread wrote) and publishes its own. Pairs with itself and with
            // the read-modify-writes below.
            match self.0.compare_exchange_weak(now, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return outcome,
                Err(found) => now = found,
            }
        }
    }

    /// Wakes with a reference of the caller's that the queue takes over, or that is given up.
    pub(crate) fn wake_by_value(&self) -> Wake {
        self.update(|now| {
            if now & (SCHEDULED | RUNNING | COMPLETE) == 0 {
                return (Wake::Submit, Some(now | SCHEDULED));
            }
            // Even where the bit is set already the word is written: the poll to come must see what this thread did
            // before the wake (T2).
            let next = (now | SCHEDULED) - REFERENCE;
            (if next < REFERENCE { Wake::Free } else { Wake::Nothing }, Some(next))
        })
    }

    /// Wakes without giving up the caller's reference; on `Submit` the queue gets one of its own.
    pub(crate) fn wake_by_ref(&self) -> Wake {
        let now = self.0.load(Ordering::Relaxed);
        if now & (SCHEDULED | RUNNING | COMPLETE) == 0 {
            let next = add_reference(now) | SCHEDULED;
            // ORDERING T1: as in `update`; relaxed on failure because the branch below starts over.
            // UNMODELLED: the release alone. The queue that the caller pushes to publishes the same, to the same thread; here it
            // stands so that T1 needs no queue.
            if self.0.compare_exchange(now, next, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Wake::Submit;
            }
        }
        // ORDERING T1, T2: acquire and release, also when the bit is set already: publishes to the next `start`.
        let before = self.0.fetch_or(SCHEDULED, Ordering::AcqRel);
        if before & (SCHEDULED | RUNNING | COMPLETE) == 0 {
            self.reference();
            return Wake::Submit;
        }
        Wake::Nothing
    }

    /// A popped task is to be polled: takes the future, with the queue's reference.
    pub(crate) fn start(&self) -> Start {
        // ORDERING T2 T4: acquire. As in `complete_detached`: alone with the task, this thread sees what all earlier owners did, whose last
        // may have given up its reference in a wake.
        // UNMODELLED: `last_waker_of_a_queued_task` is the case that needs it; but in each schedule that comes here the checker has what was
        // done before the wake be seen, also without.
        let now = self.0.load(Ordering::Acquire);
        if now / REFERENCE == 1 && now & (JOIN_INTEREST | CANCELLED) == 0 {
            debug_assert!(now & SCHEDULED != 0 && now & (RUNNING | COMPLETE) == 0);
            // Nobody else has a reference, and new ones are made from this one: no read-modify-write, and nobody to order it for.
            self.0.store((now & !SCHEDULED) | RUNNING, Ordering::Relaxed);
            return Start::Poll;
        }
        self.update(|now| {
            debug_assert!(now & SCHEDULED != 0, "a task in a queue is scheduled");
            if now & (RUNNING | COMPLETE) != 0 {
                let next = now - REFERENCE;
                return (if next < REFERENCE { Start::Free } else { Start::Nothing }, Some(next));
            }
            let outcome = if now & CANCELLED != 0 { Start::Cancel } else { Start::Poll };
            // ORDERING T2: `update`'s acquire, on the word the wake wrote, makes visible what came before the wake.
            (outcome, Some((now & !SCHEDULED) | RUNNING))
        })
    }

    /// The poll answered `Pending`: gives the future back. A task that is not `listed` yet must be before it may wait (T6). One that has
    /// `woken` itself does not wait: this is that wake's transition too.
    pub(crate) fn idle(&self, listed: bool, woken: bool) -> Idle {
        self.update(|now| {
            debug_assert!(now & RUNNING != 0 && now & COMPLETE == 0);
            if now & CANCELLED != 0 {
                return (Idle::Cancel, None);
            }
            if woken || now & SCHEDULED != 0 {
                return (Idle::Reschedule, Some((now & !RUNNING) | SCHEDULED));
            }
            if !listed {
                return (Idle::List, None);
            }
            debug_assert!(now >= 2 * REFERENCE, "the list of waiting tasks has a reference");
            (Idle::Done, Some((now & !RUNNING) - REFERENCE))
        })
    }

    /// The output stands: ends RUNNING for good. The caller keeps its reference.
    pub(crate) fn complete(&self) -> Completed {
        // ORDERING T1, T3: acquire and release. Publishes the output to the join handle; sees its waker.
        let before = self.0.fetch_xor(RUNNING | COMPLETE, Ordering::AcqRel);
        debug_assert!(before & RUNNING != 0 && before & COMPLETE == 0);
        Completed { drop_output: before & JOIN_INTEREST == 0, wake_joiner: before & JOIN_WAKER != 0 }
    }

    /// As [`complete`](State::complete), for a task whose join handle is gone, and gives up `references` in the same breath. Returns true
    /// if they were the last: the caller frees the task.
    #[must_use]
    pub(crate) fn complete_detached(&self, references: usize) -> bool {
        // ORDERING T4: acquire. Pairs with the releases of all other references: if none is left but the caller's, nobody will look
        // at the word again, and what the others did is seen.
        if self.0.load(Ordering::Acquire) / REFERENCE == references {
            return true;
        }
        // RUNNING is set and COMPLETE is not: one addition changes both, and the count.
        let change = COMPLETE.wrapping_sub(RUNNING).wrapping_sub(references * REFERENCE);
        // ORDERING T1, T4: acquire and release, as in `complete` and `release`.
        let before = self.0.fetch_add(change, Ordering::AcqRel);
        debug_assert!(before & RUNNING != 0 && before & (COMPLETE | JOIN_INTEREST) == 0);
        before / REFERENCE == references
    }

    /// Asks for the end of the task. On `Submit` it must be pushed, with a new reference, so that a worker drops it.
    pub(crate) fn cancel(&self) -> Wake {
        self.update(|now| {
            if now & (COMPLETE | CANCELLED) != 0 {
                return (Wake::Nothing, None);
            }
            if now & (SCHEDULED | RUNNING) != 0 {
                return (Wake::Nothing, Some(now | CANCELLED));
            }
            (Wake::Submit, Some(add_reference(now) | SCHEDULED | CANCELLED))
        })
    }

    /// The runtime ends: takes the future if no thread has it. Returns true if the caller is to drop it and complete.
    pub(crate) fn take_for_shutdown(&self) -> bool {
        self.update(|now| match now {
            _ if now & COMPLETE != 0 => (false, None),
            _ if now & RUNNING != 0 => (false, Some(now | CANCELLED)),
            _ => (true, Some(now | RUNNING | CANCELLED)),
        })
    }

    /// True once the output stands. The join handle may then take it (T3).
    pub(crate) fn is_complete(&self) -> bool {
        // ORDERING T3: acquire. Pairs with the release in `complete`: the output is whole.
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// False once the join handle is gone, for good: nobody will take the output.
    pub(crate) fn is_joined(&self) -> bool {
        // Relaxed: the bit is only ever cleared, so "gone" stays true; `complete` decides what to do if it goes after this.
        self.0.load(Ordering::Relaxed) & JOIN_INTEREST != 0
    }

    /// True while the task is in a queue, as far as the caller knows.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (SCHEDULED | COMPLETE) == SCHEDULED
    }

    /// The join handle has filled the waker slot and hands it over. False if the task has completed instead.
    pub(crate) fn give_join_waker(&self) -> bool {
        self.update(|now| match now & COMPLETE {
            0 => (true, Some(now | JOIN_WAKER)),
            _ => (false, None),
        })
    }

    /// The join handle wants the waker slot back. False if the task has completed instead.
    pub(crate) fn take_join_waker(&self) -> bool {
        self.update(|now| match now {
            _ if now & COMPLETE != 0 => (false, None),
            _ if now & JOIN_WAKER == 0 => (true, None),
            _ => (true, Some(now & !JOIN_WAKER)),
        })
    }

    /// The join handle goes.
    pub(crate) fn detach(&self) -> Detach {
        self.update(|now| match now & COMPLETE {
            0 => (Detach::TakeWaker, Some(now & !(JOIN_INTEREST | JOIN_WAKER))),
            _ => (Detach::DropOutput, None),
        })
    }

    /// The join handle goes, with its reference, and has left no waker in the slot. False if the task has completed: then it has an
    /// output to drop.
    pub(crate) fn detach_and_release(&self) -> bool {
        self.update(|now| match now & COMPLETE {
            // Not the last reference: a task that has not completed is in a queue, in a list, or with a thread.
            0 => (true, Some((now & !JOIN_INTEREST) - REFERENCE)),
            _ => (false, None),
        })
    }

    /// True while the waker slot is the join handle's.
    pub(crate) fn is_slot_free(&self) -> bool {
        // Relaxed: the handle itself sets and clears JOIN_WAKER while the task has not completed, and a task that completes without it
        // lets the slot alone. So nobody else has touched the slot since.
        self.0.load(Ordering::Relaxed) & (COMPLETE | JOIN_WAKER) == 0
    }

    /// Adds a reference: the caller has one already.
    pub(crate) fn reference(&self) {
        // Relaxed: a new reference is made from one that exists, which orders it.
        let before = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if before > MAX_REFERENCES {
            std::process::abort(); // as `Arc` does: an overflow would free memory in use
        }
    }

    /// Gives up `count` references. Returns true if they were the last: the caller frees the task.
    #[must_use]
    pub(crate) fn release(&self, count: usize) -> bool {
        // ORDERING T4: release. What this reference's owner did happens before the free, which acquires below.
        let before = self.0.fetch_sub(count * REFERENCE, Ordering::Release);
        debug_assert!(before >= count * REFERENCE);
        if before / REFERENCE != count {
            return false;
        }
        // ORDERING T4: acquire. Sees everything that all earlier owners did before they released: their read-modify-writes and this one
        // are one release sequence. A load, not a fence, which race detectors do not follow.
        self.0.load(Ordering::Acquire);
        true
    }
}

fn add_reference(now: usize) -> usize {
    if now > MAX_REFERENCES {
        std::process::abort(); // as in `reference`
    }
    now + REFERENCE
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.0.load(Ordering::Relaxed);
        let names = [
            (SCHEDULED, "SCHEDULED"),
            (RUNNING, "RUNNING"),
            (COMPLETE, "COMPLETE"),
            (CANCELLED, "CANCELLED"),
            (JOIN_INTEREST, "JOIN_INTEREST"),
            (JOIN_WAKER, "JOIN_WAKER"),
        ];
        let set: Vec<_> = names.iter().filter(|(bit, _)| now & bit != 0).map(|(_, name)| *name).collect();
        write!(f, "{} references, {}", now / REFERENCE, set.join("|"))
    }
}
