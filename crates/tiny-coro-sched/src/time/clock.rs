//! Stopping the clock of the current runtime, for tests.

use crate::handle::Handle;
use std::time::Duration;
use tiny_coro_reactor::Reactor;

/// The reactor of the current-thread runtime that this thread is in.
#[track_caller]
fn reactor(what: &str) -> Reactor {
    let handle = Handle::try_current().unwrap_or_else(|error| panic!("cannot {what} the clock: {error}"));
    assert!(
        handle.shared.is_current_thread(),
        "cannot {what} the clock of a runtime with several threads, where nobody knows that all of them are idle: use \
         `Builder::new_current_thread`, or `#[tiny_coro::test]` without `worker_threads`"
    );
    handle.shared.reactor.clone()
}

/// Stops the clock of the runtime that this thread is in: [`sleep`](super::sleep), [`timeout`](super::timeout()),
/// [`interval`](super::interval()) and [`Instant::now`](super::Instant::now) go by it.
///
/// From then on it moves by [`advance`], and on its own when no task can go on: it then goes to the next deadline at
/// once. So a test of an hour's time-out takes no time. It does not move on its own while a blocking closure runs that was
/// spawned after the clock was stopped. What happens on real clocks, such as an answer from a socket, does not hold it: stop the
/// clock in tests that have no other sources of time.
///
/// # Panics
///
/// On a thread that is not in a runtime, and in a multi-threaded one.
///
/// # Examples
///
/// ```
/// use tiny_coro_sched::time::{self, Duration, Instant};
///
/// let runtime = tiny_coro_sched::Builder::new_current_thread().build()?;
/// runtime.block_on(async {
///     time::pause();
///     let start = Instant::now();
///     time::sleep(Duration::from_secs(3600)).await;
///     assert_eq!(start.elapsed(), Duration::from_secs(3600));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn pause() {
    reactor("pause").pause();
}

/// Lets the clock go on from the time it shows.
///
/// # Panics
///
/// As [`pause`].
#[track_caller]
pub fn resume() {
    reactor("resume").resume();
}

/// Moves the stopped clock forward and wakes what that passes, then gives way once, so that what was woken can run.
///
/// # Panics
///
/// As [`pause`], and if the clock is not paused.
///
/// # Cancel safety
///
/// The clock has moved by the first poll.
pub async fn advance(duration: Duration) {
    reactor("advance").advance(duration);
    crate::yield_now().await;
}
