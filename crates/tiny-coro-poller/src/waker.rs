//! Waking a wait from another thread: a flag, and a signal of the backend.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys;

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
    /// Wakes that no wait has consumed yet count as one, and only the first of them is a system call. Where several threads wait
    /// on one poller, one of them returns. Everything done before the wake is visible to the thread whose wait reports
    /// [`woken`](crate::Events::woken).
    ///
    /// # Errors
    ///
    /// Whatever the OS reports when it is told; none is known for a descriptor that is open, as this one is.
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
        match self.shared.flag.raise() {
            Raise::Coalesced => Ok(()),
            Raise::First => self.shared.signal.send().inspect_err(|_| self.shared.flag.lower()),
        }
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

/// Raised from the first wake until a wait has consumed its signal (P3).
struct WakeFlag(AtomicBool);

#[must_use]
enum Raise {
    /// The caller must send the signal.
    First,
    /// A signal is on its way: the wait that consumes it stands for this wake too.
    Coalesced,
}

impl WakeFlag {
    const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    fn raise(&self) -> Raise {
        // ORDERING P3: release. Publishes the caller's writes to the acquire swap in `lower`; a later raise continues
        // the release sequence, so that one `lower` sees the writes of all wakes that it stands for.
        if self.0.swap(true, Ordering::Release) { Raise::Coalesced } else { Raise::First }
    }

    fn lower(&self) {
        // ORDERING P3: acquire. Sees what was written before every `raise` that precedes it. One that comes after finds the
        // flag down and sends a signal of its own: on a single location no fence is needed.
        self.0.swap(false, Ordering::Acquire);
    }
}
