//! A task's one allocation, and everything that depends on the type of its future.

use super::current;
use super::header::{Header, Holds, TaskId, TaskRef, Vtable, drop_reference};
use super::incoming::Incoming;
use super::join::JoinError;
use super::memory;
use super::schedule::{Cause, Schedule};
use super::state::{Detach, Idle, Start, State};
use super::waker::with_waker;
use crate::panic::quietly;
use std::any::Any;
use std::future::Future;
use std::mem::{self, ManuallyDrop};
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

/// The header says which of them it is; [`free`] drops what is left.
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<Result<F::Output, JoinError>>,
    nothing: (),
}

/// How many references a new task has: the queue's and the join handle's.
const INITIAL_REFERENCES: usize = 2;

/// Allocates a task in state SCHEDULED and returns its references for the queue and for the join handle.
pub(crate) fn allocate<F, S>(
    future: Incoming<'_, F>,
    scheduler: S,
    spawned_at: &'static Location<'static>,
) -> [TaskRef; 2]
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Schedule,
{
    // SAFETY: what is in the task is `Send`.
    unsafe { allocate_local(future, scheduler, spawned_at) }
}

/// As [`allocate`], for a future that stays on its thread.
///
/// # Safety
///
/// Unless the future and its output are `Send`: the scheduler has the task run and shut down on this thread only, does so before
/// it gives up the task's last reference there, and nobody else does either.
pub(super) unsafe fn allocate_local<F, S>(
    future: Incoming<'_, F>,
    scheduler: S,
    spawned_at: &'static Location<'static>,
) -> [TaskRef; 2]
where
    F: Future + 'static,
    F::Output: 'static,
    S: Schedule,
{
    let header = Header {
        state: State::new(INITIAL_REFERENCES),
        vtable: const {
            &Vtable {
                run: run::<F, S>,
                submit: submit::<F, S>,
                shutdown: shutdown::<F, S>,
                poll_join: poll_join::<F, S>,
                drop_join: drop_join::<F, S>,
                name: name::<F, S>,
                free: free::<F, S>,
            }
        },
        queue_next: UnsafeCell::new(None),
        place: UnsafeCell::new(0),
        listed: UnsafeCell::new(None),
        holds: UnsafeCell::new(Holds::Future),
        id: TaskId::next(),
        spawned_at,
    };
    let this = memory::allocate::<Cell<F, S>>();
    let cell = this.as_ptr();
    // In place, field by field: a cell that is made on the stack is copied as a whole.
    // SAFETY: the memory is that of a cell, and nobody else has it.
    unsafe {
        (&raw mut (*cell).header).write(header);
        (&raw mut (*cell).scheduler).write(scheduler);
        (&raw mut (*cell).join_waker).write(UnsafeCell::new(None));
        (&raw mut (*cell).stage).write(UnsafeCell::new(Stage { nothing: () }));
        (*cell).stage.with_mut(|stage| future.move_to((&raw mut (*stage).future).cast()));
    }
    let header = this.cast::<Header>();
    // SAFETY: the task is live and `State::new` counted these references.
    [(); INITIAL_REFERENCES].map(|()| unsafe { TaskRef::from_raw(header) })
}

/// What came of a poll.
enum Polled<T> {
    Ready(T),
    Pending { woken: bool },
}

