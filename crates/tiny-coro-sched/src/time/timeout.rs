//! Giving a future a limit.

use super::{Instant, sleep, sleep_until};
use crate::task;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tiny_coro_prim::budget;
use tiny_coro_reactor::Sleep;

/// Gives `future` at most `duration`. The future is polled before the clock is looked at: one that is ready wins.
///
/// # Errors
///
/// [`Elapsed`] when the time is up first. The future is dropped with the `Timeout`.
///
/// # Panics
///
/// On a thread that is not in a runtime.
///
/// # Cancel safety
///
/// That of `future`.
///
/// # Examples
///
/// ```
/// # use std::{future, time::Duration};
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// use tiny_coro_sched::timeout;
/// assert_eq!(timeout(Duration::from_secs(60), async { 7 }).await, Ok(7));
/// assert!(timeout(Duration::from_millis(1), future::pending::<()>()).await.is_err());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout { future, sleep: sleep(duration) }
}

/// As [`timeout`], with an instant.
///
/// # Errors
///
/// [`Elapsed`] when the deadline passes first.
///
/// # Panics
///
/// On a thread that is not in a runtime.
#[track_caller]
pub fn timeout_at<F: Future>(deadline: impl Into<Instant>, future: F) -> Timeout<F> {
    Timeout { future, sleep: sleep_until(deadline) }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: Sleep,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let had = budget::left() > 0;
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if task::is_woken(cx.waker()) && this.sleep.as_mut().put_off() {
            // It gives way, and is not waiting: the second poll is soon enough to set a timer, which perhaps it does not come to need.
            return Poll::Pending;
        }
        ready!(if budget::left() > 0 {
            this.sleep.poll(cx)
        } else if had {
            // The future has spent the budget in this poll, as it does each time where it never waits: that does not stop the clock.
            budget::unlimited(|| this.sleep.poll(cx))
        } else {
            // The future may have been refused what it would have got with a budget: that is no time-out.
            ready!(budget::poll_left(cx));
            this.sleep.poll(cx)
        });
        Poll::Ready(Err(Elapsed(())))
    }
}

/// The error of a [`Timeout`] whose time was up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up before the future completed")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(error: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, error)
    }
}
