//! Sleeping.

use super::Instant;
use std::time::Duration;
use tiny_coro_reactor::{self as reactor, Sleep};

/// Completes after `duration`, never earlier. A duration past the end of the clock, 584 years, is rounded to that.
///
/// # Panics
///
/// On a thread that is not in a runtime.
///
/// # Cancel safety
///
/// Dropping it takes the deadline out of the queue.
///
/// # Examples
///
/// ```
/// # use std::time::{Duration, Instant};
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// let start = Instant::now();
/// tiny_coro_sched::sleep(Duration::from_millis(2)).await;
/// assert!(start.elapsed() >= Duration::from_millis(2));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    reactor::sleep(duration).unwrap_or_else(|error| panic!("cannot sleep: {error}"))
}

/// Completes at `deadline`, never earlier.
///
/// # Panics
///
/// On a thread that is not in a runtime.
///
/// # Cancel safety
///
/// Dropping it takes the deadline out of the queue.
#[track_caller]
pub fn sleep_until(deadline: impl Into<Instant>) -> Sleep {
    reactor::sleep_until(deadline.into().into_std()).unwrap_or_else(|error| panic!("cannot sleep: {error}"))
}
