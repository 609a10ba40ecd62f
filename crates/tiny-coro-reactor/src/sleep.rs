//! A deadline as a future.

use crate::reactor::Reactor;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tiny_coro_timer::Key;

/// Completes when its deadline has passed, never earlier; or when its reactor is shut down, since nobody would wake it then.
/// Created by [`Reactor::sleep_until`].
///
/// # Cancel safety
///
/// Dropping it takes the deadline out of the reactor's queue.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    reactor: Reactor,
    deadline: Instant,
    key: Option<Key>,
}

impl Reactor {
    /// Returns a future that completes at `deadline`. It is entered into the queue when it is first polled.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { reactor: self.clone(), deadline, key: None }
    }
}

impl Sleep {
    /// When it completes.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns true once the deadline has passed.
    pub fn is_elapsed(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Moves the deadline. A sleep that has completed can be used again this way.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.cancel();
        this.deadline = deadline;
    }

    fn cancel(&mut self) {
        let Some(key) = self.key.take() else { return };
        let waker = self.reactor.shared.timers.lock().cancel(key);
        drop(waker); // after the lock: it may run user code
    }

    fn register(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let shared = &self.reactor.shared;
        match self.key {
            None => {
                let mut timers = shared.timers.lock();
                if timers.is_shut() {
                    return Poll::Ready(());
                }
                let (key, notify) = timers.insert(self.reactor.ticks(self.deadline), waker);
                drop(timers);
                self.key = Some(key);
                if notify {
                    shared.notify();
                }
                Poll::Pending
            }
            Some(key) => {
                let replaced = shared.timers.lock().replace(key, waker);
                if replaced.is_ok() {
                    return Poll::Pending;
                }
                // The reactor has reported the deadline: it has passed by the reactor's reading of the clock.
                self.key = None;
                Poll::Ready(())
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.is_elapsed() {
            this.cancel();
            return Poll::Ready(());
        }
        if let Some(key) = this.key
            && this.reactor.shared.timers.lock().has(key, cx.waker())
        {
            return Poll::Pending;
        }
        this.register(cx)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}
