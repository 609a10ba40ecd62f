//! The tasks that wait to be woken, so that the end of their runtime can drop each of them.

use super::header::{Header, TaskRef};
use std::ptr::NonNull;
use tiny_coro_prim::sync::Mutex;

/// Room that is kept for tasks to come, however few there are.
const KEPT: usize = 1024;

/// The tasks that have waited and not completed, in no order, one list per worker so that workers share no lock (invariant T6).
///
/// A task knows its place, and one that leaves gives it to the last: so a place costs a task half of what links would, and leaving
/// touches one other task at most.
#[derive(Debug)]
pub(crate) struct WaitingTasks(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    tasks: Vec<NonNull<Header>>,
    closed: bool,
}

// SAFETY: the tasks in the list are `Send` and `Sync`; their places are touched under the mutex only.
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
        let place = list.tasks.len();
        let task = task.into_raw();
        list.tasks.push(task);
        list.tell(task, place);
        Ok(())
    }

    /// Takes a task out. Returns true if it was in the list: its reference is now the caller's.
    ///
    /// # Safety
    ///
    /// `task` is alive, and in no other list.
    pub(crate) unsafe fn remove(&self, task: NonNull<Header>) -> bool {
        let mut list = self.0.lock();
        // SAFETY: `task` is alive, and the mutex guards its place.
        let place = unsafe { task.as_ref().place.with(|place| *place) } as usize;
        // One that the end of the runtime has taken has a place that nobody, or somebody else, has.
        if list.tasks.get(place) != Some(&task) {
            return false;
        }
        list.tasks.swap_remove(place);
        if let Some(&moved) = list.tasks.get(place) {
            list.tell(moved, place);
        }
        let capacity = list.tasks.capacity();
        if capacity > KEPT && list.tasks.len() < capacity / 8 {
            list.tasks.shrink_to((capacity / 4).max(KEPT));
        }
        true
    }

    /// Refuses further tasks and takes one out, if any is left.
    pub(crate) fn close_and_pop(&self) -> Option<TaskRef> {
        let mut list = self.0.lock();
        list.closed = true;
        let task = list.tasks.pop()?;
        // SAFETY: a member is alive, because the list has a reference, which passes to the caller.
        Some(unsafe { TaskRef::from_raw(task) })
    }
}

impl List {
    /// Tells a member its place.
    fn tell(&self, task: NonNull<Header>, place: usize) {
        let Ok(place) = u32::try_from(place) else {
            std::process::abort(); // four thousand million tasks at once, which take 500 GB at least
        };
        // SAFETY: a member is alive, and the mutex, which the caller holds, guards its place.
        unsafe { task.as_ref().place.with_mut(|old| *old = place) };
    }
}
