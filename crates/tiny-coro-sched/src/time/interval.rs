//! Ticks, one every so often.

use super::{Instant, Sleep, sleep_until};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// What an [`Interval`] does when a tick is taken later than the next one was due.
///
/// With a period of 10, and the tick due at 10 taken at 35:
///
/// | | ticks |
/// |---|---|
/// | `Burst` | 35 (that of 10), at once (that of 20), at once (that of 30), 40, 50 |
/// | `Delay` | 35, 45, 55 |
/// | `Skip` | 35, 40, 50 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Each missed tick comes at once, until the interval has caught up. The default.
    #[default]
    Burst,
    /// The next tick comes one period after the late one was taken.
    Delay,
    /// Missed ticks do not come; the next one does at its time.
    Skip,
}

/// Ticks at once, and then every `period`.
///
/// # Panics
///
/// If `period` is zero, and on a thread that is not in a runtime.
///
/// # Examples
///
/// ```
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// use tiny_coro_sched::time::{Duration, Instant, interval};
///
/// let mut ticks = interval(Duration::from_millis(2));
/// let first = ticks.tick().await;
/// ticks.tick().await;
/// assert!(Instant::now() - first >= Duration::from_millis(2));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start`, and then every `period`.
///
/// # Panics
///
/// If `period` is zero, and on a thread that is not in a runtime.
#[track_caller]
pub fn interval_at(start: impl Into<Instant>, period: Duration) -> Interval {
    assert!(!period.is_zero(), "the period of an interval must not be zero");
    let next = start.into();
    Interval { sleep: sleep_until(next), next, period, missed: MissedTickBehavior::default() }
}

/// A source of ticks; from [`interval`] and [`interval_at`].
pub struct Interval {
    sleep: Sleep,
    /// When the next tick is due.
    next: Instant,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick, and returns when it was due.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a tick is taken when it is returned.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// As [`tick`](Interval::tick), to be polled.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let due = self.next;
        let now = Instant::now();
        let next = after(due, self.period);
        self.set_next(if next >= now {
            next
        } else {
            match self.missed {
                MissedTickBehavior::Burst => next,
                MissedTickBehavior::Delay => after(now, self.period),
                MissedTickBehavior::Skip => now + until_next(now - due, self.period),
            }
        });
        Poll::Ready(due)
    }

    fn set_next(&mut self, next: Instant) {
        self.next = next;
        Pin::new(&mut self.sleep).reset(next.into_std());
    }

    /// The next tick comes one period from now.
    pub fn reset(&mut self) {
        self.set_next(after(Instant::now(), self.period));
    }

    /// The next tick comes at once.
    pub fn reset_immediately(&mut self) {
        self.set_next(Instant::now());
    }

    /// The next tick comes after `after`.
    pub fn reset_after(&mut self, after: Duration) {
        self.set_next(self::after(Instant::now(), after));
    }

    /// The next tick comes at `deadline`.
    pub fn reset_at(&mut self, deadline: impl Into<Instant>) {
        self.set_next(deadline.into());
    }

    /// How long it is from one tick to the next.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// What it does about ticks that were missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Says what to do about ticks that are missed. Default: [`MissedTickBehavior::Burst`].
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }
}

/// The moment `period` after `instant`; thirty years after it where the clock can't represent that.
fn after(instant: Instant, period: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
    instant.checked_add(period).unwrap_or_else(|| instant + FAR)
}

/// How long it is to the next multiple of `period`, `late` after one of them.
fn until_next(late: Duration, period: Duration) -> Duration {
    let over = late.as_nanos() % period.as_nanos();
    // Less than a period, so the difference fits into what the period fits into.
    period - Duration::new((over / 1_000_000_000) as u64, (over % 1_000_000_000) as u32)
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval").field("period", &self.period).field("missed", &self.missed).finish_non_exhaustive()
    }
}
