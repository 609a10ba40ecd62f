//! The two handles: who sleeps and who wakes.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
// Not the seam's: `std::task::Waker` takes this one, and it carries no protocol of ours.
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use crate::permit::{Announce, Grant, Permit};
use crate::sys::{Bed, Slept};

#[derive(Debug)]
struct Shared {
    permit: Permit,
    bed: Bed,
}

/// The sleeping side: one thread has it, and parks.
///
/// It may be moved to another thread but not shared, so that two threads cannot sleep on one permit (K2):
///
/// ```compile_fail,E0277
/// fn shared_by_threads<T: Sync>(_: T) {}
/// shared_by_threads(tiny_coro_parker::Parker::new());
/// ```
pub struct Parker {
    shared: Arc<Shared>,
    not_sync: PhantomData<Cell<()>>,
}

/// The waking side: any thread may have a clone.
///
/// It may outlive the [`Parker`]; a permit left then is never taken.
#[derive(Clone)]
pub struct Unparker {
    shared: Arc<Shared>,
}

impl Parker {
    /// Makes a parker without a permit.
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { permit: Permit::new(), bed: Bed::new() };
        Self { shared: Arc::new(shared), not_sync: PhantomData }
    }

    /// Takes the permit, sleeping until there is one.
    ///
    /// It never returns without a permit, whatever signals and spurious wake-ups happen. When the permit is there already, it is
    /// one atomic operation and no system call.
    ///
    /// # Examples
    ///
    /// ```
    /// let parker = tiny_coro_parker::Parker::new();
    /// let unparker = parker.unparker();
    /// std::thread::spawn(move || unparker.unpark());
    /// parker.park(); // until the other thread has run
    /// ```
    pub fn park(&self) {
        let Shared { permit, bed } = &*self.shared;
        if let Announce::Sleep { while_word_is } = permit.announce() {
            loop {
                bed.sleep(permit.word(), while_word_is);
                if permit.take() {
                    return;
                }
            }
        }
    }

    /// Takes the permit, sleeping for at most `timeout` until there is one; tells whether it got it.
    ///
    /// It returns `false` no earlier than `timeout` allows. Zero never sleeps; a timeout too long for the clock is for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// let parker = tiny_coro_parker::Parker::new();
    /// assert!(!parker.park_timeout(Duration::from_millis(1)));
    /// parker.unparker().unpark();
    /// assert!(parker.park_timeout(Duration::from_secs(60)), "at once");
    /// ```
    pub fn park_timeout(&self, timeout: Duration) -> bool {
        if timeout.is_zero() {
            return self.shared.permit.take();
        }
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.sleep_until(deadline),
            None => {
                self.park();
                true
            }
        }
    }

    /// Takes the permit, sleeping until `deadline` at most until there is one; tells whether it got it.
    ///
    /// It returns `false` no earlier than `deadline`. One that has passed never sleeps.
    pub fn park_until(&self, deadline: Instant) -> bool {
        if deadline <= Instant::now() {
            return self.shared.permit.take();
        }
        self.sleep_until(deadline)
    }

    fn sleep_until(&self, deadline: Instant) -> bool {
        let Shared { permit, bed } = &*self.shared;
        match permit.announce() {
            Announce::Taken => true,
            Announce::Sleep { while_word_is } => loop {
                match bed.sleep_until(permit.word(), while_word_is, deadline) {
                    Slept::DeadlinePassed => return permit.retract(),
                    Slept::LookAgain if permit.take() => return true,
                    Slept::LookAgain => {}
                }
            },
        }
    }

    /// Returns a handle that wakes this parker.
    #[must_use]
    pub fn unparker(&self) -> Unparker {
        Unparker { shared: Arc::clone(&self.shared) }
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Parker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parker").field("permit", &self.shared.permit).finish()
    }
}

impl Unparker {
    /// Leaves a permit, and wakes the owner if it sleeps.
    ///
    /// Permits do not add up: any number of calls before the owner parks are one. What the caller wrote before the call is
    /// visible to the owner once it has taken the permit. It is a system call only when the owner sleeps.
    pub fn unpark(&self) {
        self.shared.unpark();
    }

    /// Whether both wake the same parker.
    #[must_use]
    pub fn same_parker(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unparker").field("permit", &self.shared.permit).finish()
    }
}

impl Shared {
    fn unpark(&self) {
        match self.permit.grant() {
            Grant::Stored => {}
            Grant::Wake => self.bed.wake(self.permit.word()),
        }
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unpark();
    }
}

/// Makes a waker that unparks, without a further allocation.
///
/// # Examples
///
/// The smallest executor:
///
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
/// use tiny_coro_parker::Parker;
///
/// fn block_on<F: Future>(future: F) -> F::Output {
///     let (mut future, parker) = (pin!(future), Parker::new());
///     let waker = Waker::from(parker.unparker());
///     loop {
///         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
///             Poll::Ready(output) => return output,
///             Poll::Pending => parker.park(),
///         }
///     }
/// }
///
/// assert_eq!(block_on(async { 6 * 7 }), 42);
/// ```
impl From<Unparker> for Waker {
    fn from(unparker: Unparker) -> Self {
        Self::from(unparker.shared)
    }
}
