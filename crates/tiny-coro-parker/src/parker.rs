//! The sleeping side.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
// Not the seam's: `std::task::Waker` takes this one, and it carries no protocol of ours.
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::permit::{Announce, Grant, Permit};
use crate::spin::Spin;
use crate::sys::{self, Backend, Slept};
use crate::unparker::Unparker;

/// What the two sides share.
#[derive(Debug)]
pub(crate) struct Shared<B> {
    pub(crate) permit: Permit,
    pub(crate) backend: B,
}

impl<B: Backend> Shared<B> {
    pub(crate) fn unpark(&self) {
        match self.permit.grant() {
            Grant::Stored => {}
            Grant::Wake => self.backend.wake(self.permit.word()),
        }
    }
}

/// The sleeping side: one thread has it, and parks.
///
/// It may be moved to another thread but not shared, so that two threads cannot sleep on one permit (K2):
///
/// ```compile_fail,E0277
/// fn shared_by_threads<T: Sync>(_: T) {}
/// shared_by_threads(tiny_coro_parker::Parker::new());
/// ```
///
/// `B` is where it sleeps; [`Parker::new`] takes what is best on this system.
pub struct Parker<B: Backend = sys::Native> {
    shared: Arc<Shared<B>>,
    spin: Spin,
    not_sync: PhantomData<Cell<()>>,
}

impl Parker {
    /// Makes a parker without a permit.
    #[must_use]
    pub fn new() -> Self {
        Self::with_backend(sys::Native::default())
    }
}

impl<B: Backend> Parker<B> {
    /// Makes a parker without a permit that sleeps by `backend`, whatever the build's default.
    ///
    /// # Examples
    ///
    /// ```
    /// use tiny_coro_parker::{Parker, backend::Std};
    ///
    /// let parker = Parker::with_backend(Std::default());
    /// parker.unpark();
    /// parker.park();
    /// ```
    #[must_use]
    pub fn with_backend(backend: B) -> Self {
        let shared = Shared { permit: Permit::new(), backend };
        Self { shared: Arc::new(shared), spin: Spin::NEVER, not_sync: PhantomData }
    }

    /// Looks for a permit up to `rounds` times before it sleeps, with a [`spin_loop`](std::hint::spin_loop) hint in between.
    ///
    /// The default is 0. A round takes 5 to 50 ns, depending on the processor. In a process that has one processor the looks
    /// are left out, because nobody could leave the permit meanwhile. They end at a deadline, or at most 64 rounds later.
    ///
    /// # When it pays
    ///
    /// If both threads have a processor for themselves, and the answer is known to come sooner than a wake takes (2.5 µs),
    /// looking saves the sleep. Otherwise it costs, and not only its own time: Linux likes to run a woken thread on the
    /// processor of the one that woke it, which is about to sleep, and which now keeps it from running. Two threads in turn on
    /// two processors that the kernel chose had a round trip of about 5 µs without, 7 µs with 30, 12 µs with 100, and 21 µs with 300
    /// rounds. So measure, with the threads placed as they will be.
    ///
    /// # Examples
    ///
    /// ```
    /// let parker = tiny_coro_parker::Parker::new().with_spin(50);
    /// let unparker = parker.unparker();
    /// std::thread::spawn(move || unparker.unpark());
    /// parker.park();
    /// ```
    #[must_use]
    pub fn with_spin(mut self, rounds: u32) -> Self {
        self.spin = Spin::new(rounds);
        self
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
        let Shared { permit, backend } = &*self.shared;
        self.spin.wait(permit);
        if let Announce::Sleep { while_word_is } = permit.announce() {
            loop {
                backend.sleep(permit.word(), while_word_is);
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
    /// parker.unpark();
    /// assert!(parker.park_timeout(Duration::from_secs(60)), "at once");
    /// ```
    pub fn park_timeout(&self, timeout: Duration) -> bool {
        if self.shared.permit.take() {
            return true;
        }
        if timeout.is_zero() {
            return false;
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
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// let parker = tiny_coro_parker::Parker::new();
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// while parker.park_until(deadline) {
    ///     // a permit: do what there is to do, and wait again until the same deadline
    /// }
    /// assert!(Instant::now() >= deadline);
    /// ```
    pub fn park_until(&self, deadline: Instant) -> bool {
        self.shared.permit.take() || (deadline > Instant::now() && self.sleep_until(deadline))
    }

    fn sleep_until(&self, deadline: Instant) -> bool {
        let Shared { permit, backend } = &*self.shared;
        self.spin.wait_until(permit, deadline);
        match permit.announce() {
            Announce::Taken => true,
            Announce::Sleep { while_word_is } => loop {
                match backend.sleep_until(permit.word(), while_word_is, deadline) {
                    Slept::DeadlinePassed => return permit.retract(),
                    Slept::LookAgain if permit.take() => return true,
                    Slept::LookAgain => {}
                }
            },
        }
    }

    /// Leaves a permit for the next park, as an [`Unparker`] of this parker does.
    pub fn unpark(&self) {
        self.shared.unpark();
    }

    /// Returns a handle that wakes this parker.
    #[must_use]
    pub fn unparker(&self) -> Unparker<B> {
        Unparker { shared: Arc::clone(&self.shared) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<B>> {
        &self.shared
    }
}

/// Makes a parker and the first of its unparkers.
///
/// # Examples
///
/// ```
/// let (parker, unparker) = tiny_coro_parker::pair();
/// unparker.unpark();
/// parker.park();
/// ```
#[must_use]
pub fn pair() -> (Parker, Unparker) {
    let parker = Parker::new();
    let unparker = parker.unparker();
    (parker, unparker)
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

// A panic leaves nothing half done: every transition is one atomic operation.
impl<B: Backend> UnwindSafe for Parker<B> {}
impl<B: Backend> RefUnwindSafe for Parker<B> {}

impl<B: Backend> fmt::Debug for Parker<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parker").field("shared", &self.shared).field("spin", &self.spin).finish()
    }
}
