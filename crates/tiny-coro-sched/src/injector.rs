//! The queue for tasks that come from outside the workers.
//!
//! Who pushes and who pops do not meet: pushes go to a stack, by one compare-and-exchange; a worker that finds the list empty takes the
//! whole stack at once, turns it round, and makes it the list, from which the workers take their shares under a mutex. First in is first out,
//! since all of the list came before all of the stack.
//!
//! ```text
//!   threads ── push ──▶ stack: 7 → 6 → 5          list: 3 → 4 ── pop_batch ──▶ workers
//!                         └── when the list is empty: swap, turn round ──▶ 5 → 6 → 7
//! ```
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | J1 | the worker that takes a task from the stack sees it, and its link, as its pusher left them | `push` (release) | `take_stack` (acquire) | `injector_push_against_pop` |
//! | J2 | after the injector is closed no push succeeds, and what was pushed before comes out of `close_and_pop` | the stack's last value, CLOSED, is never replaced | `Shared::finish` | `injector_push_against_close` |
//! | J3 | a task in the stack or the list is seen by `is_empty`, except between the two, while a worker is on its way that looks again afterwards | `Worker::pop_injector` | the idle protocol (I1) | `injector_batch_against_park` |

use crate::task::{Header, RawTask, TaskRef};
use std::ptr;
use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicPtr, AtomicUsize, Ordering};
use tiny_coro_prim::sync::Mutex;

/// A FIFO of tasks, linked through the tasks themselves: pushing allocates nothing.
#[derive(Debug)]
pub(crate) struct Injector {
    /// What was pushed since the list was filled last, the newest first.
    stack: CachePadded<AtomicPtr<Header>>,
    list: Mutex<List>,
    /// The length of the list, to be read without the lock. Written under it.
    len: AtomicUsize,
}

#[derive(Debug, Default)]
struct List {
    head: Option<RawTask>,
    closed: bool,
}

// SAFETY: the tasks behind the pointers are `Send`, and their queue links belong to the queue while they are in it (T5).
unsafe impl Send for List {}

/// What the stack is once the injector is closed. No task has this address.
fn closed() -> *mut Header {
    ptr::without_provenance_mut(1)
}

impl Injector {
    pub(crate) fn new() -> Self {
        let stack = CachePadded::new(AtomicPtr::new(ptr::null_mut()));
        Self { stack, list: Mutex::new(List::default()), len: AtomicUsize::new(0) }
    }

    /// Appends a task, or gives it back once the injector is closed.
    pub(crate) fn push(&self, task: TaskRef) -> Result<(), TaskRef> {
        let new = task.into_raw();
        let mut head = self.stack.load(Ordering::Relaxed);
        loop {
            if head == closed() {
                // SAFETY: the queue reference has not been given away.
                return Err(unsafe { TaskRef::from_raw(new) });
            }
            // SAFETY: the queue reference is this thread's until the exchange below succeeds.
            unsafe { replace_next(new, ptr::NonNull::new(head)) };
            // ORDERING J1: release. Publishes the link, and what the task's own state does not, to `take_stack`.
            match self.stack.compare_exchange_weak(head, new.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(found) => head = found,
            }
        }
    }

    /// Takes the first task, and hands up to `more` further ones to `rest`.
    pub(crate) fn pop_batch(&self, more: usize, mut rest: impl FnMut(TaskRef)) -> Option<TaskRef> {
        if self.is_empty() {
            return None;
        }
        let mut list = self.list.lock();
        let mut len = self.len();
        if list.head.is_none() {
            (list.head, len) = self.take_stack(ptr::null_mut());
        }
        let first = pop(&mut list)?;
        len -= 1;
        for _ in 0..more {
            let Some(task) = pop(&mut list) else { break };
            len -= 1;
            rest(task);
        }
        // Relaxed: who must not miss a push has a fence of its own (I1, J3).
        self.len.store(len, Ordering::Relaxed);
        Some(first)
    }

    /// Refuses pushes from now on. Returns the tasks that were left, one a call, until `None`.
    pub(crate) fn close_and_pop(&self) -> Option<TaskRef> {
        let mut list = self.list.lock();
        if !list.closed {
            list.closed = true;
            let (last, _) = self.take_stack(closed());
            append(&mut list, last);
        }
        self.len.store(0, Ordering::Relaxed); // nobody pops any more: every worker has left
        pop(&mut list)
    }

    /// Leaves `replacement` for the stack, and returns what was there with the oldest first, and how many that are. The caller holds
    /// the list's mutex, and the stack is not closed.
    fn take_stack(&self, replacement: *mut Header) -> (Option<RawTask>, usize) {
        if self.stack.load(Ordering::Relaxed) == closed() {
            return (None, 0);
        }
        // ORDERING J1: acquire. Pairs with the release in `push`, of each task in the stack: they follow one another as
        // read-modify-writes.
        let mut next = ptr::NonNull::new(self.stack.swap(replacement, Ordering::Acquire));
        let (mut oldest, mut len) = (None, 0);
        while let Some(task) = next {
            // SAFETY: the task was in the stack, whose references are now this thread's.
            next = unsafe { replace_next(task, oldest) };
            oldest = Some(task);
            len += 1;
        }
        (oldest, len)
    }

    /// How many tasks are in the list; those in the stack nobody has counted.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        let head = self.stack.load(Ordering::Relaxed);
        self.len() == 0 && (head.is_null() || head == closed())
    }
}

fn pop(list: &mut List) -> Option<TaskRef> {
    let head = list.head?;
    // SAFETY: the list's mutex is held, and `head` is in the list.
    list.head = unsafe { replace_next(head, None) };
    // SAFETY: the queue reference passes from the queue to the caller.
    Some(unsafe { TaskRef::from_raw(head) })
}

/// Puts `more` behind what is in the list. It walks through that: the end of a runtime has the time.
fn append(list: &mut List, more: Option<RawTask>) {
    let Some(mut last) = list.head else {
        list.head = more;
        return;
    };
    loop {
        // SAFETY: the list's mutex is held, and `last` is in the list; the link is put back.
        let next = unsafe { replace_next(last, None) };
        // SAFETY: as above.
        unsafe { replace_next(last, next.or(more)) };
        match next {
            Some(next) => last = next,
            None => return,
        }
    }
}

/// Sets the link of a task, and returns what it was.
///
/// # Safety
///
/// The caller has the task's queue reference, or holds the mutex of the list that has it.
unsafe fn replace_next(task: RawTask, next: Option<RawTask>) -> Option<RawTask> {
    // SAFETY: a task in a queue is alive by its queue reference.
    let task = unsafe { task.as_ref() };
    // SAFETY: whoever has the queue reference owns the link (T5).
    task.queue_next.with_mut(|link| unsafe { std::mem::replace(&mut *link, next) })
}
