//! Giving the worker to another thread while this one blocks.
//!
//! ```text
//!   blocking thread                            spare thread
//!   1. put the worker into the slot            a. take the worker out of the slot; if it is there: work
//!   2. ask for a spare thread
//!   3. block
//!   4. take the worker out of the slot; if it is there: go on as before
//! ```
//!
//! The slot's mutex gives the worker to one of the two. After 4 without it the blocking thread finishes its poll like any thread
//! outside: what it wakes goes to the injector. Then its loop sees that it has no worker, and it ends.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | H1 | a worker on offer is in the slot or has one thread | the slot's mutex: whoever takes it takes it out | all that only a worker's own thread does | `take_back_against_spare` |
//! | H2 | a worker whose runtime ends while it is on offer is dropped before its thread blocks, unless a spare thread has it | `begin`: the slot is filled before the look at the end (S1); a spare that was refused comes before that look too | what the thread waits for may be cancelled by that drop only | `hand_over_against_shutdown` |
//! | H3 | a thread that has given its worker away pushes to the injector, and wakes by the idle protocol (I1) | `context`: the worker is taken out of the thread before it is put into the slot | tasks that go on after they have blocked | `task_goes_on_without_its_worker` |

use super::Worker;
use crate::blocking::Urgency;
use crate::context;
use crate::handle::Handle;
use crate::shared::Shared;
use crate::threads;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use tiny_coro_prim::sync::Mutex;

/// A worker on offer, from step 1 to step 4.
pub(crate) struct HandOver {
    slot: Arc<Mutex<Option<Box<Worker>>>>,
    shared: Arc<Shared>,
}

impl HandOver {
    /// Offers this thread's worker to another thread, if it has one that may change threads.
    pub(crate) fn begin() -> Option<Self> {
        let worker = context::uninstall_if(|worker| worker.may_go() && !worker.shared.is_current_thread())?;
        let shared = worker.shared.clone();
        worker.remote().current.read().into_iter().for_each(|task| shared.displaced.enter(task));
        let slot = Arc::new(Mutex::new(Some(worker)));
        let offered = slot.clone();
        let take_over = move || {
            let taken = offered.lock().take();
            if let Some(worker) = taken {
                threads::sleep_precisely();
                super::run(worker);
            }
        };
        if let Some(spares) = &shared.spares {
            let handle = Handle { shared: shared.clone() };
            // Where the operating system has no thread for it the worker stays in the slot, and waits for step 4.
            spares.spawn(&handle, take_over, Urgency::Mandatory, Location::caller()).detach();
        }
        if shared.is_shutting_down() {
            // Nobody may come any more, and what this thread is about to wait for may be a task that only the end of all workers
            // cancels.
            let untaken = slot.lock().take();
            drop(untaken);
        }
        Some(Self { slot, shared })
    }
}

impl Drop for HandOver {
    fn drop(&mut self) {
        let untaken = self.slot.lock().take();
        if let Some(worker) = untaken {
            self.shared.displaced.leave();
            context::reinstall(worker);
        }
    }
}

/// Runs `closure`, which may block, on this thread. If that is a worker of a multi-threaded runtime, another thread takes over as the
/// worker meanwhile, so that the other tasks go on; this thread becomes the worker again if `closure` ends before the other
/// thread has come.
///
/// [`spawn_blocking`](crate::spawn_blocking) is the better choice where the closure can move to another thread: this
/// function holds up everything else in the same task, as in a `select` or a `join`.
///
/// # Panics
///
/// When `closure` does.
pub fn block_in_place<R>(closure: impl FnOnce() -> R) -> R {
    let _hand_over = HandOver::begin();
    closure()
}

impl fmt::Debug for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOver").finish_non_exhaustive()
    }
}
