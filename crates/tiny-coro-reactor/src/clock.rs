//! What time it is: the operating system's clock, or one that a test moves.

use std::time::{Duration, Instant};
use tiny_coro_prim::atomic::{AtomicBool, AtomicUsize, Ordering};
use tiny_coro_prim::sync::Mutex;

/// A clock in nanoseconds since its origin (*ticks*), which a test may stop and move.
///
/// While nobody has ever stopped it, reading it is one relaxed load more than reading the operating system's.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// True once the clock was stopped for the first time: from then on `course` says what time it is.
    diverted: AtomicBool,
    course: Mutex<Course>,
    /// How many [`ClockHold`](crate::ClockHold)s there are.
    holds: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Course {
    Stopped {
        at: u64,
    },
    /// It was `shown` when the operating system's clock was `real`, and has gone on with it since.
    Running {
        shown: u64,
        real: u64,
    },
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            diverted: AtomicBool::new(false),
            course: Mutex::new(Course::Running { shown: 0, real: 0 }),
            holds: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> u64 {
        // Relaxed: a thread that is to see the pause has heard of it from the one that paused.
        if self.diverted.load(Ordering::Relaxed) { self.diverted_now() } else { self.real() }
    }

    /// As [`now`](Clock::now), without the way through ticks where that is not needed.
    #[inline]
    pub(crate) fn now_instant(&self) -> Instant {
        if self.diverted.load(Ordering::Relaxed) { self.instant(self.diverted_now()) } else { Instant::now() }
    }

    #[cold]
    fn diverted_now(&self) -> u64 {
        self.course.lock().now(self.real())
    }

    #[inline]
    fn real(&self) -> u64 {
        self.ticks(Instant::now())
    }

    /// Nanoseconds from the origin to `instant`, 0 before it, saturating after 584 years.
    #[inline]
    pub(crate) fn ticks(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.origin))
    }

    pub(crate) fn instant(&self, ticks: u64) -> Instant {
        self.origin + Duration::from_nanos(ticks)
    }

    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        self.diverted.load(Ordering::Relaxed) && matches!(*self.course.lock(), Course::Stopped { .. })
    }

    /// Stops the clock where it is.
    pub(crate) fn pause(&self) {
        let mut course = self.course.lock();
        *course = Course::Stopped { at: course.now(self.real()) };
        self.diverted.store(true, Ordering::Relaxed);
    }

    /// Lets the clock go on from where it stands.
    pub(crate) fn resume(&self) {
        let mut course = self.course.lock();
        let real = self.real();
        *course = Course::Running { shown: course.now(real), real };
    }

    /// Moves a stopped clock forward by `duration`. False if it is running.
    #[must_use]
    pub(crate) fn advance(&self, duration: Duration) -> bool {
        match &mut *self.course.lock() {
            Course::Stopped { at } => {
                *at = at.saturating_add(nanos(duration));
                true
            }
            Course::Running { .. } => false,
        }
    }

    /// Moves a clock that is still stopped forward to `ticks`, unless it is there already.
    pub(crate) fn jump(&self, ticks: u64) {
        if let Course::Stopped { at } = &mut *self.course.lock() {
            *at = ticks.max(*at);
        }
    }

    /// Keeps the clock from jumping on its own until [`release`](Clock::release).
    pub(crate) fn hold(&self) {
        // Relaxed: the thread that may let the clock jump has heard of the work that is held for, or it has not begun.
        self.holds.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns true if that was the last hold.
    #[must_use]
    pub(crate) fn release(&self) -> bool {
        // ORDERING R8: release. What the work under way has left behind, wakes above all, comes before its end.
        self.holds.fetch_sub(1, Ordering::Release) == 1
    }

    pub(crate) fn is_held(&self) -> bool {
        // ORDERING R8: acquire. Pairs with the release in `release`: who finds the work ended finds the wakes that it sent.
        self.holds.load(Ordering::Acquire) != 0
    }
}

impl Course {
    fn now(self, now_real: u64) -> u64 {
        match self {
            Course::Stopped { at } => at,
            Course::Running { shown, real } => shown.saturating_add(now_real.saturating_sub(real)),
        }
    }
}

/// A duration in nanoseconds, saturating.
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}
