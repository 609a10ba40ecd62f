//! Who sleeps, who searches, and whom a push wakes: the idle protocol.
//!
//! A worker is *busy*, *searching* (it has no task and looks at other queues) or *parked*. Workers and pushers meet in a
//! store-load pattern, each writing its own side before it reads the other's:
//!
//! ```text
//!   push                                   park, or end of a search
//!   1. put the task into a queue           a. change the counts (parked: and enter the sleepers)
//!   2. fence(SeqCst)                       b. fence(SeqCst)
//!   3. read the counts:                    c. look into every queue:
//!      nobody searching, fewer than the       a task there: parked → stay awake, if nobody searches;
//!      limit awake → wake one                               searching → wake another
//! ```
//!
//! A task that its own worker takes next, because nothing is before it and the poll is over, is no push in this sense: that worker is on
//! its way.
//!
//! The two fences are totally ordered. If 2 comes before b, then c sees the task. If b comes before 2, then 3 sees the
//! counts without this worker among the awake or searching. So below the limit a task is never in a queue with nobody on the way to it.
//!
//! A worker that parks and sees a task may sleep all the same while another one searches (it might not search itself, and would come
//! round again and again while the searcher waits for a processor). For the search ends after this worker's fence, with a b and a c
//! of its own. If 2 comes before that b, the searcher sees the task; if after, 3 sees that the search is over, and this worker
//! parked, whose own b came earlier still: else its look at the counts had found the search ended.
//!
//! # The limit
//!
//! While the processors are busy, it is as many workers as there are of them. Waking a further one would bring no task forward: it only takes
//! its processor away from a worker that has the task's queue, and who is about to look there or to let itself be stolen from. But a worker
//! that is awake may be in a long poll, or be blocked in one after the other. So the [`watch`](crate::watch) looks at each of them every
//! few milliseconds. There is no limit while the process uses less than half of its processors; those that have polled nothing since the
//! last look are counted twice on top of it; and what lies in the queues of one of these gets a worker beyond any limit. So where
//! two workers on two processors are blocked, four more may wake after two looks, and twelve after the next. A limit that is read too
//! low, in between, costs another look.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | I1 | a task that is pushed to a deque or the injector while no worker searches and fewer than the limit are awake gets a worker woken | `notify_one` (fence) against `park`, `end_search` (fence) | every such push | `push_against_park`, `last_searcher_hands_on`, `stolen_tasks_are_seen`, `inject_against_park`, `deque_push_against_park`, `push_against_park_at_the_limit` |
//! | I2 | the sleepers' list and the counts agree under the list's mutex | `park`, `leave`, `notify_one` | `awake` as a quick "nobody parked" | `idle_set_against_count`, `two_workers_park_and_leave` |
//! | I3 | a worker that `notify_one` took from the list is counted as awake and searching, and gets one unpark | `notify_one`, `leave` | `Worker::park` | `idle_set_against_count`, `two_pushes_choose_one_sleeper` |
//! | I4 | a task that is pushed while as many as the limit are awake is taken by one of them, or its worker is in a long poll and the watch wakes another | I1 for those that park; `set_limit`, `notify_beyond`, `watch::run` | every such push | `stuck_worker_at_the_limit`, `polls_meet_beyond_the_processors` |

use tiny_coro_prim::atomic::{AtomicUsize, Ordering, fence};
use tiny_coro_prim::sync::Mutex;

/// One worker that searches; the low half of the counts.
const SEARCHING: usize = 1;
/// One worker that is not parked; the high half.
const AWAKE: usize = 1 << (usize::BITS / 2);

/// The counts and the list of parked workers.
#[derive(Debug)]
pub(crate) struct Idle {
    counts: AtomicUsize,
    sleepers: Mutex<Vec<usize>>,
    workers: usize,
    /// How many workers run at once, while none is stuck; at most all.
    parallelism: usize,
    /// How many may be awake before a push wakes nobody; at most all.
    limit: AtomicUsize,
}

impl Idle {
    /// All `workers` are awake, none searches.
    pub(crate) fn new(workers: usize, parallelism: usize) -> Self {
        let parallelism = parallelism.min(workers);
        Self {
            counts: AtomicUsize::new(workers * AWAKE),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            workers,
            parallelism,
            limit: AtomicUsize::new(parallelism),
        }
    }

    pub(crate) fn parallelism(&self) -> usize {
        self.parallelism
    }

