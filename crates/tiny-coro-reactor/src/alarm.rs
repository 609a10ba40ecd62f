//! Until when the turning thread sleeps, and who has to wake it before that.

use crate::queue::Queue;
use tiny_coro_prim::atomic::{AtomicU64, Ordering, fence};

/// No deadline: later than every clock.
pub(crate) const NEVER: u64 = u64::MAX;

/// Earlier than every deadline: nobody sleeps.
const AWAKE: u64 = 0;

/// What the thread that turns the reactor tells the threads that set timers (invariant R6 of the crate page).
#[derive(Debug)]
pub(crate) struct Alarm {
    sleeps_until: AtomicU64,
    /// When a timer fired last, and how long nobody wakes up for the next ones. Both are read as hints: they make a timer late, by the
    /// slack at most.
    fired: AtomicU64,
    slack: AtomicU64,
}

impl Alarm {
    /// With a slack of so many ticks.
    pub(crate) fn new(slack: u64) -> Self {
        Self { sleeps_until: AtomicU64::new(AWAKE), fired: AtomicU64::new(0), slack: AtomicU64::new(slack) }
    }

    pub(crate) fn slack(&self) -> u64 {
        self.slack.load(Ordering::Relaxed)
    }

    pub(crate) fn set_slack(&self, slack: u64) {
        self.slack.store(slack, Ordering::Relaxed);
    }

    /// Timers have fired, at `now`.
    pub(crate) fn fired(&self, now: u64) {
        self.fired.store(now, Ordering::Relaxed);
    }

    /// The next timer need not wait for others.
    pub(crate) fn forget_fired(&self) {
        self.fired.store(0, Ordering::Relaxed);
    }

    /// When the next timer may end a sleep: those that are due in between wait for one another.
    fn not_before(&self) -> u64 {
        match self.fired.load(Ordering::Relaxed) {
            0 => 0, // none yet
            fired => fired.saturating_add(self.slack()),
        }
    }

    /// Announces that the calling thread goes to sleep, and returns until when: `limit` or the first deadline of all
    /// `queues`, whichever comes first.
    ///
    /// The bound of a queue may be too low (its first timer was cancelled), which would end the sleep for nothing: the queue
    /// that decides is asked for its exact first deadline, and then the next.
    pub(crate) fn go_to_sleep<'a>(&self, queues: impl Iterator<Item = &'a Queue> + Clone, limit: u64) -> u64 {
        self.announce(limit);
        let lowest = || queues.clone().map(|queue| (queue.earliest(), queue)).min_by_key(|(bound, _)| *bound);
        // Once for each queue: others may cancel timers all the while, and a sleep that ends early does no harm.
        let mut refreshes = queues.clone();
        let until = loop {
            match lowest() {
                Some((bound, queue)) if bound < limit => {
                    if refreshes.next().is_none() || queue.refresh() <= bound {
                        break bound;
                    }
                }
                _ => break limit,
            }
        };
        // Relaxed: who reads the older, later instant rings once for nothing.
        self.sleeps_until.store(until, Ordering::Relaxed);
        until
    }

    /// After [`go_to_sleep`](Alarm::go_to_sleep) has said `until`: where that comes soon after timers have fired, sleeps longer, until the
    /// slack after those is over; but not so long that the deadline is late by more than the slack, nor beyond `limit`. Returns until when.
    pub(crate) fn sleep_longer(&self, until: u64, limit: u64) -> u64 {
        let longer = self.not_before().min(until.saturating_add(self.slack())).min(limit);
        if longer <= until {
            return until;
        }
        // Relaxed: who reads the older, earlier instant leaves alone what this sleep will see to.
        self.sleeps_until.store(longer, Ordering::Relaxed);
        longer
    }

    fn announce(&self, limit: u64) {
        self.sleeps_until.store(limit, Ordering::Relaxed);
        // ORDERING R6: SeqCst fence, between the announcement and the look at the queues' bounds. Pairs with that in `must_ring`.
        fence(Ordering::SeqCst);
    }

    /// The thread is awake: it looks at the queues before it sleeps again.
    pub(crate) fn wake_up(&self) {
        // Relaxed: who reads the announcement that it replaces rings once for nothing.
        self.sleeps_until.store(AWAKE, Ordering::Relaxed);
    }

    /// After the bound of a queue was lowered to `deadline`: returns true if the sleeping thread would miss it.
    #[must_use = "a sleeping thread must hear of an earlier deadline"]
    pub(crate) fn must_ring(&self, deadline: u64) -> bool {
        // ORDERING R6: SeqCst fence, between the lowered bound and the look at the announcement. Pairs with that in `announce`.
        fence(Ordering::SeqCst);
        deadline.max(self.not_before()) < self.sleeps_until.load(Ordering::Relaxed)
    }
}
