//! How a runtime is to be: every limit has a name, a default and a setter.

use crate::blocking::{self, BlockingPool, Limits};
use crate::context;
use crate::handle::Handle;
use crate::panic::PanicPolicy;
use crate::runtime::Runtime;
use crate::shared::{Parts, Shared};
use crate::threads::{self, Hook, Threads};
use crate::watch::{self, Watch};
use crate::worker::{self, DEFAULT_INTERVAL, Intervals, Worker};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tiny_coro_parker::Parker;
use tiny_coro_reactor::{DEFAULT_TIMER_SLACK, MAX_TIMER_SLACK, Reactor};

/// The most worker threads that a runtime may have.
pub const MAX_WORKERS: usize = 1024;

/// Configures a [`Runtime`]; from [`Runtime::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    flavor: Flavor,
    worker_threads: Option<usize>,
    parallelism: Option<usize>,
    threads: Threads,
    max_blocking_threads: usize,
    blocking_queue_capacity: usize,
    blocking_keep_alive: Duration,
    intervals: Intervals,
    cpu_affinity: Vec<usize>,
    panic_policy: PanicPolicy,
    seed: Option<u64>,
    start_paused: bool,
    timer_slack: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavor {
    MultiThread,
    CurrentThread,
}

impl Builder {
    /// A runtime with worker threads; the same as [`Runtime::builder`].
    pub fn new_multi_thread() -> Self {
        Self::new(Flavor::MultiThread)
    }

    /// A runtime without threads for tasks: they run on the thread that is inside [`Runtime::block_on`], while it is. For tests, and
    /// for programs that are small or single-threaded anyway.
    pub fn new_current_thread() -> Self {
        Self::new(Flavor::CurrentThread)
    }

    fn new(flavor: Flavor) -> Self {
        Self {
            flavor,
            worker_threads: None,
            parallelism: None,
            threads: Threads { name: "tiny-coro".to_owned(), stack_size: None, on_start: None, on_stop: None },
            max_blocking_threads: blocking::DEFAULT_MAX_THREADS,
            blocking_queue_capacity: blocking::DEFAULT_QUEUE_CAPACITY,
            blocking_keep_alive: blocking::DEFAULT_KEEP_ALIVE,
            intervals: Intervals { injector: DEFAULT_INTERVAL, driver: DEFAULT_INTERVAL },
            cpu_affinity: Vec::new(),
            panic_policy: PanicPolicy::default(),
            seed: None,
            start_paused: false,
            timer_slack: DEFAULT_TIMER_SLACK,
        }
    }

    /// How many threads run tasks: 1 to [`MAX_WORKERS`]. Default: as many as the machine runs at once. A current-thread runtime has
    /// no use for it.
    pub fn worker_threads(&mut self, count: usize) -> &mut Self {
        self.worker_threads = Some(count);
        self
    }

    /// How many workers run tasks at once, at least 1, while the processors are busy and no poll is long. So it costs little to have more
    /// workers than processors, for tasks that block: the further ones are woken as soon as tasks wait beside a poll that has taken 5 to 10 ms, or
    /// while the process has used less than half of so many processors for as long. As many as there are workers: no such wait. Default: as
    /// many as the machine runs at once, or as the [`cpu_affinity`](Builder::cpu_affinity) names.
    pub fn parallelism(&mut self, workers: usize) -> &mut Self {
        self.parallelism = Some(workers);
        self
    }

