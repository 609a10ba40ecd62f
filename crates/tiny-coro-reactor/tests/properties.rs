#![cfg(not(tiny_coro_loom))]
//! Sleeps on a virtual clock against a plain list of deadlines, for any sequence of operations.

mod common;

use common::{Count, poll_once};
use proptest::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tiny_coro_reactor::{Reactor, Sleep};

const SHARDS: usize = 3;

#[derive(Clone, Debug)]
enum Operation {
    Sleep {
        shard: usize,
        nanos: u64,
    },
    Poll {
        which: usize,
    },
    PollElsewhere {
        which: usize,
    },
    Reset {
        which: usize,
        nanos: u64,
    },
    Drop {
        which: usize,
    },
    Advance {
        nanos: u64,
    },
    /// A turn that would sleep: the clock goes to the first deadline, or by `nanos`.
    Turn {
        nanos: u64,
    },
    /// A turn that would not.
    Look,
}

fn operation() -> impl Strategy<Value = Operation> {
    // Few different durations, so that deadlines meet; zero, and what no clock reaches.
    let nanos = || prop_oneof![8 => 0_u64..20, 1 => Just(u64::MAX), 1 => 0_u64..1_000_000_000_000];
    let which = 0_usize..64;
    prop_oneof![
        6 => (0..SHARDS, nanos()).prop_map(|(shard, nanos)| Operation::Sleep { shard, nanos }),
        6 => which.clone().prop_map(|which| Operation::Poll { which }),
        2 => which.clone().prop_map(|which| Operation::PollElsewhere { which }),
        3 => (which.clone(), nanos()).prop_map(|(which, nanos)| Operation::Reset { which, nanos }),
        3 => which.prop_map(|which| Operation::Drop { which }),
        2 => (0_u64..15).prop_map(|nanos| Operation::Advance { nanos }),
        2 => (1_u64..15).prop_map(|nanos| Operation::Turn { nanos }),
        1 => Just(Operation::Look),
    ]
}

/// One sleep, and what is known of it.
struct Known {
    sleep: Pin<Box<Sleep>>,
    deadline: Duration,
    wakes: Arc<Count>,
    waker: Waker,
    /// True from a poll that answered `Pending` until the wake that must follow.
    waiting: bool,
    expected: usize,
}

struct World {
    reactor: Reactor,
    start: Instant,
    now: Duration,
    sleeps: Vec<Known>,
}

impl World {
    fn new() -> Self {
        let reactor = Reactor::with_timer_shards(SHARDS).unwrap();
        reactor.pause();
        reactor.turn(Some(Duration::ZERO)).unwrap(); // hears of the pause
        Self { start: reactor.now(), reactor, now: Duration::ZERO, sleeps: Vec::new() }
    }

    fn at(&self, deadline: Duration) -> Instant {
        self.start.checked_add(deadline).unwrap_or_else(|| self.start + Duration::from_secs(86400 * 365 * 300))
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Sleep { shard, nanos } => self.sleep(shard, Duration::from_nanos(nanos)),
            Operation::Poll { which } => self.with(which, Known::poll),
            Operation::PollElsewhere { which } => self.with(which, |known, now| {
                (known.wakes, known.waker) = Count::new();
                known.expected = 0;
                known.poll(now);
            }),
            Operation::Reset { which, nanos } => {
                let deadline = self.now.saturating_add(Duration::from_nanos(nanos));
                let instant = self.at(deadline);
                self.with(which, |known, now| {
                    known.sleep.as_mut().reset(instant);
                    known.deadline = deadline;
                    if known.waiting && deadline <= now {
                        known.waiting = false;
                        known.expected += 1;
                    }
                });
            }
            Operation::Drop { which } => {
                if !self.sleeps.is_empty() {
                    let index = which % self.sleeps.len();
                    drop(self.sleeps.swap_remove(index));
                }
            }
            Operation::Advance { nanos } => {
                self.reactor.advance(Duration::from_nanos(nanos));
                self.pass(self.now + Duration::from_nanos(nanos));
            }
            Operation::Turn { nanos } => self.turn(Duration::from_nanos(nanos)),
            Operation::Look => {
                self.reactor.turn(Some(Duration::ZERO)).unwrap();
                self.pass(self.now);
            }
        }
        self.check();
    }

    fn sleep(&mut self, shard: usize, duration: Duration) {
        let _entered = self.reactor.enter_shard(shard);
        let (wakes, waker) = Count::new();
        self.sleeps.push(Known {
            sleep: Box::pin(self.reactor.sleep(duration)),
            deadline: self.now.saturating_add(duration),
            wakes,
            waker,
            waiting: false,
            expected: 0,
        });
    }

    fn with(&mut self, which: usize, action: impl FnOnce(&mut Known, Duration)) {
        if !self.sleeps.is_empty() {
            let index = which % self.sleeps.len();
            action(&mut self.sleeps[index], self.now);
        }
    }

    /// What is due already fires first, and no time passes then; a bound that is too low ends the wait early, never late.
    fn turn(&mut self, limit: Duration) {
        let due = self.sleeps.iter().any(|known| known.waiting && known.deadline <= self.now);
        let next = self.sleeps.iter().filter(|known| known.waiting).map(|known| known.deadline).min();
        let until = if due { self.now } else { next.unwrap_or(Duration::MAX).min(self.now + limit) };
        self.reactor.turn(Some(limit)).unwrap();
        self.pass(until);
    }

    fn pass(&mut self, now: Duration) {
        self.now = now;
        for known in &mut self.sleeps {
            if known.waiting && known.deadline <= now {
                known.waiting = false;
                known.expected += 1;
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.reactor.now(), self.start + self.now);
        for known in &self.sleeps {
            assert_eq!(known.wakes.get(), known.expected, "deadline {:?} at {:?}", known.deadline, self.now);
        }
        let waiting = self.sleeps.iter().filter(|known| known.waiting);
        assert_eq!(self.reactor.sleeps(), waiting.clone().count());
        let first = waiting.map(|known| known.deadline).min();
        if let Some(first) = first.filter(|first| *first < Duration::from_secs(1 << 30)) {
            assert!(self.reactor.next_deadline_hint().is_some_and(|hint| hint <= self.start + first));
        }
    }
}

impl Known {
    fn poll(&mut self, now: Duration) {
        let over = self.sleep.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready();
        assert!(!over || now >= self.deadline, "early");
        // Who is polled after the deadline, but was not yet reported, may still wait: the report is then to come.
        self.waiting = !over;
        if over {
            assert!(poll_once(&mut self.sleep).is_ready(), "not over any more");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// R5, R7: each sleep fires when the clock has come to its deadline, once for each wait, and never before.
    #[test]
    fn sleeps_are_as_a_list_of_deadlines(operations in prop::collection::vec(operation(), 1..120)) {
        let mut world = World::new();
        operations.into_iter().for_each(|operation| world.apply(operation));
        let reactor = world.reactor.clone();
        drop(world);
        prop_assert_eq!(reactor.sleeps(), 0);
    }
}
