//! A task's one allocation, and everything that depends on the type of its future.

use super::header::{Header, Links, TaskId, TaskRef, Vtable, drop_reference};
use super::join::JoinError;
use super::schedule::{Cause, Schedule};
use super::state::{Detach, Idle, Start, State};
use super::waker::with_waker;
use std::any::Any;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};
use tiny_coro_prim::cell::UnsafeCell;

/// Header first, so that a pointer to it is a pointer to the cell.
#[repr(C)]
struct Cell<F: Future, S: Schedule> {
    header: Header,
    scheduler: S,
    /// Owned by the thread that set RUNNING; after COMPLETE by the join handle, or by the completer if there is none.
    stage: UnsafeCell<Stage<F>>,
    /// Owned as JOIN_WAKER says.
    join_waker: UnsafeCell<Option<Waker>>,
}

enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, JoinError>),
    Empty,
}

/// How many references a new task has: the queue's and the join handle's.
const INITIAL_REFERENCES: usize = 2;

/// Allocates a task in state SCHEDULED and returns its references for the queue and for the join handle.
pub(crate) fn allocate<F, S>(future: F, scheduler: S, spawned_at: &'static Location<'static>) -> [TaskRef; 2]
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Schedule,
{
    let cell = Box::new(Cell {
        header: Header {
            state: State::new(INITIAL_REFERENCES),
            vtable: const {
                &Vtable {
                    run: run::<F, S>,
                    submit: submit::<F, S>,
                    shutdown: shutdown::<F, S>,
                    poll_join: poll_join::<F, S>,
                    drop_join: drop_join::<F, S>,
                    free: free::<F, S>,
                }
            },
            queue_next: UnsafeCell::new(None),
            links: UnsafeCell::new(Links::default()),
            listed: UnsafeCell::new(None),
            id: TaskId::next(),
            spawned_at,
        },
        scheduler,
        stage: UnsafeCell::new(Stage::Future(future)),
        join_waker: UnsafeCell::new(None),
    });
    let header = NonNull::from(Box::leak(cell)).cast::<Header>();
    // SAFETY: the task is live and `State::new` counted these references.
    [(); INITIAL_REFERENCES].map(|()| unsafe { TaskRef::from_raw(header) })
}