    /// The name of the threads, without NUL. Default: `tiny-coro`. Operating systems show about 15 bytes of it.
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        self.threads.name = name.into();
        self
    }

    /// The stack of each thread, in bytes. Default: that of the standard library, 2 MiB.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.threads.stack_size = Some(bytes);
        self
    }

    /// What each thread of the runtime calls when it starts: workers, and threads for blocking closures. Default: nothing.
    pub fn on_thread_start(&mut self, hook: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.threads.on_start = Some(Hook::new(hook));
        self
    }

    /// What each thread of the runtime calls before it ends. Default: nothing.
    pub fn on_thread_stop(&mut self, hook: impl Fn() + Send + Sync + 'static) -> &mut Self {
        self.threads.on_stop = Some(Hook::new(hook));
        self
    }

    /// How many threads run blocking closures, at least 1. Default: 512. Further closures wait in a queue.
    pub fn max_blocking_threads(&mut self, count: usize) -> &mut Self {
        self.max_blocking_threads = count;
        self
    }

    /// How many blocking closures wait for a thread at most; one that comes when as many wait is refused
    /// ([`JoinError::is_refused`](crate::JoinError::is_refused)). 0 lets none wait. Default: 65,536.
    pub fn blocking_queue_capacity(&mut self, closures: usize) -> &mut Self {
        self.blocking_queue_capacity = closures;
        self
    }

    /// How long a thread for blocking closures stays without one. Default: 10 s.
    pub fn blocking_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.blocking_keep_alive = duration;
        self
    }

    /// After how many polls a worker that has tasks of its own looks into the injector first, at least 1. Default: 61.
    pub fn global_queue_interval(&mut self, polls: u32) -> &mut Self {
        self.intervals.injector = polls;
        self
    }

    /// After how many polls a worker that has tasks of its own asks for I/O events and deadlines, at least 1. Default: 61.
    pub fn event_interval(&mut self, polls: u32) -> &mut Self {
        self.intervals.driver = polls;
        self
    }

    /// For how long after timers have fired a sleeping worker does not wake up for further ones: those that come due meanwhile fire
    /// together, late by so much at most. A worker that is not asleep leaves the timers of others alone for as long. At most 1 s. Default: 50 µs.
    /// Zero turns it off, at the cost of more wake-ups where timers are closer together.
    pub fn timer_slack(&mut self, slack: Duration) -> &mut Self {
        self.timer_slack = slack;
        self
    }

    /// The processors that the workers stay on, by the operating system's numbers: worker *n* on the *n*-th of the list, which is gone
    /// through again if it is shorter. Default: empty, wherever they are sent.
    pub fn cpu_affinity(&mut self, processors: impl IntoIterator<Item = usize>) -> &mut Self {
        self.cpu_affinity = processors.into_iter().collect();
        self
    }

    /// What happens when a task panics, besides its [`JoinError`](crate::JoinError). Default: [`PanicPolicy::Log`].
    pub fn panic_policy(&mut self, policy: PanicPolicy) -> &mut Self {
        self.panic_policy = policy;
        self
    }

    /// Where the workers' random choices start: which other worker is looked at first for tasks. With one worker, or on the current
    /// thread, nothing is random. Default: another number for each runtime.
    pub fn seed(&mut self, seed: u64) -> &mut Self {
        self.seed = Some(seed);
        self
    }

    /// Has no effect: I/O and time are always there. For programs that come from tokio.
    pub fn enable_all(&mut self) -> &mut Self {
        self
    }

    /// Has no effect, as [`enable_all`](Builder::enable_all).
    pub fn enable_io(&mut self) -> &mut Self {
        self
    }

    /// Has no effect, as [`enable_all`](Builder::enable_all).
    pub fn enable_time(&mut self) -> &mut Self {
        self
    }

    /// Starts with a clock that stands, as after [`time::pause`](crate::time::pause): for tests of time, on a current-thread runtime.
    /// Default: false.
    pub fn start_paused(&mut self, paused: bool) -> &mut Self {
        self.start_paused = paused;
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, naming the option, for a value outside its limits; the operating system's, when it has no
    /// descriptors or threads left.
    pub fn build(&self) -> io::Result<Runtime> {
        let count = match (self.flavor, self.worker_threads) {
            (Flavor::CurrentThread, None) => 1,
            (_, Some(count)) => count,
            (_, None) => available_parallelism().min(MAX_WORKERS),
        };
        self.check(count)?;
        let queues: Vec<_> = (0..count).map(|_| (tiny_coro_deque::Worker::fifo(), Parker::new())).collect();
        let remotes = queues.iter().map(|(deque, parker)| (deque.stealer(), parker));
        let watch = Parker::new();
        let parts = Parts {
            reactor: Reactor::with_timer_shards(count)?,
            blocking: Arc::new(self.pool(self.max_blocking_threads)),
            spares: (self.flavor == Flavor::MultiThread).then(|| Arc::new(self.pool(usize::MAX))),
            watch: Watch::new(&watch),
            panic_policy: self.panic_policy.clone(),
            parallelism: self.parallelism.unwrap_or_else(|| self.processors()),
        };
        parts.reactor.set_timer_slack(self.timer_slack);
        if self.start_paused {
            parts.reactor.pause();
        }
        let shared = Shared::new(remotes, parts);
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(count));
        let workers = queues.into_iter().enumerate().map(|(index, (deque, parker))| {
            Box::new(Worker::new(shared.clone(), index, deque, parker, self.intervals, seed))
        });
        self.start(&Handle { shared: shared.clone() }, workers, watch)
    }

    /// How many workers the machine runs at once.
    fn processors(&self) -> usize {
        let wanted: HashSet<_> = self.cpu_affinity.iter().collect();
        if wanted.is_empty() { available_parallelism() } else { wanted.len() }
    }

    fn pool(&self, max_threads: usize) -> BlockingPool {
        BlockingPool::new(Limits {
            max_threads,
            queue_capacity: self.blocking_queue_capacity,
            keep_alive: self.blocking_keep_alive,
            threads: self.threads.clone(),
        })
    }

    fn check(&self, workers: usize) -> io::Result<()> {
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if !(1..=MAX_WORKERS).contains(&workers) {
            return refuse(format!("worker_threads is {workers}: it must be from 1 to {MAX_WORKERS}"));
        }
        if self.flavor == Flavor::CurrentThread && workers != 1 {
            return refuse(format!("worker_threads is {workers}: a current-thread runtime has no worker threads"));
        }
        if self.parallelism == Some(0) {
            return refuse("parallelism is 0: it must be at least 1".to_owned());
        }
        if self.timer_slack > MAX_TIMER_SLACK {
            let (slack, most) = (self.timer_slack, MAX_TIMER_SLACK);
            return refuse(format!("timer_slack is {slack:?}: it must be at most {most:?}"));
        }
        if self.threads.name.contains('\0') {
            return refuse("thread_name contains a NUL".to_owned());
        }
        if self.max_blocking_threads == 0 {
            return refuse("max_blocking_threads is 0: it must be at least 1".to_owned());
        }
        if self.intervals.injector == 0 {
            return refuse("global_queue_interval is 0: it must be at least 1".to_owned());
        }
        if self.intervals.driver == 0 {
            return refuse("event_interval is 0: it must be at least 1".to_owned());
        }
        if self.start_paused && self.flavor == Flavor::MultiThread {
            return refuse("start_paused is set: only the clock of a current-thread runtime can stand".to_owned());
        }
        self.check_affinity()
    }

    fn check_affinity(&self) -> io::Result<()> {
        let Some(&first) = self.cpu_affinity.first() else { return Ok(()) };
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if self.flavor == Flavor::CurrentThread {
            return refuse(format!(
                "cpu_affinity names processor {first}: a current-thread runtime has no worker threads"
            ));
        }
        let processors = threads::processors().unwrap_or_default();
        match self.cpu_affinity.iter().find(|wanted| !processors.contains(wanted)) {
            None => Ok(()),
            Some(other) => refuse(format!("cpu_affinity names processor {other}: this process may use {processors:?}")),
        }
    }

    fn start(
        &self,
        handle: &Handle,
        mut workers: impl ExactSizeIterator<Item = Box<Worker>>,
        watch: Parker,
    ) -> io::Result<Runtime> {
        if self.flavor == Flavor::CurrentThread {
            let worker = workers.next().expect("a current-thread runtime has one worker");
            return Ok(Runtime::current_thread(handle.clone(), worker));
        }
        let mut runtime = Runtime::multi_thread(handle.clone(), Vec::with_capacity(workers.len() + 1));
        let mut failed = None;
        if workers.len() > 1 {
            // One worker has nobody who could do its work meanwhile.
            match watch::start(self.threads.builder("-watch"), handle.shared.clone(), watch) {
                Ok(thread) => runtime.add_thread(thread),
                Err(error) => failed = Some(error),
            }
        }
        for worker in workers {
            if failed.is_some() {
                continue; // dropping a worker takes it out of the runtime, as the end of its loop would
            }
            match self.start_worker(handle.clone(), worker) {
                Ok(thread) => runtime.add_thread(thread),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(runtime),
            Some(error) => Err(error), // dropping the runtime ends the workers that did start
        }
    }

    fn start_worker(&self, handle: Handle, worker: Box<Worker>) -> io::Result<thread::JoinHandle<()>> {
        let index = worker.index();
        let processor = self.cpu_affinity.get(index % self.cpu_affinity.len().max(1)).copied();
        self.threads.start(&format!("-{index}"), move || {
            if let Some(processor) = processor {
                threads::stay_on(processor);
            }
            threads::sleep_precisely();
            let _entered = context::enter(&handle);
            drop(handle);
            worker::run(worker);
        })
    }
}

fn available_parallelism() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
