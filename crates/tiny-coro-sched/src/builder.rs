//! How a runtime is to be: every limit has a name, a default and a setter.

use crate::blocking::{self, BlockingPool, Limits};
use crate::context;
use crate::handle::Handle;
use crate::runtime::Runtime;
use crate::shared::Shared;
use crate::worker::{DEFAULT_INTERVAL, Intervals, Worker};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tiny_coro_parker::Parker;
use tiny_coro_reactor::Reactor;

/// The most worker threads that a runtime may have.
pub const MAX_WORKERS: usize = 1024;

/// Configures a [`Runtime`]; from [`Runtime::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    worker_threads: Option<usize>,
    thread_name: String,
    thread_stack_size: Option<usize>,
    max_blocking_threads: usize,
    blocking_keep_alive: Duration,
    intervals: Intervals,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            worker_threads: None,
            thread_name: "tiny-coro".to_owned(),
            thread_stack_size: None,
            max_blocking_threads: blocking::DEFAULT_MAX_THREADS,
            blocking_keep_alive: blocking::DEFAULT_KEEP_ALIVE,
            intervals: Intervals { injector: DEFAULT_INTERVAL, driver: DEFAULT_INTERVAL },
        }
    }

    /// How many threads run tasks: 1 to [`MAX_WORKERS`]. Default: as many as the machine runs at once.
    pub fn worker_threads(&mut self, count: usize) -> &mut Self {
        self.worker_threads = Some(count);
        self
    }

    /// The name of the threads, without NUL. Default: `tiny-coro`. Operating systems show about 15 bytes of it.
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        self.thread_name = name.into();
        self
    }

    /// The stack of each thread, in bytes. Default: that of the standard library, 2 MiB.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.thread_stack_size = Some(bytes);
        self
    }

    /// How many threads run blocking closures, at least 1. Default: 512. Further closures wait in a queue.
    pub fn max_blocking_threads(&mut self, count: usize) -> &mut Self {
        self.max_blocking_threads = count;
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

    /// Starts the runtime.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, naming the option, for a value outside its limits; the operating system's, when it has no
    /// descriptors or threads left.
    pub fn build(&self) -> io::Result<Runtime> {
        let count = match self.worker_threads {
            Some(count) => count,
            None => thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS),
        };
        self.check(count)?;
        let pool = Arc::new(BlockingPool::new(Limits {
            max_threads: self.max_blocking_threads,
            keep_alive: self.blocking_keep_alive,
            thread_name: format!("{}-blocking", self.thread_name),
            stack_size: self.thread_stack_size,
        }));
        let queues: Vec<_> = (0..count).map(|_| (tiny_coro_deque::Worker::fifo(), Parker::new())).collect();
        let remotes = queues.iter().map(|(deque, parker)| (deque.stealer(), parker));
        let shared = Shared::new(remotes, Reactor::new()?, pool);
        let workers = queues
            .into_iter()
            .enumerate()
            .map(|(index, (deque, parker))| Worker::new(shared.clone(), index, deque, parker, self.intervals));
        self.start(Handle { shared: shared.clone() }, workers)
    }

    fn check(&self, workers: usize) -> io::Result<()> {
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if !(1..=MAX_WORKERS).contains(&workers) {
            return refuse(format!("worker_threads is {workers}: it must be from 1 to {MAX_WORKERS}"));
        }
        if self.thread_name.contains('\0') {
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
        Ok(())
    }

    fn start(&self, handle: Handle, workers: impl ExactSizeIterator<Item = Worker>) -> io::Result<Runtime> {
        let mut runtime = Runtime::from_parts(handle.clone(), Vec::with_capacity(workers.len()));
        let mut failed = None;
        for worker in workers {
            if failed.is_some() {
                continue; // dropping a worker takes it out of the runtime, as the end of its loop would
            }
            let mut builder = thread::Builder::new().name(format!("{}-{}", self.thread_name, worker.index()));
            if let Some(size) = self.thread_stack_size {
                builder = builder.stack_size(size);
            }
            let handle = handle.clone();
            let started = builder.spawn(move || {
                let _entered = context::enter(&handle);
                drop(handle);
                worker.run();
            });
            match started {
                Ok(thread) => runtime.add_thread(thread),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(runtime),
            Some(error) => Err(error), // dropping the runtime ends the workers that did start
        }
    }
}
