//! What the current thread is to a runtime: one of its workers, a thread inside `block_on`, or nothing.

use crate::blocking::BlockingPool;
use crate::handle::Handle;
use crate::shared::Shared;
use crate::task::{Cause, TaskRef};
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::ptr;
use tiny_coro_reactor::EnterGuard as ReactorGuard;

thread_local! {
    /// The worker whose loop runs on this thread; null elsewhere. Valid while set: `enter_worker` borrows it.
    static WORKER: Cell<*const Worker> = const { Cell::new(ptr::null()) };
    /// The blocking pool that this thread belongs to; null elsewhere. Compared, never followed.
    static POOL: Cell<*const BlockingPool> = const { Cell::new(ptr::null()) };
    /// The runtime that `spawn` and the like mean on this thread.
    static HANDLE: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Calls `body` with this thread's worker, if it is one of `shared`'s.
pub(crate) fn with_worker<R>(shared: &Shared, body: impl FnOnce(Option<&Worker>) -> R) -> R {
    with_worker_of(shared, body)
}

/// As [`with_worker`], for a runtime that may be gone: the pointer is compared, never followed.
pub(crate) fn with_worker_of<R>(shared: *const Shared, body: impl FnOnce(Option<&Worker>) -> R) -> R {
    let worker = WORKER.try_with(Cell::get).unwrap_or(ptr::null());
    // SAFETY: a pointer in `WORKER` is borrowed by the `run_worker` that is further up on this thread's stack.
    let worker = unsafe { worker.as_ref() };
    body(worker.filter(|worker| ptr::eq(worker.shared(), shared)))
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

/// Makes `worker` this thread's while `body` runs.
pub(crate) fn run_worker<R>(worker: &Worker, body: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            WORKER.set(ptr::null());
        }
    }
    WORKER.set(worker);
    let _reset = Reset;
    body()
}

/// True on a worker thread of any runtime.
pub(crate) fn is_worker() -> bool {
    !WORKER.get().is_null()
}

/// True on a thread that the runtime at `shared` started: it must not wait for that runtime's end.
pub(crate) fn is_own_thread(shared: &Shared) -> bool {
    let pool = POOL.try_with(Cell::get).unwrap_or(ptr::null());
    ptr::eq(pool, &*shared.blocking) || with_worker(shared, |worker| worker.is_some())
}

/// Marks this thread as one of `pool`'s, for the rest of its life.
pub(crate) fn join_pool(pool: &BlockingPool) {
    POOL.set(pool);
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
