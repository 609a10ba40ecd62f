//! The way from a task to its runtime.

use crate::context;
use crate::panic::{PanicPolicy, TaskPanic};
use crate::shared::Shared;
use crate::task::{Cause, Header, Schedule, TaskRef, WaitingTasks};
use std::any::Any;
use std::mem::ManuallyDrop;
use std::num::NonZeroU16;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};
use std::task::Waker;

/// What the tasks of one spawner have in common: the way to their runtime, counted here so that spawning on two workers
/// shares no counter; and the list of those tasks that wait first on this shard's worker.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) waiting: WaitingTasks,
    shared: Weak<Shared>,
}

impl Shard {
    pub(crate) fn new(shared: Weak<Shared>) -> Self {
        Self { waiting: WaitingTasks::new(), shared }
    }
}

/// The way from a task to its runtime.
pub(crate) struct TaskScheduler(ManuallyDrop<Arc<Shard>>);

impl TaskScheduler {
    pub(crate) fn new(shard: Arc<Shard>) -> Self {
        Self(ManuallyDrop::new(shard))
    }
}

impl Drop for TaskScheduler {
    /// A worker of this runtime keeps the reference for a task of its own.
    fn drop(&mut self) {
        // SAFETY: taken here, and not used again.
        let shard = unsafe { ManuallyDrop::take(&mut self.0) };
        let shared = shard.shared.as_ptr();
        let not_kept = context::with_worker_of(shared, |worker| match worker {
            Some(worker) => {
                worker.keep_shard(shard);
                None
            }
            None => Some(shard),
        });
        drop(not_kept);
    }
}

impl Schedule for TaskScheduler {
    unsafe fn submit(this: NonNull<Self>, task: TaskRef, cause: Cause) {
        // SAFETY: `task` keeps the allocation that `this` lies in alive until it is handed on below.
        let shard = unsafe { &this.as_ref().0 };
        let refused = context::push_if_own_worker(shard.shared.as_ptr(), task, cause);
        let Err(task) = refused else { return };
        // Not a worker of this runtime: a reference of our own, because `task` may end before `inject` does.
        let refused = match shard.shared.upgrade() {
            Some(shared) => shared.inject(task).inspect(|()| shared.requeued.add_one()),
            None => Err(task),
        };
        // The runtime has ended, or is about to.
        let Some(refused) = refused.err() else { return };
        if cause == Cause::Yield {
            // This thread has just polled it, without its worker. It need not be in a list, so nobody else would find it.
            return refused.shutdown();
        }
        // A task that is woken has waited, so it is in a list, and whoever empties that drops its future. Not here: the thread that wakes
        // must not run its destructor.
        drop(refused);
    }

    fn enlist(&self, task: NonNull<Header>) -> bool {
        context::with_worker_of(self.0.shared.as_ptr(), |worker| {
            let upgraded;
            let (shared, shard) = match worker {
                Some(worker) => (worker.shared(), worker.index()),
                // A thread that gave its worker away in the midst of this poll.
                None => {
                    let Some(shared) = self.0.shared.upgrade() else { return false };
                    upgraded = shared;
                    (&upgraded, upgraded.remotes.len())
                }
            };
            // SAFETY: the caller's reference keeps the task alive here; the duplicate is the list's.
            let listed = unsafe { ManuallyDrop::new(TaskRef::from_raw(task)) }.duplicate();
            if shared.shards[shard].waiting.insert(listed).is_err() {
                return false;
            }
            let shard = NonZeroU16::MIN.saturating_add(shard as u16);
            // SAFETY: the caller has set RUNNING, which owns the field; the task is alive.
            unsafe { task.as_ref().listed.with_mut(|listed| *listed = Some(shard)) };
            true
        })
    }

    fn unjoined(&self, task: &Header, joiner: &Waker) {
        if let Some(shared) = self.0.shared.upgrade().filter(|shared| shared.is_shutting_down()) {
            shared.survivors.note_join(joiner, task.id);
        }
    }

    fn panicked(&self, task: &Header, payload: &(dyn Any + Send)) {
        report_panic(&self.0.shared, task, None, payload);
    }

    fn release(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller has set RUNNING, which owns the field.
        let listed = unsafe { task.as_ref().listed.with(|listed| *listed) };
        context::with_worker_of(self.0.shared.as_ptr(), |worker| {
            let upgraded;
            let shared = match worker {
                Some(worker) => {
                    worker.count_completion();
                    worker.shared()
                }
                None => {
                    let Some(shared) = self.0.shared.upgrade() else { return false };
                    shared.remote_completions.add_one();
                    upgraded = shared;
                    &upgraded
                }
            };
            // SAFETY: the task is alive for the caller, and this is the only list it was ever in.
            listed.is_some_and(|shard| unsafe { shared.shards[shard.get() as usize - 1].waiting.remove(task) })
        })
    }
}

/// Does what the runtime's [`PanicPolicy`] says.
pub(crate) fn report_panic(shared: &Weak<Shared>, task: &Header, name: Option<&str>, payload: &(dyn Any + Send)) {
    let Some(shared) = shared.upgrade() else { return };
    match &shared.panic_policy {
        PanicPolicy::Log => {}
        PanicPolicy::Call(callback) => {
            callback(&TaskPanic { id: task.id, name, spawned_at: task.spawned_at, payload });
        }
        PanicPolicy::ShutDown => shared.begin_shutdown(),
    }
}

/// A [`TaskScheduler`] whose task has a name.
pub(crate) struct NamedScheduler {
    inner: TaskScheduler,
    name: Arc<str>,
}

impl NamedScheduler {
    pub(crate) fn new(shard: Arc<Shard>, name: Arc<str>) -> Self {
        Self { inner: TaskScheduler::new(shard), name }
    }
}

impl Schedule for NamedScheduler {
    unsafe fn submit(this: NonNull<Self>, task: TaskRef, cause: Cause) {
        // SAFETY: a field of what the caller vouches for.
        let inner = NonNull::from(unsafe { &this.as_ref().inner });
        // SAFETY: `inner` lies inside the allocation of `task`, as `this` does.
        unsafe { TaskScheduler::submit(inner, task, cause) };
    }

    fn enlist(&self, task: NonNull<Header>) -> bool {
        self.inner.enlist(task)
    }

    fn started(&self, task: &Header) {
        context::with_worker_of(self.inner.0.shared.as_ptr(), |worker| {
            worker.into_iter().for_each(|worker| worker.remote().current.set_name(task.id, &self.name));
        });
    }

    fn unjoined(&self, task: &Header, joiner: &Waker) {
        self.inner.unjoined(task, joiner);
    }

    fn panicked(&self, task: &Header, payload: &(dyn Any + Send)) {
        report_panic(&self.inner.0.shared, task, Some(&self.name), payload);
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn release(&self, task: NonNull<Header>) -> bool {
        self.inner.release(task)
    }
}
