//! Tasks: spawned futures, and the handles to them.
//!
//! The rest of this page is about the task cell: a future, its state and its join handle's result, in one allocation.
//!
//! # Who owns what
//!
//! A task is reached through counted references: its queue's (one, while SCHEDULED and not yet popped, then the
//! polling thread's), each waker's, the join handle's and the waiting list's. None of them owns the future. The *bits* of the
//! state word say which thread may touch which field:
//!
//! | field | owner |
//! |---|---|
//! | stage (future) | the thread that set RUNNING |
//! | stage (output) | after COMPLETE: the join handle; without JOIN_INTEREST at that moment, the completing thread |
//! | join waker slot | JOIN_WAKER unset: the join handle. JOIN_WAKER set at completion: the completing thread |
//! | queue link | whoever has the queue's reference |
//! | which waiting list, and the place in it | the thread that set RUNNING |
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | T1 | transitions of one task are totally ordered and each sees all earlier ones | `State::update` and the read-modify-writes (acquire-release) | every owner in the table above | `wake_while_running`, `wake_against_complete`, `abort_against_poll`, `abort_against_complete` |
//! | T2 | a wake is never lost: the poll that follows it sees what the waker's thread did before | `wake_*` writes the word even if SCHEDULED is set; `idle` reschedules, and stands for a wake of the task's own poll | every future | `wake_while_running`, `wakes_by_reference_while_running`, `two_wakes_publish`, `two_runners`, `last_waker_of_a_queued_task` |
//! | T3 | the output is whole when COMPLETE is seen, and taken or dropped once | `complete`, `is_complete` | `JoinHandle` | `join_against_complete`, `join_waker_replaced`, `detach_against_complete`, `is_finished_shows_the_output`, `panic_in_poll` |
//! | T4 | the cell is freed once, after every owner's last access | `release` (release, then an acquire load) | every reference | `last_reference_anywhere` and its neighbours, `waker_outlives_the_runtime` |
//! | T5 | a task is in at most one queue | SCHEDULED is set by one thread while idle, and only that one pushes | `queue_next`, the deque | `abort_against_wake`, `two_wakes_by_value_push_once`, `two_wakes_by_reference_push_once`, `wake_by_reference_against_idle` |
//! | T6 | a task that is not complete is in a queue, on a worker, or in a waiting list, so shutdown finds every future | `idle` (List before Done), `complete` | `Runtime::drop` | `shutdown_against_wake`, `shutdown_against_run`, `shutdown_against_enlist`, `abort_against_shutdown`, `list_removal_against_close_and_pop`, `list_removal_against_shrinking`, `list_removal_against_a_slot_used_again` |
//!
//! # Why no wake is lost
//!
//! A wake sets SCHEDULED by one read-modify-write. Consider the poll that runs or runs next, and its `idle` transition,
//! which is also one read-modify-write of the same word. If the wake comes first in the word's order, `idle` sees SCHEDULED and pushes
//! the task again. If `idle` comes first, the wake sees neither RUNNING nor SCHEDULED, and pushes it. There is no third case. (A wake by the
//! poll itself, on its thread, is remembered there, and `idle` is told: that transition is the wake's too.)
//!
//! # Why shutdown finds every task
//!
//! A task that never waits never enters a list: it is in a queue until a worker has it, and then completes or goes back to a
//! queue. Before its first wait the polling thread enters it in a waiting list, with a reference, and only then gives the
//! future back. A list that is closed refuses, and the polling thread cancels the task itself. So the end of the runtime, which
//! stops the workers, closes and empties the queues, then closes and empties the lists, meets every task once. A task that completes takes
//! itself out of its list by a swap of its slot, wherever it runs: that swap or the end's finds it, and has the list's reference.

mod builder;
mod cell;
pub mod coop;
mod current;
mod header;
mod incoming;
mod join;
mod join_set;
mod list;
mod local;
mod memory;
mod schedule;
mod scope;
mod state;
mod task_local;
mod waker;

pub use crate::handle::{spawn, spawn_blocking};
pub use crate::worker::block_in_place;
pub use crate::yield_now::yield_now;
pub use builder::Builder;
pub(crate) use cell::allocate;
pub(crate) use current::is_woken;
pub use current::{id, try_id};
pub use header::TaskId;
pub(crate) use header::{Header, TaskRef};
pub(crate) use incoming::Incoming;
pub use join::{AbortHandle, JoinError, JoinHandle};
pub use join_set::JoinSet;
pub(crate) use list::WaitingTasks;
pub use local::{LocalEnterGuard, LocalSet, spawn_local};
pub(crate) use schedule::{Cause, Schedule};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use task_local::{AccessError, LocalKey, TaskLocalFuture};

use std::ptr::NonNull;

impl TaskRef {
    /// Polls the task, or drops its future if it was cancelled. This reference is the queue's.
    pub(crate) fn run(self) {
        let header = self.into_raw();
        // SAFETY: the vtable is the cell's own, and the queue's reference goes with the call.
        unsafe { (header.as_ref().vtable.run)(header) };
    }

    /// The name that the task was given.
    pub(crate) fn name(&self) -> Option<&str> {
        // SAFETY: the vtable is the cell's own, and this reference keeps the task, and its name, alive.
        unsafe { (self.header().vtable.name)(self.as_raw()).map(|name| name.as_ref()) }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.header().state.is_complete()
    }

    /// True if the task is in a queue.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.header().state.is_scheduled()
    }

    /// Drops the task's future, unless a thread is polling it, and completes it as cancelled.
    pub(crate) fn shutdown(self) {
        // SAFETY: the vtable is the cell's own; this reference is given up by `drop`, after the call.
        unsafe { (self.header().vtable.shutdown)(self.as_raw()) };
    }
}

/// The pointer that a queue holds.
pub(crate) type RawTask = NonNull<Header>;
