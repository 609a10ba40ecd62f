//! The queue for tasks that come from outside the workers.

use crate::task::{RawTask, TaskRef};
use tiny_coro_prim::atomic::{AtomicUsize, Ordering};
use tiny_coro_prim::sync::Mutex;

/// A FIFO of tasks, linked through the tasks themselves: pushing allocates nothing.
///
/// A mutex rather than a lock-free list: the lock is held for a few loads and stores, workers take tasks in batches, and
/// closing it together with "no push after this" is one assignment.
#[derive(Debug)]
pub(crate) struct Injector {
    list: Mutex<List>,
    /// The length, to be read without the lock. Written under it.
    len: AtomicUsize,
}

#[derive(Debug, Default)]
struct List {
    head: Option<RawTask>,
    tail: Option<RawTask>,
    closed: bool,
}

// SAFETY: the tasks behind the pointers are `Send`, and their queue links belong to the queue while they are in it (T5).
unsafe impl Send for List {}

impl Injector {
    pub(crate) fn new() -> Self {
        Self { list: Mutex::new(List::default()), len: AtomicUsize::new(0) }
    }

    /// Appends a task, or gives it back once the injector is closed.
    pub(crate) fn push(&self, task: TaskRef) -> Result<(), TaskRef> {
        let mut list = self.list.lock();
        if list.closed {
            return Err(task);
        }
        let new = task.into_raw();
        let tail = list.tail.replace(new);
        // SAFETY: the list's mutex is held, and gets the task with its queue reference.
        unsafe { replace_next(new, None) };
        match tail {
            // SAFETY: the list's mutex is held, and `tail` is in the list.
            Some(tail) => drop(unsafe { replace_next(tail, Some(new)) }),
            None => list.head = Some(new),
        }
        self.set_len(self.len() + 1);
        Ok(())
    }

    /// Takes the first task, and hands up to `more` further ones to `rest`.
    pub(crate) fn pop_batch(&self, more: usize, mut rest: impl FnMut(TaskRef)) -> Option<TaskRef> {
        if self.is_empty() {
            return None;
        }
        let mut list = self.list.lock();
        let first = self.pop_locked(&mut list)?;
        for _ in 0..more {
            let Some(task) = self.pop_locked(&mut list) else { break };
            rest(task);
        }
        Some(first)
    }

    /// Refuses pushes from now on. Returns the tasks that were left, one a call, until `None`.
    pub(crate) fn close_and_pop(&self) -> Option<TaskRef> {
        let mut list = self.list.lock();
        list.closed = true;
        self.pop_locked(&mut list)
    }

    fn pop_locked(&self, list: &mut List) -> Option<TaskRef> {
        let head = list.head?;
        // SAFETY: the list's mutex is held, and `head` is in the list.
        list.head = unsafe { replace_next(head, None) };
        if list.head.is_none() {
            list.tail = None;
        }
        self.set_len(self.len() - 1);
        // SAFETY: the queue reference passes from the queue to the caller.
        Some(unsafe { TaskRef::from_raw(head) })
    }

    /// Written under the lock. Relaxed: who must not miss a push has a fence of its own (I1).
    fn set_len(&self, len: usize) {
        self.len.store(len, Ordering::Relaxed);
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Sets the link of a task, and returns what it was.
///
/// # Safety
///
/// The caller holds the mutex of the list that has the task's queue reference.
unsafe fn replace_next(task: RawTask, next: Option<RawTask>) -> Option<RawTask> {
    // SAFETY: a task in a list is alive by its queue reference.
    let task = unsafe { task.as_ref() };
    // SAFETY: whoever has the queue reference owns the link (T5), and the caller's mutex guards that.
    task.queue_next.with_mut(|link| unsafe { std::mem::replace(&mut *link, next) })
}