impl<F: Future, S: Schedule> Cell<F, S> {
    /// Polls the future; `None` means that it is pending.
    ///
    /// # Safety
    ///
    /// The caller has set RUNNING.
    unsafe fn poll(&self, header: NonNull<Header>) -> Option<Result<F::Output, JoinError>> {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            with_waker(header, |waker| {
                self.stage.with_mut(|stage| {
                    // SAFETY: RUNNING makes the stage the caller's.
                    let Stage::Future(future) = (unsafe { &mut *stage }) else {
                        unreachable!("a task that is not complete has its future")
                    };
                    // SAFETY: the future lives in its heap cell until it is dropped in place there.
                    unsafe { Pin::new_unchecked(future) }.poll(&mut Context::from_waker(waker))
                })
            })
        }));
        match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(output)) => Some(Ok(output)),
            Err(payload) => Some(Err(JoinError::panic(self.header.id, payload))),
        }
    }

    /// Replaces what is in the stage, and returns the payload of a panic in the old content's destructor.
    ///
    /// # Safety
    ///
    /// The stage is the caller's.
    unsafe fn replace_stage(&self, new: Stage<F>) -> Result<(), Box<dyn Any + Send>> {
        // A future is pinned: it is dropped where it is, not moved out first. A panic leaves the stage `Empty`.
        struct Emptied<F: Future>(*mut Stage<F>);
        impl<F: Future> Drop for Emptied<F> {
            fn drop(&mut self) {
                // SAFETY: the content was just dropped in place, or its drop has panicked: nothing to drop again.
                unsafe { self.0.write(Stage::Empty) };
            }
        }
        let dropped = self.stage.with_mut(|stage| {
            let emptied = Emptied(stage);
            // SAFETY: the stage is the caller's, and `Emptied` overwrites it before anybody looks.
            catch_unwind(AssertUnwindSafe(|| unsafe { emptied.0.drop_in_place() }))
        });
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's, and `Empty` has no destructor to run.
            unsafe { stage.write(new) }
        });
        dropped
    }

    /// Replaces the waker in the join handle's slot, and returns the old one.
    ///
    /// # Safety
    ///
    /// JOIN_WAKER makes the slot the caller's.
    unsafe fn replace_join_waker(&self, new: Option<Waker>) -> Option<Waker> {
        // SAFETY: the slot is the caller's.
        self.join_waker.with_mut(|slot| unsafe { mem::replace(&mut *slot, new) })
    }

    /// Takes the output out of the stage.
    ///
    /// # Safety
    ///
    /// The task is complete and the stage the caller's.
    unsafe fn take_stage(&self) -> Stage<F> {
        // SAFETY: the stage is the caller's, and what is in it after completion is not pinned.
        self.stage.with_mut(|stage| unsafe { mem::replace(&mut *stage, Stage::Empty) })
    }

    /// Drops the future, stores the output and tells the join handle. Gives up `references` and the list's.
    ///
    /// # Safety
    ///
    /// The caller has set RUNNING and owns the references.
    unsafe fn complete(this: NonNull<Self>, output: Result<F::Output, JoinError>, references: usize) {
        // SAFETY: the caller's references keep the cell alive until `release` below.
        let cell = unsafe { this.as_ref() };
        // SAFETY: RUNNING makes the stage the caller's.
        let output = match (unsafe { cell.replace_stage(Stage::Empty) }, output) {
            // The first panic is the one to report.
            (Ok(()), output) | (Err(_), output @ Err(_)) => output,
            (Err(payload), Ok(output)) => {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(output)));
                Err(JoinError::panic(cell.header.id, payload))
            }
        };
        // SAFETY: as above.
        let _ = unsafe { cell.replace_stage(Stage::Output(output)) };
        let completed = cell.header.state.complete();
        if completed.drop_output {
            // SAFETY: COMPLETE without a join handle makes the stage the completer's.
            let _ = unsafe { cell.replace_stage(Stage::Empty) };
        }
        if completed.wake_joiner {
            // SAFETY: JOIN_WAKER at completion makes the slot the completer's.
            let waker = unsafe { cell.replace_join_waker(None) };
            // A waker of another executor may panic; that is its task's trouble, not this one's.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.map(Waker::wake)));
        }
        let references = references + usize::from(cell.scheduler.release(this.cast()));
        if cell.header.state.release(references) {
            // SAFETY: these were the last references.
            unsafe { free::<F, S>(this.cast()) };
        }
    }
}

/// Polls a popped task, or drops its future if it was cancelled. Consumes the queue's reference.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>`, and the caller owns the queue's reference.
unsafe fn run<F: Future, S: Schedule>(header: NonNull<Header>) {
    let this = header.cast::<Cell<F, S>>();
    // SAFETY: the caller's reference keeps the cell alive.
    let cell = unsafe { this.as_ref() };
    let id = cell.header.id;
    match cell.header.state.start() {
        Start::Nothing => return,
        // SAFETY: `start` gave up the last reference.
        Start::Free => return unsafe { free::<F, S>(header) },
        // SAFETY: `start` has set RUNNING, and the queue's reference is still the caller's.
        Start::Cancel => return unsafe { Cell::complete(this, Err(JoinError::cancelled(id)), 1) },
        Start::Poll => {}
    }
    // SAFETY: `start` has set RUNNING.
    if let Some(output) = unsafe { cell.poll(header) } {
        // SAFETY: as for `Cancel`.
        return unsafe { Cell::complete(this, output, 1) };
    }
    loop {
        // SAFETY: until `idle` gives it back the task is this thread's.
        let listed = cell.header.listed.with(|listed| unsafe { (*listed).is_some() });
        match cell.header.state.idle(listed) {
            Idle::Done => return,
            // SAFETY: `idle` left the queue's reference with the caller.
            Idle::Reschedule => return unsafe { hand_over::<F, S>(header, Cause::Yield) },
            Idle::List if cell.scheduler.enlist(header) => {}
            // SAFETY: RUNNING is still set, and the queue's reference is the caller's.
            Idle::List | Idle::Cancel => return unsafe { Cell::complete(this, Err(JoinError::cancelled(id)), 1) },
        }
    }
}

