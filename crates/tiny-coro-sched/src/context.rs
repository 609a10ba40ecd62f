//! What the current thread is to a runtime: one of its workers, a thread inside `block_on`, or nothing.

use crate::blocking::BlockingPool;
use crate::handle::Handle;
use crate::shared::Shared;
use crate::task::{Cause, TaskRef};
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use tiny_coro_prim::thread::thread_local;
use tiny_coro_reactor::EnterGuard as ReactorGuard;

thread_local! {
    /// The worker that this thread has; null elsewhere. Valid while set: it owns it.
    static WORKER: Cell<*const Worker> = const { Cell::new(ptr::null()) };
    /// What was in `WORKER` before: a task may run another runtime's `block_on`, and so on.
    static BELOW: Cell<*const Below> = const { Cell::new(ptr::null()) };
    /// The blocking pool that this thread belongs to; null elsewhere. Compared, never followed.
    static POOL: Cell<*const BlockingPool> = const { Cell::new(ptr::null()) };
    /// The runtime that `spawn` and the like mean on this thread.
    static HANDLE: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// The worker that this thread has; null if none.
pub(crate) fn worker() -> *const Worker {
    WORKER.try_with(Cell::get).unwrap_or(ptr::null())
}

/// Calls `body` with this thread's worker, if it is one of `shared`'s. The worker does not leave the thread meanwhile, not even if `body`
/// comes to code of users, as a push may that makes the deque grow (epoch reclamation calls deferred functions).
pub(crate) fn with_worker<R>(shared: &Shared, body: impl FnOnce(Option<&Worker>) -> R) -> R {
    with_worker_of(shared, body)
}

/// As [`with_worker`], for a runtime that may be gone: the pointer is compared, never followed.
pub(crate) fn with_worker_of<R>(shared: *const Shared, body: impl FnOnce(Option<&Worker>) -> R) -> R {
    // SAFETY: a pointer in `WORKER` is that of a worker which this thread has: an `Installed` further up on the stack owns it,
    // and it leaves the thread only through `uninstall_if`, which takes the pointer out.
    let worker = unsafe { worker().as_ref() }.filter(|worker| ptr::eq(&raw const **worker.shared(), shared));
    let _stays = worker.map(Worker::stay);
    body(worker)
}

/// Pushes `task` to this thread's worker if that is one of the runtime at `shared`; gives it back otherwise.
pub(crate) fn push_if_own_worker(shared: *const Shared, task: TaskRef, cause: Cause) -> Result<(), TaskRef> {
    with_worker_of(shared, |worker| match worker {
        Some(worker) => {
            worker.push(task, cause);
            Ok(())
        }
        None => Err(task),
    })
}

/// A worker that this thread had before the one that an [`Installed`] brought. That owns this, and drops it in the order of the stack.
struct Below {
    /// Null, or a worker that is valid while it is here.
    worker: *const Worker,
    next: *const Below,
}

/// The workers that this thread has below the one that is its own, the latest first.
fn below() -> impl Iterator<Item = *const Worker> {
    let mut next = BELOW.with(Cell::get);
    std::iter::from_fn(move || {
        // SAFETY: null, or the node of an `Installed` that lives further up on the stack.
        let below = unsafe { next.as_ref() }?;
        next = below.next;
        Some(below.worker)
    })
}

/// Makes a worker this thread's for as long as it lives. What the thread had before comes back afterwards.
#[derive(Debug)]
pub(crate) struct Installed {
    worker: NonNull<Worker>,
    below: NonNull<Below>,
    /// It belongs to its thread.
    _not_send: PhantomData<*const Worker>,
}

/// Gives `worker` to this thread.
pub(crate) fn install(worker: Box<Worker>) -> Installed {
    Installed::new(NonNull::from(Box::leak(worker)))
}

/// Brings the worker of `shared` to the top once more, if this thread has it below another.
pub(crate) fn install_again(shared: &Shared) -> Option<Installed> {
    let worker = below().filter_map(|worker| NonNull::new(worker.cast_mut())).find(|worker| {
        // SAFETY: an `Installed` further up on the stack owns it, and does so until this one is gone.
        ptr::eq(&raw const **unsafe { worker.as_ref() }.shared(), shared)
    })?;
    Some(Installed::new(worker))
}

impl Installed {
    fn new(worker: NonNull<Worker>) -> Self {
        let replaced = WORKER.with(|own| own.replace(worker.as_ptr()));
        let below = Below { worker: replaced, next: BELOW.with(Cell::get) };
        let below = NonNull::from(Box::leak(Box::new(below)));
        BELOW.with(|latest| latest.set(below.as_ptr()));
        Self { worker, below, _not_send: PhantomData }
    }

    pub(crate) fn worker(&self) -> NonNull<Worker> {
        self.worker
    }

    /// Takes the worker from the thread, unless that has lost it.
    pub(crate) fn into_worker(self) -> Option<Box<Worker>> {
        if worker() == self.worker.as_ptr() { uninstall_if(|_| true) } else { None }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // SAFETY: leaked in `new`, and taken back here only; `BELOW` does not lead there any more from the next line on.
        let below = unsafe { Box::from_raw(self.below.as_ptr()) };
        BELOW.with(|latest| latest.set(below.next));
        WORKER.with(|own| own.set(below.worker));
    }
}

/// Takes this thread's worker away from it, if it has one for which `may_go` holds.
pub(crate) fn uninstall_if(may_go: impl FnOnce(&Worker) -> bool) -> Option<Box<Worker>> {
    let worker = NonNull::new(worker().cast_mut())?;
    // SAFETY: as in `with_worker_of`.
    if !may_go(unsafe { worker.as_ref() }) {
        return None;
    }
    WORKER.with(|own| own.set(ptr::null()));
    // SAFETY: the pointer is that of a leaked box, it was this thread's, and it is not in `WORKER` any more, nor below: only a current-thread
    // worker is installed again, and that leaves by `into_worker` of its first `Installed`, when the others are gone. Nobody holds a
    // reference, says `may_go`: the loop that polls holds none during a poll, and `with_worker` has the worker stay.
    Some(unsafe { Box::from_raw(worker.as_ptr()) })
}

/// Gives the thread back the worker that [`uninstall_if`] took.
pub(crate) fn reinstall(worker: Box<Worker>) {
    WORKER.with(|own| own.set(Box::leak(worker)));
}

/// True on a thread that the runtime at `shared` started: it must not wait for that runtime's end.
pub(crate) fn is_own_thread(shared: &Shared) -> bool {
    let pool = POOL.try_with(Cell::get).unwrap_or(ptr::null());
    let is = |other: &Arc<BlockingPool>| ptr::eq(pool, &raw const **other);
    let is_here = |worker: *const Worker| {
        // SAFETY: a worker in `WORKER` or `below` is valid while it is there.
        unsafe { worker.as_ref() }.is_some_and(|worker| ptr::eq(&raw const **worker.shared(), shared))
    };
    let has_worker = is_here(worker()) || below().any(is_here);
    is(&shared.blocking) || shared.spares.as_ref().is_some_and(is) || has_worker
}

/// Marks this thread as one of `pool`'s, for the rest of its life.
pub(crate) fn join_pool(pool: &BlockingPool) {
    POOL.with(|own| own.set(pool));
}

/// Returns the runtime that this thread is in.
pub(crate) fn current() -> Option<Handle> {
    HANDLE.try_with(|handle| handle.borrow().clone()).ok().flatten()
}

/// Calls `body` with the runtime that this thread is in, without counting a reference.
pub(crate) fn with_current<R>(body: impl FnOnce(Option<&Handle>) -> R) -> R {
    HANDLE.with(|handle| body(handle.borrow().as_ref()))
}

/// Leaves the runtime that [`Handle::enter`] entered, when it is dropped.
#[derive(Debug)]
#[must_use = "the runtime is current only while the guard lives"]
pub struct EnterGuard {
    previous: Option<Handle>,
    _reactor: ReactorGuard,
}

pub(crate) fn enter(handle: &Handle) -> EnterGuard {
    let previous = HANDLE.with(|current| current.replace(Some(handle.clone())));
    EnterGuard { previous, _reactor: handle.shared.reactor.enter() }
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let previous = self.previous.take();
        let ended = HANDLE.try_with(|current| current.replace(previous)).ok();
        drop(ended); // outside the borrow: it may be the last handle
    }
}
