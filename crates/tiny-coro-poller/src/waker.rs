//! Waking a wait from another thread: a flag, and a signal of the backend.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::sys;
use crate::wake_flag::WakeFlag;

/// Makes a [`wait`](crate::Poller::wait) return, from any thread.
///
/// Clones are cheap, and may outlive the poller: a wake then does nothing.
#[derive(Clone)]
pub struct Waker {
    shared: Arc<Shared>,
}

struct Shared {
    flag: WakeFlag,
    signal: sys::Signal,
}

impl Waker {
    pub(crate) fn new(signal: sys::Signal) -> Self {
        Self { shared: Arc::new(Shared { flag: WakeFlag::new(), signal }) }
    }

    /// Makes the running [`wait`](crate::Poller::wait) return, or the next one if none is running.
    ///
    /// Wakes that no wait has consumed yet count as one, and only the first of them is a system call. Where several threads
    /// wait on one poller, one of them returns. Everything done before the wake is visible to the thread whose wait reports
    /// [`woken`](crate::Events::woken).
    ///
    /// # Errors
    ///
    /// Whatever the OS reports when it is told; none is known for a descriptor that is open, as this one is. The next wake
    /// tries again; one that came in between and counted on this one's signal is lost with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use tiny_coro_poller::{Events, Poller};
    /// let poller = Poller::new()?;
    /// let mut events = Events::with_capacity(8);
    /// poller.waker().wake()?;
    /// poller.wait(&mut events, None)?; // does not block
    /// assert!(events.woken() && events.is_empty());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn wake(&self) -> io::Result<()> {
        self.shared.flag.wake(|| self.shared.signal.send())
    }

    /// Called by the wait that consumed the signal, before it returns.
    pub(crate) fn consumed(&self) {
        self.shared.flag.lower();
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}
