//! The tasks that wait to be woken, so that the end of their runtime can drop each of them.

use super::header::{Header, TaskRef};
use std::ptr::NonNull;
use tiny_coro_prim::sync::Mutex;

/// An intrusive list of tasks that have waited and not completed, one per worker so that workers share no lock (invariant T6).
#[derive(Debug)]
pub(crate) struct WaitingTasks(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    head: Option<NonNull<Header>>,
    closed: bool,
}

// SAFETY: the tasks behind `head` are `Send` and `Sync`; their links are touched under the mutex only.
unsafe impl Send for List {}

impl WaitingTasks {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(List::default()))
    }

    /// Adds a task, with a reference counted for this list. Gives it back once the list is closed.
    pub(crate) fn insert(&self, task: TaskRef) -> Result<(), TaskRef> {
        let mut list = self.0.lock();
        if list.closed {
            return Err(task);
        }
        let new = task.into_raw();
        let next = list.head.replace(new);
        // SAFETY: the list's mutex guards the links of `new` and, as a member, of `next`.
        unsafe {
            new.as_ref().links.with_mut(|links| (*links).next = next);
            if let Some(next) = next {
                next.as_ref().links.with_mut(|links| (*links).previous = Some(new));
            }
        }
        Ok(())
    }

    /// Takes a task out. Returns true if it was in the list: its reference is now the caller's.
    ///
    /// # Safety
    ///
    /// `task` is alive, and in no other list.
    pub(crate) unsafe fn remove(&self, task: NonNull<Header>) -> bool {
        let mut list = self.0.lock();
        // SAFETY: the mutex guards the links of all members, and `task` is alive.
        unsafe { list.unlink(task) }
    }

    /// Refuses further tasks and takes one out, if any is left.
    pub(crate) fn close_and_pop(&self) -> Option<TaskRef> {
        let mut list = self.0.lock();
        list.closed = true;
        let task = list.head?;
        // SAFETY: a member is alive, because the list has a reference, which passes to the caller.
        unsafe {
            list.unlink(task);
            Some(TaskRef::from_raw(task))
        }
    }
}

impl List {
    /// # Safety
    ///
    /// `task` is alive, and in no other list.
    unsafe fn unlink(&mut self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller holds the mutex that guards the links of `task` and of its neighbours, which are alive as members.
        unsafe {
            let links = task.as_ref().links.with_mut(|links| std::mem::take(&mut *links));
            match links.previous {
                Some(previous) => previous.as_ref().links.with_mut(|other| (*other).next = links.next),
                None if self.head == Some(task) => self.head = links.next,
                None => return false, // not a member: only the head has nobody before it
            }
            if let Some(next) = links.next {
                next.as_ref().links.with_mut(|other| (*other).previous = links.previous);
            }
        }
        true
    }
}