    /// `stuck` workers are awake and get nothing done; the processors are busy, or not.
    pub(crate) fn set_limit(&self, stuck: usize, busy: bool) {
        let limit = if busy { (self.parallelism + 2 * stuck).min(self.workers) } else { self.workers };
        // Relaxed: who reads an older one wakes a worker too many, or leaves it to the watch's next look (I4).
        if limit != self.limit.load(Ordering::Relaxed) {
            self.limit.store(limit, Ordering::Relaxed);
        }
    }

    /// After a push: picks the worker that the caller must unpark, if one has to be woken. It counts as searching from here on.
    #[must_use = "the worker that is returned counts as awake and must be unparked"]
    pub(crate) fn notify_one(&self) -> Option<usize> {
        self.notify(|| self.limit.load(Ordering::Relaxed))
    }

    /// As [`notify_one`](Idle::notify_one), for what nobody who is awake can be counted on to come to.
    #[must_use = "the worker that is returned counts as awake and must be unparked"]
    pub(crate) fn notify_beyond(&self) -> Option<usize> {
        self.notify(|| self.workers)
    }

    fn notify(&self, limit: impl Fn() -> usize) -> Option<usize> {
        // ORDERING I1: SeqCst fence between the push and the read of the counts. Pairs with the fence in `look_again`.
        fence(Ordering::SeqCst);
        let is_needed = || {
            let now = self.counts.load(Ordering::Relaxed);
            now.is_multiple_of(AWAKE) && now / AWAKE < limit()
        };
        if !is_needed() {
            return None;
        }
        let mut sleepers = self.sleepers.lock();
        if !is_needed() {
            return None;
        }
        let worker = sleepers.pop()?;
        // ORDERING I2: relaxed. Under the mutex, like every change of AWAKE.
        self.counts.fetch_add(AWAKE + SEARCHING, Ordering::Relaxed);
        Some(worker)
    }

    /// A worker without a task wants to search. False if half of the workers do already.
    pub(crate) fn begin_search(&self) -> bool {
        let now = self.counts.load(Ordering::Relaxed);
        if 2 * (now % AWAKE) >= self.workers {
            return false;
        }
        // Relaxed: becoming a searcher publishes nothing. The limit may be passed by a race; it is there to save work only.
        self.counts.fetch_add(SEARCHING, Ordering::Relaxed);
        true
    }

    /// A searcher has found a task. Returns true if it was the last one: it looks once more (`look_again`) and hands on.
    #[must_use = "the last searcher hands on"]
    pub(crate) fn end_search(&self) -> bool {
        // ORDERING I1: release. Pairs with the fence in `look_again`: whoever ends or parks after this one, and looks again, sees
        // what it stole into its own deque.
        self.counts.fetch_sub(SEARCHING, Ordering::Release) % AWAKE == 1
    }

    /// Enters `worker` among the sleepers. It looks again (`look_again`) before it sleeps.
    pub(crate) fn park(&self, worker: usize, searching: bool) {
        let mut sleepers = self.sleepers.lock();
        sleepers.push(worker);
        // ORDERING I1, I2: relaxed. Under the mutex, like every change of AWAKE. A worker that parks has nothing to publish; what it
        // reads here it acquires by the fence in `look_again`.
        self.counts.fetch_sub(AWAKE + usize::from(searching) * SEARCHING, Ordering::Relaxed);
    }

    /// The other half of I1: between a change of the counts and the look into the queues.
    pub(crate) fn look_again(&self) {
        // ORDERING I1: SeqCst fence. Pairs with the fence in `notify_one`.
        fence(Ordering::SeqCst);
    }

    /// `worker` is awake again. Returns true if it counts as searching, because `notify_one` chose it.
    pub(crate) fn leave(&self, worker: usize) -> bool {
        let mut sleepers = self.sleepers.lock();
        let Some(position) = sleepers.iter().position(|&sleeper| sleeper == worker) else {
            return true; // I3
        };
        sleepers.swap_remove(position);
        // ORDERING I2: relaxed. Under the mutex, like every change of AWAKE.
        self.counts.fetch_add(AWAKE, Ordering::Relaxed);
        false
    }

    /// True if some worker searches. After `look_again`: whatever this worker has seen in a queue, that one comes to, or hands on.
    pub(crate) fn is_anybody_searching(&self) -> bool {
        !self.counts.load(Ordering::Relaxed).is_multiple_of(AWAKE)
    }

    /// True unless every worker is parked.
    pub(crate) fn is_anybody_awake(&self) -> bool {
        self.counts.load(Ordering::Relaxed) >= AWAKE
    }

    /// How many workers are parked and how many search, for people to read.
    pub(crate) fn snapshot(&self) -> (usize, usize) {
        let now = self.counts.load(Ordering::Relaxed);
        (self.workers - now / AWAKE, now % AWAKE)
    }
}