impl<F: Future, S: Schedule> Cell<F, S> {
    /// Polls the future. If it is pending, tells whether it has woken itself.
    ///
    /// # Safety
    ///
    /// The caller has set RUNNING.
    unsafe fn poll(&self, header: NonNull<Header>) -> Polled<Result<F::Output, JoinError>> {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            with_waker(header, |waker| {
                let current = current::enter(header);
                let polled = self.stage.with_mut(|stage| {
                    // SAFETY: RUNNING makes the stage the caller's, and a task that is not complete has its future.
                    let future = unsafe { &mut *(*stage).future };
                    // SAFETY: the future lives in its heap cell until it is dropped in place there.
                    unsafe { Pin::new_unchecked(future) }.poll(&mut Context::from_waker(waker))
                });
                match polled {
                    Poll::Ready(output) => Polled::Ready(Ok(output)),
                    Poll::Pending => Polled::Pending { woken: current.is_woken() },
                }
            })
        }));
        polled.unwrap_or_else(|payload| Polled::Ready(Err(JoinError::panic(self.header.id, payload))))
    }

    /// Drops the future in place, and returns the payload of a panic in its destructor.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and holds the future.
    unsafe fn drop_future(&self) -> Result<(), Box<dyn Any + Send>> {
        // Before the destructor runs, which may panic: nobody drops the future again.
        // SAFETY: the stage is the caller's.
        unsafe { self.replace_holds(Holds::Nothing) };
        if !mem::needs_drop::<F>() {
            return Ok(());
        }
        // A future is pinned: it is dropped where it is, not moved out first.
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's, held the future, and nobody looks at it before it is written anew.
            catch_unwind(AssertUnwindSafe(|| unsafe { ManuallyDrop::drop(&mut (*stage).future) }))
        })
    }

    /// Puts the output into the stage.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and holds nothing.
    unsafe fn put_output(&self, output: Result<F::Output, JoinError>) {
        // Through the field: the stage as a whole may be much larger.
        // SAFETY: the stage is the caller's, and what is overwritten is nothing.
        self.stage.with_mut(|stage| unsafe { (&raw mut (*stage).output).write(ManuallyDrop::new(output)) });
        // SAFETY: as above.
        unsafe { self.replace_holds(Holds::Output) };
    }

    /// Says what the stage holds, and returns what it held.
    ///
    /// # Safety
    ///
    /// The stage is the caller's.
    unsafe fn replace_holds(&self, new: Holds) -> Holds {
        // SAFETY: who owns the stage owns this, too.
        self.header.holds.with_mut(|holds| unsafe { mem::replace(&mut *holds, new) })
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

    /// Takes the output out of the stage, if it is there.
    ///
    /// # Safety
    ///
    /// The task is complete and the stage the caller's.
    unsafe fn take_output(&self) -> Option<Result<F::Output, JoinError>> {
        // SAFETY: the stage is the caller's.
        if unsafe { self.replace_holds(Holds::Nothing) } != Holds::Output {
            return None;
        }
        // SAFETY: the stage is the caller's, held the output, and does not any more. It is not pinned.
        Some(self.stage.with_mut(|stage| unsafe { ManuallyDrop::take(&mut (*stage).output) }))
    }

    /// Drops the future, stores the output and tells the join handle. Gives up `references` and the list's.
    ///
    /// # Safety
    ///
    /// The caller has set RUNNING and owns the references.
    unsafe fn complete(this: NonNull<Self>, output: Result<F::Output, JoinError>, references: usize) {
        // SAFETY: the caller's references keep the cell alive until they are given up below.
        let cell = unsafe { this.as_ref() };
        // SAFETY: RUNNING makes the stage the caller's, and a task that is not complete has its future.
        let output = match (unsafe { cell.drop_future() }, output) {
            (Ok(()), output) => output,
            // The first panic is the one to report.
            (Err(second), Err(error)) if error.is_panic() => {
                drop_quietly(second);
                Err(error)
            }
            (Err(payload), output) => {
                drop_quietly(output);
                Err(JoinError::panic(cell.header.id, payload))
            }
        };
        let cancelled = output.as_ref().is_err_and(JoinError::is_cancelled);
        if let Err(error) = &output {
            error.with_panic(|payload| {
                quietly(|| cell.scheduler.panicked(&cell.header, payload));
            });
        }
        // Before the join handle hears of it: who awaits the task then finds it neither listed nor counted.
        let references = references + usize::from(cell.scheduler.release(this.cast()));
        if !cell.header.state.is_joined() {
            drop_quietly(output);
            if cell.header.state.complete_detached(references) {
                // SAFETY: these were the last references.
                unsafe { free::<F, S>(this.cast()) };
            }
            return;
        }
        // SAFETY: as above, and its future is gone.
        unsafe { cell.put_output(output) };
        let completed = cell.header.state.complete();
        if completed.drop_output {
            // SAFETY: COMPLETE without a join handle makes the stage the completer's.
            drop_quietly(unsafe { cell.take_output() });
        }
        if completed.wake_joiner {
            // SAFETY: JOIN_WAKER at completion makes the slot the completer's.
            let waker = unsafe { cell.replace_join_waker(None) };
            if let (true, Some(waker)) = (cancelled, &waker) {
                cell.scheduler.unjoined(&cell.header, waker);
            }
            // A waker of another executor may panic; that is its task's trouble, not this one's.
            quietly(|| waker.into_iter().for_each(Waker::wake));
        }
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
        Start::Cancel => return unsafe { Cell::complete(this, Err(cell.scheduler.cancelled(id)), 1) },
        Start::Poll => {}
    }
    cell.scheduler.started(&cell.header);
    // SAFETY: `start` has set RUNNING.
    let woken = match unsafe { cell.poll(header) } {
        // SAFETY: as for `Cancel`.
        Polled::Ready(output) => return unsafe { Cell::complete(this, output, 1) },
        Polled::Pending { woken } => woken,
    };
    loop {
        // SAFETY: until `idle` gives it back the task is this thread's.
        let listed = cell.header.listed.with(|listed| unsafe { (*listed).is_some() });
        match cell.header.state.idle(listed, woken) {
            Idle::Done => return,
            // SAFETY: `idle` left the queue's reference with the caller.
            Idle::Reschedule => return unsafe { hand_over::<F, S>(header, Cause::Yield) },
            Idle::List if cell.scheduler.enlist(header) => {}
            // SAFETY: RUNNING is still set, and the queue's reference is the caller's.
            Idle::List | Idle::Cancel => return unsafe { Cell::complete(this, Err(cell.scheduler.cancelled(id)), 1) },
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
        unsafe { Cell::complete(this, Err(cell.scheduler.cancelled(cell.header.id)), 1) };
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
    let result = unsafe { cell.take_output() };
    let result = result.expect("a JoinHandle is not polled after it has given its result");
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
    // SAFETY: without JOIN_WAKER and COMPLETE the slot is the handle's.
    let never_waited = cell.header.state.is_slot_free() && cell.join_waker.with(|slot| unsafe { (*slot).is_none() });
    if never_waited && cell.header.state.detach_and_release() {
        return;
    }
    match cell.header.state.detach() {
        Detach::TakeWaker => {
            // SAFETY: `detach` cleared JOIN_WAKER before COMPLETE: the slot is the handle's.
            let waker = unsafe { cell.replace_join_waker(None) };
            if let Some(waker) = waker {
                cell.scheduler.unjoined(&cell.header, &waker);
            }
        }
        Detach::DropOutput => {
            // SAFETY: COMPLETE with a join handle makes the stage the handle's.
            // A panic in the output's destructor is the task's, whoever comes to drop it.
            drop_quietly(unsafe { cell.take_output() });
        }
    }
    // SAFETY: the join handle's reference, not used again.
    unsafe { drop_reference(header) };
}

/// The name that its scheduler gives the task.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>`, and the caller has a reference, for as long as it uses the name.
unsafe fn name<F: Future, S: Schedule>(header: NonNull<Header>) -> Option<NonNull<str>> {
    // SAFETY: the caller's reference keeps the cell alive.
    unsafe { header.cast::<Cell<F, S>>().as_ref() }.scheduler.name().map(NonNull::from)
}

/// Frees the allocation.
///
/// # Safety
///
/// `header` is that of a `Cell<F, S>` to which no reference is left.
unsafe fn free<F: Future, S: Schedule>(header: NonNull<Header>) {
    let this = header.cast::<Cell<F, S>>();
    // What is left inside has destructors of the user's, which may panic, each for itself: a future that was never run, a waker.
    // SAFETY: nobody else can reach the cell, and it is alive until it is freed below.
    let cell = unsafe { this.as_ref() };
    // For the models to see that the join handle is through with its slot.
    cell.join_waker.with_mut(|_| {});
    // SAFETY: as above: the stage is this thread's.
    match cell.header.holds.with(|holds| unsafe { *holds }) {
        // SAFETY: the stage is this thread's, and holds the future.
        Holds::Future => drop_quietly(unsafe { cell.drop_future() }),
        // SAFETY: the stage is this thread's.
        Holds::Output => drop_quietly(unsafe { cell.take_output() }),
        Holds::Nothing => {}
    }
    // SAFETY: it comes from `allocate`, and nobody else can reach it.
    quietly(|| unsafe { memory::free(this) });
}

/// Drops a value of the user's. A panic in its destructor has been printed by the panic hook, and ends here.
fn drop_quietly<T>(value: T) {
    if mem::needs_drop::<T>() {
        quietly(|| drop(value));
    }
}
