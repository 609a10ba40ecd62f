//! A clock that a test stops and moves.

use crate::reactor::Reactor;
use crate::timers::Hub;
use crate::wake;
use std::time::{Duration, Instant};
use tiny_coro_prim::sync::Arc;

impl Reactor {
    /// What time it is by this reactor's clock: the operating system's, unless it was [paused](Reactor::pause).
    pub fn now(&self) -> Instant {
        self.shared.timers.hub.clock.now_instant()
    }

    /// Stops the reactor's clock. From here on it moves only by [`advance`](Reactor::advance), and on its own when the reactor
    /// is turned and has nothing better to do: a turn that would wait for a deadline moves the clock there instead. A test
    /// that sleeps for an hour ends at once, and every deadline is met exactly.
    ///
    /// Has no effect on a clock that stands. What reads the operating system's clock itself is not affected.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use std::{future::Future, pin::pin, task::{Context, Waker}};
    ///
    /// let reactor = tiny_coro_reactor::Reactor::new()?;
    /// reactor.pause();
    /// let start = reactor.now();
    /// let mut sleep = pin!(reactor.sleep(Duration::from_secs(3600)));
    /// while sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
    ///     reactor.turn(None)?; // does not take an hour
    /// }
    /// assert_eq!(reactor.now() - start, Duration::from_secs(3600));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pause(&self) {
        self.shared.timers.hub.clock.pause();
        self.shared.timers.hub.alarm.forget_fired(); // a clock that stands meets every deadline exactly
        self.notify(); // a thread that sleeps until a deadline sleeps by the wrong clock
    }

    /// Lets a stopped clock go on, from the time it shows. Has no effect on one that runs.
    pub fn resume(&self) {
        self.shared.timers.hub.clock.resume();
        self.notify();
    }

    /// Whether the clock stands.
    pub fn is_paused(&self) -> bool {
        self.shared.timers.hub.clock.is_paused()
    }

    /// Moves the stopped clock forward, and wakes the sleeps whose deadlines it passes, in their order. What these do when they
    /// run, such as setting further timers, happens at the new time.
    ///
    /// # Panics
    ///
    /// If the clock is not [paused](Reactor::pause); or when a waker does, after all the others were woken.
    #[track_caller]
    pub fn advance(&self, duration: Duration) {
        let advanced = self.shared.timers.hub.clock.advance(duration);
        assert!(advanced, "the clock is running: only a paused clock can be advanced, call `pause` first");
        let mut woken = Vec::new();
        self.expire(&mut woken);
        wake::all(woken);
    }

    /// Keeps a paused clock from moving on its own for as long as the guard lives: there is work under way that the reactor
    /// can't see, such as a closure on another thread. [`advance`](Reactor::advance) still moves it.
    pub fn hold_clock(&self) -> ClockHold {
        self.shared.timers.hub.clock.hold();
        ClockHold { hub: self.shared.timers.hub.clone() }
    }
}

/// Lets a paused clock move on its own again when it is dropped; see [`Reactor::hold_clock`].
#[derive(Debug)]
#[must_use = "the clock is held only while the guard lives"]
pub struct ClockHold {
    hub: Arc<Hub>,
}

impl Drop for ClockHold {
    fn drop(&mut self) {
        if self.hub.clock.release() && self.hub.clock.is_paused() {
            self.hub.notify(); // a thread that turns the reactor may have stopped for this hold
        }
    }
}
