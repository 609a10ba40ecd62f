//! The watch: a thread that looks after workers that compute for long.
//!
//! A worker that polls one task for long looks after nothing else: neither the driver, if it was the last to have it, nor the task
//! in its LIFO slot, of which nobody was told. Workers that are parked don't know. So while any worker is awake the watch looks every
//! [`TICK`] whether each of them has polled something since; if one has not, and somebody is parked, that one is woken as for a
//! push: it searches everywhere, LIFO slots too, and then sleeps in the driver if nobody else does. And as many more workers may be
//! awake as there are processors, and twice those that get nothing done ([`idle`](crate::idle)). At rest the watch sleeps too, however
//! long: the first worker to wake wakes it.
//!
//! ```text
//!   watch                                  worker, after a sleep
//!   1. asleep = true                       a. count as awake (Idle::leave, or who woke it)
//!   2. fence(SeqCst)                       b. fence(SeqCst)
//!   3. anybody awake? stay awake           c. asleep? unpark the watch
//! ```
//!
//! The two fences are totally ordered: if 2 comes first, c sees that the watch sleeps; otherwise 3 sees the worker.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | W1 | while a worker is awake, the watch is awake or has been unparked | the two fences | fairness: no long poll holds up what others could do | `watch_against_wake`, `watch_against_push`, `watch_against_a_park_that_is_called_off` |

use crate::park::Place;
use crate::shared::Shared;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tiny_coro_parker::{Parker, Unparker};
use tiny_coro_prim::atomic::{AtomicBool, Ordering, fence};

/// How often the watch looks while a worker is awake. A poll counts as long after one to two of these.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// What the workers see of the watch.
pub(crate) struct Watch {
    asleep: AtomicBool,
    unparker: Unparker,
}

impl Watch {
    pub(crate) fn new(parker: &Parker) -> Self {
        Self { asleep: AtomicBool::new(false), unparker: parker.unparker() }
    }

    /// Steps b and c: a worker that counts as awake has ended its sleep.
    pub(crate) fn worker_woke(&self) {
        // ORDERING W1: SeqCst fence between the change of the counts and this read. Pairs with the fence in `sleep`.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) {
            self.unparker.unpark();
        }
    }

    /// Steps 1 to 3: sleeps unless somebody is awake.
    pub(crate) fn sleep(&self, parker: &Parker, is_anybody_awake: impl Fn() -> bool) {
        self.asleep.store(true, Ordering::Relaxed);
        // ORDERING W1: SeqCst fence between this store and the look at the counts. Pairs with the fence in `worker_woke`.
        fence(Ordering::SeqCst);
        if !is_anybody_awake() {
            parker.park();
        }
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Ends its sleep, whatever kind it is.
    pub(crate) fn unpark(&self) {
        self.unparker.unpark();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("asleep", &self.asleep.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

/// Starts the watch of `shared`.
pub(crate) fn start(
    builder: thread::Builder,
    shared: Arc<Shared>,
    parker: Parker,
) -> io::Result<thread::JoinHandle<()>> {
    builder.spawn(move || run(&shared, &parker))
}

/// What its thread does until the runtime ends.
pub(crate) fn run(shared: &Shared, parker: &Parker) {
    let mut polls = vec![0; shared.remotes.len()];
    while !shared.is_shutting_down() {
        if !shared.idle.is_anybody_awake() {
            shared.idle.set_stuck(0);
            shared.watch.sleep(parker, || shared.idle.is_anybody_awake() || shared.is_shutting_down());
            continue;
        }
        parker.park_timeout(TICK);
        let mut stuck = 0;
        for (remote, last) in shared.remotes.iter().zip(&mut polls) {
            let now = remote.counters.polls.get();
            stuck += usize::from(now == std::mem::replace(last, now) && remote.sleeper.place().is_none());
        }
        shared.idle.set_stuck(stuck);
        // Not `try_lock`: a worker that fails to get the driver because of it would sleep elsewhere, and nobody would be there.
        let driver_is_kept = || shared.remotes.iter().any(|remote| remote.sleeper.place() == Some(Place::Driver));
        if stuck > 0 && (shared.has_work() || !driver_is_kept()) && shared.notify_one() {
            shared.long_polls.add_one();
        }
    }
}
