//! A deadline as a future.

use crate::context;
use crate::queue::Timer;
use crate::reactor::Reactor;
use crate::timers::ShardRef;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};
use tiny_coro_prim::budget;
use tiny_coro_timer::Key;

/// Completes when its deadline has passed, never earlier; or when its reactor is shut down, since nobody would wake it then.
/// Created by [`Reactor::sleep`], [`Reactor::sleep_until`], and [`sleep`] and [`sleep_until`] for the current reactor.
///
/// It belongs to the timer shard of the thread that made it, and may be polled and dropped on any. It completes when it is
/// polled after the reactor was turned past the deadline, or if the deadline is over when it is polled first.
///
/// # Cancel safety
///
/// Dropping it takes the deadline out of the reactor's queue.
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    shard: ShardRef,
    /// In ticks of the reactor's clock.
    deadline: u64,
    stage: Stage,
}

/// Where a sleep is in its life: a timer's key, or a number that no key is, so that a sleep takes three words.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stage(u64);

impl Stage {
    /// No timer is set; the first poll sets it.
    const NEW: Self = Self(0);
    /// As `NEW`, and the deadline may have passed: the first poll looks at the clock.
    const LOOK: Self = Self(1);
    const OVER: Self = Self(2);

    fn of(key: Key) -> Self {
        Self(key.to_bits())
    }

    /// The timer, from the first poll on until it is over.
    fn key(self) -> Option<Key> {
        Key::from_bits(self.0)
    }
}

/// As [`Reactor::sleep`], with the current thread's reactor.
///
/// # Errors
///
/// `NotConnected` on a thread that has entered no reactor.
pub fn sleep(duration: Duration) -> io::Result<Sleep> {
    Ok(Sleep::after(context::current_shard()?, duration))
}

/// As [`Reactor::sleep_until`], with the current thread's reactor.
///
/// # Errors
///
/// `NotConnected` on a thread that has entered no reactor.
pub fn sleep_until(deadline: Instant) -> io::Result<Sleep> {
    Ok(Sleep::at(context::current_shard()?, deadline))
}

impl Reactor {
    /// Returns a future that completes at `deadline`. It is entered into the queue when it is first polled.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::at(context::shard_of(self), deadline)
    }

    /// Returns a future that completes when `duration` has passed from now on, by the [reactor's clock](Reactor::now). It
    /// looks at the clock only here: prefer it to [`sleep_until`](Reactor::sleep_until) where the deadline is a duration.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::after(context::shard_of(self), duration)
    }
}

impl Sleep {
    pub(crate) fn at(shard: ShardRef, deadline: Instant) -> Self {
        let deadline = shard.hub.clock.ticks(deadline);
        Self { shard, deadline, stage: Stage::LOOK }
    }

    fn after(shard: ShardRef, duration: Duration) -> Self {
        let deadline = shard.hub.clock.now().saturating_add(crate::clock::nanos(duration));
        Self { shard, deadline, stage: if duration.is_zero() { Stage::LOOK } else { Stage::NEW } }
    }

    /// When it completes. Deadlines from before the reactor's creation, and from 584 years after it, are rounded to those.
    pub fn deadline(&self) -> Instant {
        self.shard.hub.clock.instant(self.deadline)
    }

    /// Returns true once the deadline has passed.
    pub fn is_elapsed(&self) -> bool {
        self.shard.hub.clock.now() >= self.deadline
    }

    /// Moves the deadline, earlier or later. A sleep that has completed can be used again this way. One that is being
    /// waited for wakes its task at the new deadline, polled or not; at once, if that has passed.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.deadline = this.shard.hub.clock.ticks(deadline);
        let Some(key) = this.stage.key() else {
            this.stage = Stage::LOOK;
            return;
        };
        if this.is_elapsed() {
            this.stage = Stage::OVER;
            this.shard.queue.cancel(key).into_iter().for_each(Waker::wake);
            return;
        }
        match this.shard.queue.reset(key, this.deadline) {
            (Timer::Over, _) => this.stage = Stage::LOOK,
            (_, true) => this.shard.lowered_to(this.deadline),
            (_, false) => {}
        }
    }

    /// Puts off setting the timer from the first poll to the next one, for a caller who is sure to poll again whatever the time. Returns false,
    /// and does nothing, if it was put off before, or the timer is set or over already, or the duration was zero.
    pub fn put_off(self: Pin<&mut Self>) -> bool {
        let is_new = self.stage == Stage::NEW;
        if is_new {
            self.get_mut().stage = Stage::LOOK;
        }
        is_new
    }

    fn complete(&mut self) -> Poll<()> {
        self.stage = Stage::OVER;
        Poll::Ready(())
    }

    fn register(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Ok(inserted) = self.shard.queue.insert(self.deadline, cx.waker().clone()) else {
            return self.complete();
        };
        self.stage = Stage::of(inserted.key);
        if inserted.first {
            self.shard.lowered_to(self.deadline);
        }
        Poll::Pending
    }

    fn look_at_timer(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<()> {
        let over = match self.shard.queue.look(key, self.deadline, cx.waker()) {
            Timer::Waits => return Poll::Pending,
            Timer::WaitsForAnother => self.shard.queue.replace(key, cx.waker().clone()).is_err(),
            Timer::Over => true,
        };
        if over { self.complete() } else { Poll::Pending }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match (this.stage, this.stage.key()) {
            (_, Some(key)) => this.look_at_timer(key, cx),
            (Stage::OVER, _) => Poll::Ready(()),
            (Stage::LOOK, _) if this.is_elapsed() => {
                ready!(budget::poll_proceed(cx));
                this.complete()
            }
            _ => this.register(cx),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(key) = self.stage.key() else { return };
        let waker = self.shard.queue.cancel(key);
        drop(waker); // after the lock: it may run user code
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .field("waiting", &self.stage.key().is_some())
            .field("over", &(self.stage == Stage::OVER))
            .finish_non_exhaustive()
    }
}
