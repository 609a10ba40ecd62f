//! The cooperative budget, for futures that the runtime does not know.
//!
//! A task may do so many ready operations in one poll (128); then its sockets, channels, locks, sleeps and join handles answer `Pending`
//! and the task goes to the back of the queue. What is built on none of these takes part through the functions here. They work in any
//! future; where no scheduler sets a budget there is no limit.

use pin_project_lite::pin_project;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tiny_coro_prim::budget;

/// Takes one unit of the budget; gives way to other tasks if none is left. For loops that are long and never wait.
///
/// # Cancel safety
///
/// Dropping it has no effect.
///
/// # Examples
///
/// ```
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// let mut sum = 0u64;
/// for n in 0..10_000 {
///     sum += n;
///     tiny_coro_sched::task::coop::consume_budget().await;
/// }
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn consume_budget() {
    poll_fn(budget::poll_proceed).await;
}

/// Makes each result of `future` cost one unit of the budget, so that a loop over futures that are always ready, such as those of
/// another library's channel, gives way like one over sockets.
///
/// # Cancel safety
///
/// That of `future`.
pub fn cooperative<F: Future>(future: F) -> Cooperative<F> {
    Cooperative { future }
}

/// Lifts the limit for `future`: it gives way only when it waits. Everything else on the same worker waits for it.
///
/// # Cancel safety
///
/// That of `future`.
pub fn unconstrained<F: Future>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

pin_project! {
    /// The future of [`cooperative`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Cooperative<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Cooperative<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        ready!(budget::poll_proceed(cx));
        self.project().future.poll(cx)
    }
}

pin_project! {
    /// The future of [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        budget::unlimited(|| self.project().future.poll(cx))
    }
}
