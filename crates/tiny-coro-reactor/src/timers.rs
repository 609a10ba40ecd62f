//! The timers of one reactor: a shard for each thread that says which is its own, and what the shards have in common.

use crate::alarm::{Alarm, NEVER};
use crate::clock::{Clock, nanos};
use crate::queue::Queue;
use std::fmt;
use std::task::Waker;
use std::time::Duration;
use tiny_coro_prim::CachePadded;
use tiny_coro_prim::sync::Arc;

/// The [slack](crate::Reactor::set_timer_slack) of a new reactor: as late as Linux makes threads that sleep, unless they ask it not to.
pub const DEFAULT_TIMER_SLACK: Duration = Duration::from_micros(50);

/// The longest slack.
pub const MAX_TIMER_SLACK: Duration = Duration::from_secs(1);

/// What a [`Sleep`](crate::Sleep) holds on to.
///
/// Each shard has a reference count of its own, so that two threads that make and drop sleeps share no cache line.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) queue: Queue,
    pub(crate) hub: Arc<Hub>,
}

/// A shard as it is handed round.
pub(crate) type ShardRef = Arc<CachePadded<Shard>>;

/// What all shards of a reactor share: the time, and the way to the thread that turns it.
pub(crate) struct Hub {
    pub(crate) clock: Clock,
    pub(crate) alarm: CachePadded<Alarm>,
    waker: tiny_coro_poller::Waker,
}

impl Hub {
    /// Ends the wait of the thread that turns the reactor, or of the next one to do so.
    pub(crate) fn notify(&self) {
        if let Err(error) = self.waker.wake() {
            // An eventfd or user event that exists can always be triggered; there is nothing to fall back on.
            debug_assert!(false, "the poller's waker failed: {error}");
        }
    }
}

impl Shard {
    /// After the bound of this shard's queue was lowered to `deadline`: wakes the sleeping thread if it would miss that.
    pub(crate) fn lowered_to(&self, deadline: u64) {
        if self.hub.alarm.must_ring(deadline) {
            self.hub.notify();
        }
    }
}

/// Whose timers a thread lets fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    All,
    /// Those of one shard.
    Own(usize),
    /// Those of one shard, and of the others what has been due for the slack: their threads would rather do so themselves, but each may
    /// have no time.
    OwnAndOverdue(usize),
}

/// All shards.
#[derive(Debug)]
pub(crate) struct Timers {
    pub(crate) hub: Arc<Hub>,
    shards: Box<[ShardRef]>,
}

impl Timers {
    /// Makes `count` shards, at least one.
    pub(crate) fn new(count: usize, waker: tiny_coro_poller::Waker) -> Self {
        let hub = Arc::new(Hub {
            clock: Clock::new(),
            alarm: CachePadded::new(Alarm::new(nanos(DEFAULT_TIMER_SLACK))),
            waker,
        });
        let shard = || Arc::new(CachePadded::new(Shard { queue: Queue::new(), hub: hub.clone() }));
        Self { shards: (0..count.max(1)).map(|_| shard()).collect(), hub }
    }

    /// The shard with that number, counted round.
    pub(crate) fn shard(&self, index: usize) -> &ShardRef {
        &self.shards[index % self.shards.len()]
    }

    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    fn queues(&self) -> impl Iterator<Item = &Queue> + Clone {
        self.shards.iter().map(|shard| &shard.queue)
    }

    /// A bound on the first deadline of all; [`NEVER`] if there is none.
    pub(crate) fn earliest(&self) -> u64 {
        self.queues().map(Queue::earliest).min().unwrap_or(NEVER)
    }

    /// Announces a sleep until `limit`, and returns when it must end.
    pub(crate) fn go_to_sleep(&self, limit: u64) -> u64 {
        self.hub.alarm.go_to_sleep(self.queues(), limit)
    }

    /// Moves the wakers of the deadlines that have passed to `woken`. Without a timer it does not even look at the clock.
    pub(crate) fn expire(&self, whose: Whose, woken: &mut Vec<Waker>) {
        let earliest = match whose {
            Whose::Own(own) => self.shard(own).queue.earliest(),
            Whose::All | Whose::OwnAndOverdue(_) => self.earliest(),
        };
        if earliest == NEVER {
            return;
        }
        let (now, before) = (self.hub.clock.now(), woken.len());
        match whose {
            Whose::All => self.queues().for_each(|queue| queue.expire(now, woken)),
            Whose::Own(own) => self.shard(own).queue.expire(now, woken),
            Whose::OwnAndOverdue(own) => {
                self.shard(own).queue.expire(now, woken);
                let overdue = now.saturating_sub(self.hub.alarm.slack());
                self.queues().for_each(|queue| queue.expire(overdue, woken));
            }
        }
        if woken.len() > before && !self.hub.clock.is_paused() {
            self.hub.alarm.fired(now);
        }
    }

    /// Fires every timer, and hands out the deadline and the waker of each; none can be set from here on.
    pub(crate) fn shut(&self, mut fired: impl FnMut(u64, Waker)) {
        self.queues().for_each(|queue| queue.shut(&mut fired));
    }

    pub(crate) fn len(&self) -> usize {
        self.queues().map(Queue::len).sum()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("clock", &self.clock).field("alarm", &self.alarm).finish_non_exhaustive()
    }
}
