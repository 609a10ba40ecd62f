//! The collector that needs no setting up: one a process, one handle a thread.

use std::cell::Cell;
use std::ptr;

use super::collector::Collector;
use super::guard::Guard;
use super::handle::LocalHandle;
use super::participant::Participant;

/// A checker has lazy statics and thread-locals of its own: both begin and end with each run of a model.
#[cfg(tiny_coro_loom)]
mod storage {
    use super::*;
    use tiny_coro_prim::{checker, thread};

    checker::lazy_static! {
        static ref GLOBAL: Collector = Collector::new();
    }
    thread::thread_local! {
        pub(super) static CURRENT: Cell<*const Participant> = Cell::new(ptr::null());
        pub(super) static OWNER: Owner = Owner::register();
    }

    pub(super) fn collector() -> &'static Collector {
        &GLOBAL
    }
}

#[cfg(not(tiny_coro_loom))]
mod storage {
    use super::*;
    use std::sync::OnceLock;

    static GLOBAL: OnceLock<Collector> = OnceLock::new();

    thread_local! {
        // It has no destructor: reading it is one instruction, at any time of a thread's life.
        pub(super) static CURRENT: Cell<*const Participant> = const { Cell::new(ptr::null()) };
        pub(super) static OWNER: Owner = Owner::register();
    }

    pub(super) fn collector() -> &'static Collector {
        GLOBAL.get_or_init(Collector::new)
    }
}

use storage::{CURRENT, OWNER};

/// Holds a thread's registration with the global collector until the thread ends.
struct Owner(LocalHandle);

impl Owner {
    fn register() -> Self {
        let handle = Collector::global().register();
        // A model's thread-locals may end together: then there is nothing to remember.
        let _ = CURRENT.try_with(|current| current.set(handle.entry()));
        Self(handle)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(ptr::null()));
    }
}

impl Collector {
    /// Returns the collector of the process, which [`pin`] uses. It is never dropped.
    pub fn global() -> &'static Self {
        storage::collector()
    }
}

/// Returns the collector of the process: [`Collector::global`] under the name that the field knows.
pub fn default_collector() -> &'static Collector {
    Collector::global()
}

/// Pins the current thread with the global collector, and registers it first if need be.
///
/// Pins nest, and an inner one costs next to nothing. It works in destructors of thread-locals too, at the price of a
/// registration for each guard.
///
/// # Examples
///
/// ```
/// let guard = tiny_coro_ebr::pin();
/// assert!(tiny_coro_ebr::is_pinned());
/// drop(guard);
/// assert!(!tiny_coro_ebr::is_pinned());
/// ```
#[inline]
pub fn pin() -> Guard {
    match current() {
        Some(entry) => Guard::enter(entry),
        None => register_and_pin(),
    }
}

/// Like [`pin`], and a full fence (`fence(SeqCst)`) in any case: an outermost pin has one anyway, an inner one adds it.
///
/// For a protocol that needs such a fence just where it pins, as a thief does between the two indices of a deque.
#[inline]
pub fn pin_fenced() -> Guard {
    match current() {
        Some(entry) => Guard::enter_fenced(entry),
        None => register_and_pin(),
    }
}

/// Returns whether the current thread is pinned with the global collector.
#[inline]
pub fn is_pinned() -> bool {
    current().is_some_and(Participant::is_pinned)
}

/// Returns the current thread's entry, if it is registered.
#[inline]
fn current<'a>() -> Option<&'a Participant> {
    let entry = CURRENT.try_with(Cell::get).unwrap_or(ptr::null());
    // SAFETY: `Owner` sets the pointer to an entry that its handle keeps, and clears it before it drops the handle. The
    // global collector, and with it the entry, lives on; no caller here keeps the reference past that.
    unsafe { entry.as_ref() }
}

#[cold]
fn register_and_pin() -> Guard {
    // While the thread-locals are being destroyed: a registration that ends with the guard. At the very end the
    // standard library does not know the thread any more, and must not be asked.
    OWNER.try_with(|owner| owner.0.pin()).unwrap_or_else(|_| Collector::global().register_as(None).pin())
}
