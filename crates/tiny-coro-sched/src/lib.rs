//! The scheduler core: M tasks (Rust futures) on N worker threads.
//!
//! A future does nothing by itself: somebody must poll it when it can go on. This crate keeps the futures (*tasks*), knows which
//! of them can go on, and has a few threads (*workers*) poll them, so that no worker idles while a task waits for one, and
//! none burns the processor when there is nothing to do.
//!
//! # Vocabulary
//!
//! * *task*: a spawned future and its state, in one allocation. *Woken*: it can go on. *Idle*: it waits to be woken.
//! * *worker*: a thread that polls tasks. It has a *deque*, from which others may *steal*, and a *LIFO slot* for the task woken last.
//! * *injector*: the queue for tasks that come from threads that are no workers.
//! * *searching*: without a task, looking at the other workers' queues. *Parked*: asleep.
//! * *driver*: the right to turn the reactor; one worker has it at a time.
//!
//! # The worker loop
//!
//! ```text
//!          ┌──────────────────────────────── poll the task ◀──────────────────────────────┐
//!          ▼                                                                               │
//!   every 61st poll: ask for I/O events without waiting; look into the injector first      │
//!          ▼                                                                               │
//!   LIFO slot (3 times in a row at most) → own deque → a share of the injector ── found ──▶┤
//!          ▼ nothing                                                                       │
//!   search, if fewer than half do: steal half of another deque → a LIFO slot → injector ──▶┘
//!          ▼ nothing
//!   park: publish, fence, look again everywhere; then sleep in the poller (if nobody has it) or in the parker
//! ```
//!
//! A wake inside a worker puts the task into that worker's LIFO slot: no lock, no other thread, nobody woken. The task that it displaces goes
//! to the deque, and if a worker is parked and none searches, one is woken. Wakes from the reactor go to the deque of the worker
//! that turned it, in the order of the events. A task that wakes itself while it runs goes to the back of the deque.
//!
//! # Protocols
//!
//! | protocol | where | in one line |
//! |---|---|---|
//! | task cell | `task` | every transition is one read-modify-write of one word, so a wake is never lost and the cell freed once |
//! | idle | `idle` | store-load with two fences: a task in a queue always has a worker on its way |
//! | a worker's sleep | `park` | one word says where it sleeps; an unpark ends that sleep or prevents it |
//! | deque | [`tiny_coro_deque`] | Chase-Lev; slots are atomic pointers, buffers are reclaimed through epochs |
//!
//! The orderings of what is not a file of its own:
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | L1 | the worker that takes a task from a LIFO slot sees it as its pusher left it, and nobody else takes it | `swap_lifo` (swap) | `take_lifo` | – |
//! | S1 | a worker that sees the end of the runtime sees what came before it; one that misses it is unparked | `begin_shutdown` (release, then unpark) | `Worker::run` | – |
//! | S2 | what is in the injector and the waiting lists is dropped after every worker has left and emptied its own queues | `Worker::drop` (acquire-release) | `Shared::finish` | – |
//!
//! # Fairness
//!
//! A task in the injector or an I/O event waits for at most 61 polls of a worker that is busy, a task in a deque for those before
//! it and for three LIFO wins each. A task whose sockets are always ready gives way after 128 operations. A poll is never
//! interrupted. While one computes for long, the others steal what is in that worker's deque; its LIFO slot waits, and so do I/O and
//! deadlines if that worker was the last to have the driver and all others are parked: use `spawn_blocking` for such work.
//!
//! # Panics
//!
//! A panic in a poll, a destructor or a blocking closure ends its task; the [`JoinError`] has the payload. The worker goes on.
//!
//! # Example
//!
//! ```
//! use tiny_coro_sched::{Runtime, spawn};
//!
//! let runtime = Runtime::builder().worker_threads(2).build()?;
//! let sum = runtime.block_on(async {
//!     let tasks: Vec<_> = (1..=10).map(|n| spawn(async move { n * n })).collect();
//!     let mut sum = 0;
//!     for task in tasks {
//!         sum += task.await.unwrap();
//!     }
//!     sum
//! });
//! assert_eq!(sum, 385);
//! println!("{}", runtime.metrics());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limits and non-goals
//!
//! 1 to [`MAX_WORKERS`] workers; 512 threads for blocking closures by default, whose queue has no limit. Tasks are `Send`. One
//! reactor a runtime.

mod block_on;
mod blocking;
mod builder;
mod context;
mod handle;
mod idle;
mod injector;
mod metrics;
#[cfg(all(test, tiny_coro_loom))]
mod model;
mod park;
mod runtime;
mod shared;
mod task;
mod time;
mod worker;
mod yield_now;

pub use builder::{Builder, MAX_WORKERS};
pub use context::EnterGuard;
pub use handle::{Handle, NoRuntime, spawn, spawn_blocking};
pub use metrics::{Metrics, WorkerMetrics};
pub use runtime::Runtime;
pub use task::{AbortHandle, JoinError, JoinHandle, TaskId};
pub use time::{Elapsed, Timeout, sleep, sleep_until, timeout, timeout_at};
pub use tiny_coro_reactor::Sleep;
pub use yield_now::{YieldNow, yield_now};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