/// Gives one reference of the task to its scheduler.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>`, the caller has set SCHEDULED, and gives away a reference of its own.
unsafe fn hand_over<F: Future, S: Schedule>(header: NonNull<Header>, cause: Cause) {
    // SAFETY: the caller's reference keeps the cell alive up to `submit`, and becomes the task's.
    let (scheduler, task) =
        unsafe { (NonNull::from(&header.cast::<Cell<F, S>>().as_ref().scheduler), TaskRef::from_raw(header)) };
    // SAFETY: the scheduler is alive at the call, because `task` is.
    unsafe { S::submit(scheduler, task, cause) };
}

/// As [`hand_over`], for a wake.
///
/// # Safety
///
/// As [`hand_over`].
unsafe fn submit<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the same contract.
    unsafe { hand_over::<F, S>(header, Cause::Wake) };
}

/// Drops the future and completes with "cancelled", unless a thread is polling it or it has completed. The caller's
/// reference stays the caller's.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>`, and the caller owns a reference.
unsafe fn shutdown<F: Future, S: Schedule>(header: NonNull<Header>) {
    let this = header.cast::<Cell<F, S>>();
    // SAFETY: the caller's reference keeps the cell alive.
    let cell = unsafe { this.as_ref() };
    if cell.header.state.take_for_shutdown() {
        cell.header.state.reference();
        // SAFETY: RUNNING is set, and the new reference is given up.
        unsafe { Cell::complete(this, Err(JoinError::cancelled(cell.header.id)), 1) };
    }
}

/// Moves the output to `*output`, or leaves `waker` to be woken on completion.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>`, `output` points to a `Poll<Result<F::Output, JoinError>>`, and the caller is the join
/// handle, with exclusive access to itself.
unsafe fn poll_join<F: Future, S: Schedule>(header: NonNull<Header>, output: *mut (), waker: &Waker) {
    // SAFETY: the join handle's reference keeps the cell alive.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    let state = &cell.header.state;
    if !state.is_complete() && state.take_join_waker() {
        // SAFETY: without JOIN_WAKER and COMPLETE the slot is the handle's.
        let old = unsafe { cell.replace_join_waker(None) };
        let new = old.filter(|old| old.will_wake(waker)).unwrap_or_else(|| waker.clone());
        // SAFETY: as above.
        unsafe { cell.replace_join_waker(Some(new)) };
        if state.give_join_waker() {
            return;
        }
        // SAFETY: the task completed without having been given the waker.
        drop(unsafe { cell.replace_join_waker(None) });
    }
    // SAFETY: COMPLETE with a join handle makes the stage the handle's.
    let stage = unsafe { cell.take_stage() };
    let Stage::Output(result) = stage else { panic!("a JoinHandle was polled after it had given its result") };
    // SAFETY: the caller vouches for the type behind `output`.
    unsafe { *output.cast::<Poll<Result<F::Output, JoinError>>>() = Poll::Ready(result) };
}

/// Drops what belongs to the join handle, and its reference.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>`, and the caller is the join handle, which ends here.
unsafe fn drop_join<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the join handle's reference keeps the cell alive until it is given up below.
    let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
    match cell.header.state.detach() {
        Detach::TakeWaker => {
            // SAFETY: `detach` cleared JOIN_WAKER before COMPLETE: the slot is the handle's.
            drop(unsafe { cell.replace_join_waker(None) });
        }
        Detach::DropOutput => {
            // SAFETY: COMPLETE with a join handle makes the stage the handle's.
            let output = unsafe { cell.take_stage() };
            // A panic in the output's destructor is the task's, whoever comes to drop it.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(output)));
        }
    }
    // SAFETY: the join handle's reference, not used again.
    unsafe { drop_reference(header) };
}

/// Frees the allocation.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>` to which no reference is left.
unsafe fn free<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: allocated as this box in `allocate`, and nobody else can reach it.
    let cell = unsafe { Box::from_raw(header.cast::<Cell<F, S>>().as_ptr()) };
    // What is left inside has user code's destructors: a future that was never run, a waker.
    // SAFETY: nobody else can reach the stage.
    let _ = unsafe { cell.replace_stage(Stage::Empty) };
    let _ = catch_unwind(AssertUnwindSafe(|| drop(cell)));
}
