//! Which reactor the current thread uses when none is named.

use crate::reactor::Reactor;
use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;

thread_local! {
    static CURRENT: RefCell<Option<Reactor>> = const { RefCell::new(None) };
}

impl Reactor {
    /// Makes this reactor the current thread's until the guard is dropped, which brings back the one before.
    pub fn enter(&self) -> EnterGuard {
        let previous = CURRENT.with(|current| current.replace(Some(self.clone())));
        EnterGuard { previous, _not_send: PhantomData }
    }

    /// Returns the current thread's reactor. Inside a runtime that is the runtime's own, which its workers turn: register
    /// sources with it, but leave turning and shutting it down to them.
    ///
    /// # Errors
    ///
    /// `NotConnected` on a thread that has entered none.
    pub fn current() -> io::Result<Reactor> {
        let current = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
        current.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotConnected,
                "there is no reactor on this thread: call this from a task or from inside `Runtime::block_on`, or enter a runtime \
                 with `Handle::enter` (a reactor alone with `Reactor::enter`)",
            )
        })
    }
}

/// Ends [`Reactor::enter`] when it is dropped.
#[derive(Debug)]
#[must_use = "the reactor is current only while the guard lives"]
pub struct EnterGuard {
    previous: Option<Reactor>,
    _not_send: PhantomData<*const ()>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let previous = self.previous.take();
        // A thread that is ending has no current reactor to restore.
        let ended = CURRENT.try_with(|current| current.replace(previous)).ok();
        drop(ended); // outside the borrow: the last handle closes the poller
    }
}
