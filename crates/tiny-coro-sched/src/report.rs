//! What was still alive when a runtime ended.

use crate::shared::Shared;
use crate::task::{TaskId, TaskRef};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::task::Waker;
use tiny_coro_prim::thread::{self, ThreadId};
use tiny_coro_reactor::Waiting;

/// What [`Runtime::shutdown`](crate::Runtime::shutdown) found at its deadline. `Display` gives a line a task.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The tasks that had not completed: those that could be dropped were, in no particular order.
    pub tasks: Vec<LiveTask>,
    /// Blocking closures that were still running: each goes on until it ends by itself.
    pub running_closures: usize,
}

impl Report {
    /// True if everything had ended by itself before the deadline.
    pub fn is_clean(&self) -> bool {
        self.tasks.is_empty() && self.running_closures == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("nothing was left");
        }
        write!(f, "{} tasks and {} blocking closures were left", self.tasks.len(), self.running_closures)?;
        self.tasks.iter().try_for_each(|task| write!(f, "\n{task}"))
    }
}

/// A task that had not completed when its runtime ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LiveTask {
    /// Its id.
    pub id: TaskId,
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// What it was doing.
    pub waited_on: Wait,
}

impl fmt::Display for LiveTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, ", spawned at {}, {}", self.spawned_at, self.waited_on)
    }
}

/// What a task that has not completed is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// It is being polled, by a worker that could not be stopped in time, or blocks in place.
    Running,
    /// It was woken and had not been polled yet.
    Queued,
    /// It waits for something of the reactor's: a deadline or a descriptor, in words.
    Reactor(String),
    /// It waits for another task's result.
    Task(TaskId),
    /// It waits for something that the runtime knows nothing of: a channel, a lock, a foreign waker.
    Other,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Queued => f.write_str("about to run"),
            Self::Reactor(what) => write!(f, "waiting for {what}"),
            Self::Task(id) => write!(f, "waiting for task {id}"),
            Self::Other => f.write_str("waiting for a lock, a channel or the like"),
        }
    }
}

/// Which task a worker polls, for others to read. The two words are not read as one: they may be of neighbouring polls.
#[derive(Debug, Default)]
pub(crate) struct Current {
    id: AtomicU64,
    spawned_at: AtomicPtr<Location<'static>>,
    /// The name of the task that was polled last, of those that have one.
    name: Mutex<Option<(TaskId, Arc<str>)>>,
}

impl Current {
    /// Called by the one worker that it belongs to.
    #[inline]
    pub(crate) fn set(&self, task: &TaskRef) {
        self.id.store(task.header().id.as_u64(), Ordering::Relaxed);
        self.spawned_at.store(ptr::from_ref(task.header().spawned_at).cast_mut(), Ordering::Relaxed);
    }

    /// As [`set`](Current::set), for what only few tasks have.
    pub(crate) fn set_name(&self, id: TaskId, name: &Arc<str>) {
        let old = self.name.lock().replace((id, name.clone()));
        drop(old);
    }

    pub(crate) fn read(&self) -> Option<LiveTask> {
        let id = TaskId::from_u64(self.id.load(Ordering::Relaxed))?;
        // SAFETY: null, or a location that lives for ever.
        let spawned_at = unsafe { self.spawned_at.load(Ordering::Relaxed).as_ref() }?;
        let name = self.name.lock().as_ref().filter(|(owner, _)| *owner == id).map(|(_, name)| name.to_string());
        Some(LiveTask { id, name, spawned_at, waited_on: Wait::Running })
    }
}

/// The tasks in whose polls a thread has offered its worker to others, to block: by that thread, until it has the worker back or has
/// seen that the poll has ended, which is a moment after the task has.
#[derive(Debug, Default)]
pub(crate) struct Displaced(Mutex<HashMap<ThreadId, LiveTask>>);

impl Displaced {
    /// This thread gives up the worker that polls `task`.
    pub(crate) fn enter(&self, task: LiveTask) {
        self.0.lock().insert(thread::current().id(), task);
    }

    /// This thread has its worker back, or has ended its poll.
    pub(crate) fn leave(&self) {
        self.0.lock().remove(&thread::current().id());
    }
}

/// The tasks that the end of a runtime has found, if somebody asked for them before.
#[derive(Debug, Default)]
pub(crate) struct Survivors(Mutex<Option<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// With the address of each, which names it among the waits.
    tasks: Vec<(*const (), LiveTask)>,
    /// Who waits for what, as far as the reactor and the join handles know, by the address of the waiting task.
    waits: HashMap<*const (), Wait>,
}

// SAFETY: the addresses are compared, never followed.
unsafe impl Send for Noted {}

impl Survivors {
    /// Asks for a list of what the end will find.
    pub(crate) fn ask(&self) {
        *self.0.lock() = Some(Noted::default());
    }

    /// Who waits for the reactor, before the tasks that wait are dropped.
    pub(crate) fn note_wait(&self, waker: &Waker, waiting: Waiting) {
        if let Some(noted) = &mut *self.0.lock() {
            noted.waits.insert(waker.data(), Wait::Reactor(waiting.to_string()));
        }
    }

    /// The task with this id was dropped while `waker`'s waited for its result.
    pub(crate) fn note_join(&self, waker: &Waker, id: TaskId) {
        if let Some(noted) = &mut *self.0.lock() {
            noted.waits.insert(waker.data(), Wait::Task(id));
        }
    }

    /// A task is about to be dropped.
    pub(crate) fn note(&self, task: &TaskRef) {
        let mut noted = self.0.lock();
        let Some(noted) = noted.as_mut().filter(|_| !task.is_complete()) else { return };
        let waited_on = if task.is_scheduled() { Wait::Queued } else { Wait::Other };
        let name = task.name().map(str::to_owned);
        let live = LiveTask { id: task.header().id, name, spawned_at: task.header().spawned_at, waited_on };
        noted.tasks.push((task.as_raw().as_ptr().cast_const().cast(), live));
    }

    /// What was found. Workers that have not stopped tell what they are running.
    pub(crate) fn report(&self, shared: &Shared, running_closures: usize) -> Report {
        let mut noted = self.0.lock().take().unwrap_or_default();
        let named = noted.tasks.into_iter().map(|(address, mut task)| {
            // Also of one that was queued: the end of what it waited for may have woken it.
            if let Some(wait) = noted.waits.remove(&address) {
                task.waited_on = wait;
            }
            task
        });
        let mut tasks: Vec<_> = named.collect();
        let mut running: Vec<_> = shared.displaced.0.lock().values().cloned().collect();
        if !shared.is_finished() {
            let stuck = shared.remotes.iter().filter(|remote| remote.sleeper.place().is_none());
            running.extend(stuck.filter_map(|remote| remote.current.read()));
        }
        for task in running {
            // A worker that was given away tells of its last poll until it begins the next.
            if tasks.iter().all(|other| other.id != task.id) {
                tasks.push(task);
            }
        }
        Report { tasks, running_closures }
    }
}
