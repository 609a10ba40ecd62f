//! One wait in the poller, and the right to it.

use crate::alarm::NEVER;
use crate::reactor::Shared;
use crate::readiness::Ready;
use crate::timers::Whose;
use std::fmt;
use std::io;
use std::task::Waker;
use std::time::Duration;
use tiny_coro_poller::Events;
use tiny_coro_prim::sync::MutexGuard;

/// The right to turn a [`Reactor`](crate::Reactor), held by one thread at a time.
#[must_use = "a turn that is not used keeps other threads from turning the reactor"]
pub struct Turn<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) events: MutexGuard<'a, Events>,
}

impl Turn<'_> {
    /// Waits like [`Reactor::turn`](crate::Reactor::turn), but appends the wakers to `woken` instead of waking them: the
    /// caller does so after it has given up the turn, because a wake may run for long.
    ///
    /// With a `timeout` of zero it does not wait, and takes the lock of a timer shard only for a deadline that has passed.
    ///
    /// On a [paused](crate::Reactor::pause) clock it does not wait for deadlines either: where it would, it moves the clock to
    /// the first deadline, or by `timeout` if that is less.
    ///
    /// # Errors
    ///
    /// The poller's. Deadlines that have passed are reported all the same.
    pub fn wait(&mut self, timeout: Option<Duration>, woken: &mut Vec<Waker>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            return self.ask(timeout, Whose::All, woken);
        }
        if self.shared.timers.hub.clock.is_paused() {
            return self.wait_paused(timeout, woken);
        }
        let now = self.shared.timers.hub.clock.now();
        let limit = Shared::limit(now, timeout);
        let until = self.shared.timers.go_to_sleep(limit);
        let until = self.shared.timers.hub.alarm.sleep_longer(until, limit);
        let timeout = (until != NEVER).then(|| Duration::from_nanos(until.saturating_sub(now)));
        let result = self.ask(timeout, Whose::All, woken);
        self.shared.timers.hub.alarm.wake_up();
        result
    }

    /// As [`wait`](Turn::wait) with a timeout of zero, for a thread that has the timer shard `own`, counted round, and other things to do.
    ///
    /// It leaves the timers of other shards to the threads that have those, which keeps what the timers wake on one processor; unless
    /// they are overdue by the [slack](crate::Reactor::set_timer_slack).
    ///
    /// # Errors
    ///
    /// As [`wait`](Turn::wait).
    pub fn poll(&mut self, own: usize, woken: &mut Vec<Waker>) -> io::Result<()> {
        self.ask(Some(Duration::ZERO), Whose::OwnAndOverdue(own), woken)
    }

    /// The operating system first: only if it has nothing to report, the time passes.
    fn wait_paused(&mut self, timeout: Option<Duration>, woken: &mut Vec<Waker>) -> io::Result<()> {
        let timers = &self.shared.timers;
        // Before the look at the events (R8): work that ends in between has sent its wakes after this look, or is not over.
        let held = timers.hub.clock.is_held();
        let before = woken.len();
        self.ask(Some(Duration::ZERO), Whose::All, woken)?;
        if woken.len() > before || self.events.woken() || !self.events.is_empty() {
            return Ok(());
        }
        let until = timers.go_to_sleep(Shared::limit(timers.hub.clock.now(), timeout));
        let result = if held || until == NEVER {
            self.ask(timeout, Whose::All, woken)
        } else {
            timers.hub.clock.jump(until);
            timers.expire(Whose::All, woken);
            Ok(())
        };
        timers.hub.alarm.wake_up();
        result
    }

    fn ask(&mut self, timeout: Option<Duration>, whose: Whose, woken: &mut Vec<Waker>) -> io::Result<()> {
        let result = self.shared.poller.wait(&mut self.events, timeout);
        self.shared.timers.expire(whose, woken);
        if result.is_ok() {
            self.collect(woken);
        }
        result
    }

    fn collect(&self, woken: &mut Vec<Waker>) {
        if self.events.is_empty() {
            return;
        }
        let sources = self.shared.registry.lock();
        for event in self.events.iter() {
            if let Some(state) = sources.registry.get(event.token()) {
                state.publish(Ready::from(event), woken);
            }
        }
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}
