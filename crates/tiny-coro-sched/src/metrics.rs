//! Counters that show which mechanism does the work.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use tiny_coro_prim::CachePadded;

/// A counter that only its worker writes: a load and a store, no read-modify-write.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Called by the one thread that owns the counter.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.get() + n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A counter that any thread writes.
#[derive(Debug, Default)]
pub(crate) struct SharedCounter(CachePadded<AtomicU64>);

impl SharedCounter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $title:literal,)*) => {
        /// The counters of one worker.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Counter,)* }

        impl Counters {
            pub(crate) fn read(&self) -> WorkerMetrics {
                WorkerMetrics { $($name: self.$name.get(),)* deque_growths: 0, queued: 0 }
            }
        }

        /// What one worker has done since the runtime started.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct WorkerMetrics {
            $($(#[$doc])* pub $name: u64,)*
            /// How often its deque outgrew its buffer.
            pub deque_growths: u64,
            /// How many tasks are in its deque now.
            pub queued: u64,
        }

        impl WorkerMetrics {
            fn add(&mut self, other: &WorkerMetrics) {
                $(self.$name += other.$name;)*
                self.deque_growths += other.deque_growths;
                self.queued += other.queued;
            }

            fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$(($title, self.$name),)* ("deque growths", self.deque_growths), ("queued now", self.queued)]
            }
        }
    };
}

counters! {
    /// Tasks spawned on it; those of other threads, also of the one in `block_on`, are [`Metrics::remote_spawns`].
    spawns: "spawns",
    /// Tasks that ended on it: completed, panicked or cancelled.
    completions: "completions",
    /// Tasks polled.
    polls: "polls",
    /// Tasks that it pushed to its own queues: the LIFO slot or the deque.
    local_pushes: "local pushes",
    /// Tasks that it took from its LIFO slot.
    lifo_hits: "LIFO-slot hits",
    /// Searches through the other workers' queues.
    steal_tries: "steals tried",
    /// Searches that found something.
    steals: "steals won",
    /// Tasks that those brought.
    stolen_items: "tasks stolen",
    /// Tasks that it took from the injector.
    injector_pops: "injector pops",
    /// How often it went to sleep.
    parks: "parks",
    /// Workers that it woke.
    wakes_sent: "wakes sent",
    /// How often it asked the operating system for events, waiting or not.
    driver_polls: "driver polls",
}

/// What a runtime has done so far; from [`Runtime::metrics`](crate::Runtime::metrics).
///
/// The numbers are read one after the other while the workers run on, so they need not add up to the last unit.
/// `Display` gives a table for people.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// Worker by worker.
    pub workers: Vec<WorkerMetrics>,
    /// Tasks spawned by threads that are not workers of this runtime.
    pub remote_spawns: u64,
    /// Workers woken by threads that are not workers of this runtime.
    pub remote_wakes: u64,
    /// How often a worker was woken because another one was in a long poll.
    pub long_polls: u64,
    /// Tasks spawned and not yet completed.
    pub live_tasks: u64,
    /// Tasks in the injector now.
    pub injector_len: u64,
    /// Workers that sleep now.
    pub parked_workers: u64,
    /// Workers that search now.
    pub searching_workers: u64,
    /// Threads of the blocking pool, busy or idle.
    pub blocking_threads: u64,
    /// Closures that wait for a thread of the blocking pool.
    pub blocking_queued: u64,
    /// Sources registered with the reactor.
    pub io_sources: u64,
    /// Deadlines that the reactor waits for.
    pub sleeps: u64,
    /// Advances of the reclamation epoch, of the whole process.
    pub epoch_advances: u64,
}

impl Metrics {
    /// The sum over all workers.
    pub fn total(&self) -> WorkerMetrics {
        let mut total = WorkerMetrics::default();
        self.workers.iter().for_each(|worker| total.add(worker));
        total
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<16}", "")?;
        for index in 0..self.workers.len() {
            write!(f, "{:>14}", format!("worker {index}"))?;
        }
        writeln!(f, "{:>14}", "total")?;
        let columns: Vec<_> = self.workers.iter().map(WorkerMetrics::rows).collect();
        for (row, (title, total)) in self.total().rows().into_iter().enumerate() {
            write!(f, "{title:<16}")?;
            for column in &columns {
                write!(f, "{:>14}", column[row].1)?;
            }
            writeln!(f, "{total:>14}")?;
        }
        let (live, outside, injected) = (self.live_tasks, self.remote_spawns, self.injector_len);
        writeln!(f, "tasks: {live} live, {outside} spawned from outside, {injected} in the injector")?;
        writeln!(f, "workers: {} parked, {} searching", self.parked_workers, self.searching_workers)?;
        writeln!(f, "blocking pool: {} threads, {} queued", self.blocking_threads, self.blocking_queued)?;
        writeln!(f, "reactor: {} sources, {} deadlines", self.io_sources, self.sleeps)?;
        write!(
            f,
            "remote wakes: {}; wakes for long polls: {}; epoch advances: {}",
            self.remote_wakes, self.long_polls, self.epoch_advances
        )
    }
}
