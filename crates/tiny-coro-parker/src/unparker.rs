//! The waking side.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::parker::{Parker, Shared};
use crate::sys::{self, Backend};

/// The waking side: any thread may have a clone.
///
/// It may outlive the [`Parker`]; a permit left then is never taken. As a [`Waker`] it wakes whoever polls a future and parks
/// in between.
pub struct Unparker<B: Backend = sys::Native> {
    pub(crate) shared: Arc<Shared<B>>,
}

impl<B: Backend> Unparker<B> {
    /// Leaves a permit, and wakes the owner if it sleeps.
    ///
    /// Permits do not add up: any number of calls before the owner parks are one. What the caller wrote before the call is
    /// visible to the owner once it has taken the permit. It is a system call only when the owner sleeps. On the
    /// `Futex` it takes no lock and leaves `errno` alone: a signal handler may call it.
    ///
    /// # Examples
    ///
    /// ```
    /// let (parker, unparker) = tiny_coro_parker::pair();
    /// unparker.unpark();
    /// unparker.unpark(); // one and the same permit
    /// parker.park();
    /// assert!(!parker.park_timeout(std::time::Duration::from_millis(1)));
    /// ```
    pub fn unpark(&self) {
        self.shared.unpark();
    }

    /// Whether this wakes `parker`.
    #[must_use]
    pub fn will_unpark(&self, parker: &Parker<B>) -> bool {
        Arc::ptr_eq(&self.shared, parker.shared())
    }

    /// Whether both wake the same parker.
    #[must_use]
    pub fn same_parker(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<B: Backend> Clone for Unparker<B> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

// A panic leaves nothing half done: every transition is one atomic operation.
impl<B: Backend> UnwindSafe for Unparker<B> {}
impl<B: Backend> RefUnwindSafe for Unparker<B> {}

impl<B: Backend> fmt::Debug for Unparker<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unparker").field("shared", &self.shared).finish()
    }
}

impl<B: Backend> Wake for Shared<B> {
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
impl<B: Backend> From<Unparker<B>> for Waker {
    fn from(unparker: Unparker<B>) -> Self {
        Self::from(unparker.shared)
    }
}
