//! The watch: a thread that looks after workers that compute for long.
//!
//! A worker that polls one task for long looks after nothing else: neither the driver, if it was the last to have it, nor the task
//! in its LIFO slot, of which nobody was told. Workers that are parked don't know. So while any worker is awake the watch looks every
//! [`TICK`] whether each of them has polled something since. If one has not, and there is a task in any queue, or nobody is in the
//! driver, a parked worker is woken as for a push; so it is if tasks wait while the processors have time to spare; and beyond any limit, if it is that one's own queues that have a task. It searches
//! everywhere, LIFO slots too, and then sleeps in the driver if nobody else does. The watch also says how many workers a
//! push may find awake before it wakes no further one ([`idle`](crate::idle)). At rest the watch sleeps too, however long: the first
//! worker to wake wakes it.
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
use crate::threads;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
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
    let mut load = Load::new(shared.idle.parallelism());
    while !shared.is_shutting_down() {
        if !shared.idle.is_anybody_awake() {
            shared.idle.set_limit(0, true);
            shared.watch.sleep(parker, || shared.idle.is_anybody_awake() || shared.is_shutting_down());
            if shared.idle.is_anybody_awake() {
                load = Load::new(shared.idle.parallelism());
            }
            continue;
        }
        parker.park_timeout(TICK);
        let (mut stuck, mut is_held_up) = (0, false);
        for (remote, last) in shared.remotes.iter().zip(&mut polls) {
            let now = remote.counters.polls.get();
            if now == std::mem::replace(last, now) && remote.sleeper.place().is_none() {
                stuck += 1;
                is_held_up |= remote.has_work();
            }
        }
        let is_busy = load.is_busy();
        shared.idle.set_limit(stuck, is_busy);
        // Not `try_lock`: a worker that fails to get the driver because of it would sleep elsewhere, and nobody would be there.
        let driver_is_kept = || shared.remotes.iter().any(|remote| remote.sleeper.place() == Some(Place::Driver));
        let woken = if is_held_up {
            // Whoever else is awake may have enough of its own for ever.
            shared.idle.notify_beyond()
        } else if (shared.has_work() && (stuck > 0 || !is_busy)) || (stuck > 0 && !driver_is_kept()) {
            shared.idle.notify_one()
        } else {
            None
        };
        if let Some(worker) = woken {
            shared.unpark(worker);
            shared.long_polls.add_one();
        }
    }
}

/// Whether the processors have enough to do.
struct Load {
    parallelism: u32,
    /// The time, and what of the processors' the process has used, at the last look.
    last: (Instant, Duration),
    was_busy: bool,
}

impl Load {
    /// Counts as busy until two looks have said otherwise.
    fn new(parallelism: usize) -> Self {
        let parallelism = u32::try_from(parallelism).unwrap_or(u32::MAX);
        Self { parallelism, last: (Instant::now(), threads::process_time()), was_busy: true }
    }

    /// True if the process has used half of its processors since the last look or the one before.
    fn is_busy(&mut self) -> bool {
        if cfg!(tiny_coro_loom) {
            return true; // a checker's schedules do not depend on the machine
        }
        let (then, used) = std::mem::replace(&mut self.last, (Instant::now(), threads::process_time()));
        let (passed, used) = (self.last.0 - then, self.last.1.saturating_sub(used));
        let is_busy = 2 * used >= passed.saturating_mul(self.parallelism);
        std::mem::replace(&mut self.was_busy, is_busy) || is_busy
    }
}
