//! What is the same for every task, whatever its future: the part the scheduler sees.

use super::state::State;
use std::num::{NonZeroU16, NonZeroU64};
use std::panic::Location;
use std::ptr::NonNull;
use std::{fmt, task::Waker};
use tiny_coro_prim::cell::UnsafeCell;

/// Names a task for as long as the process lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(NonZeroU64);

impl TaskId {
    /// Returns an id that no task has had. Threads draw blocks of ids, so that spawning shares no counter.
    pub(crate) fn next() -> Self {
        use std::cell::Cell;
        use std::sync::atomic::{AtomicU64, Ordering};
        const BLOCK: u64 = 1024;
        static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static NEXT: Cell<u64> = const { Cell::new(0) };
        }
        let id = NEXT.with(|next| {
            let mut id = next.get();
            if id % BLOCK == 0 {
                id = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK;
            }
            next.set(id + 1);
            id
        });
        TaskId(NonZeroU64::MIN.saturating_add(id))
    }

    pub(crate) fn as_u64(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn from_u64(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(Self)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0)
    }
}

/// The first field of every task's allocation. A queue, a waker and a handle hold a pointer to it, one word wide.
pub(crate) struct Header {
    pub(crate) state: State,
    pub(crate) vtable: &'static Vtable,
    /// The next task in the injector. Owned by whoever owns the queue's reference (T5).
    pub(crate) queue_next: UnsafeCell<Option<NonNull<Header>>>,
    /// Its place in the list of waiting tasks. Owned by the thread that set RUNNING, as is the next field.
    pub(crate) place: UnsafeCell<u32>,
    /// Which list of waiting tasks it is in, as its scheduler counts them.
    pub(crate) listed: UnsafeCell<Option<NonZeroU16>>,
    /// What the stage holds. Owned with the stage.
    pub(super) holds: UnsafeCell<Holds>,
    pub(crate) id: TaskId,
    pub(crate) spawned_at: &'static Location<'static>,
}

/// What is in a task's stage. It stands in the header, where there is room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Future,
    Output,
    Nothing,
}

/// What depends on the future's type. Each entry's contract is that of the method of the same name in `cell`.
pub(crate) struct Vtable {
    /// Polls or cancels a popped task; consumes the queue's reference.
    pub(crate) run: unsafe fn(NonNull<Header>),
    /// Hands the task, with one reference, to its scheduler.
    pub(crate) submit: unsafe fn(NonNull<Header>),
    /// Drops the future at shutdown and completes the task; consumes no reference.
    pub(crate) shutdown: unsafe fn(NonNull<Header>),
    /// Moves the output to `*mut Poll<Result<T, JoinError>>`, if the task is complete; otherwise leaves the waker.
    pub(crate) poll_join: unsafe fn(NonNull<Header>, *mut (), &Waker),
    /// Drops what belongs to the join handle, and its reference.
    pub(crate) drop_join: unsafe fn(NonNull<Header>),
    /// The name that the task was given.
    pub(crate) name: unsafe fn(NonNull<Header>) -> Option<NonNull<str>>,
    /// Frees the allocation; nobody else has a reference.
    pub(crate) free: unsafe fn(NonNull<Header>),
}

// SAFETY: the fields that are not `Sync` by themselves, `queue_next`, `place`, `listed` and `holds`, are each touched only by the one owner
// their comments name.
unsafe impl Sync for Header {}
// SAFETY: nothing in a header belongs to a thread.
unsafe impl Send for Header {}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("spawned_at", &self.spawned_at)
            .finish()
    }
}

/// One counted reference to a task.
#[derive(Debug)]
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: the header is `Sync`; the task's future and output are `Send` (`allocate` demands it), or other threads do no more with
// the reference than hand it back (`allocate_local`).
unsafe impl Send for TaskRef {}
// SAFETY: a shared `TaskRef` gives out `&Header` only, which is `Sync`.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// Takes over a reference that the caller counted.
    ///
    /// # Safety
    ///
    /// `header` points to a live task, and one of its references is the caller's to give away.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// Gives the reference back to the caller's count.
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        let header = self.0;
        std::mem::forget(self);
        header
    }

    pub(crate) fn as_raw(&self) -> NonNull<Header> {
        self.0
    }

    /// Counts another reference.
    pub(crate) fn duplicate(&self) -> Self {
        self.header().state.reference();
        Self(self.0)
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the task lives as long as this reference is counted.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: this value's reference is given up here and only here.
        unsafe { drop_reference(self.0) };
    }
}

/// Gives up one reference, and frees the task if it was the last.
///
/// # Safety
///
/// The reference is the caller's, who does not use it again.
pub(crate) unsafe fn drop_reference(header: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the task alive up to its release; the vtable is read before, because another
    // thread may free the task right after.
    let vtable = unsafe { header.as_ref() }.vtable;
    // SAFETY: as above.
    if unsafe { header.as_ref() }.state.release(1) {
        // SAFETY: it was the last reference, so nobody else can reach the task.
        unsafe { (vtable.free)(header) };
    }
}
