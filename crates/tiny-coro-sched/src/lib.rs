//! The scheduler core: M tasks (Rust futures) on N worker threads.
//!
//! A future does nothing by itself: somebody must poll it when it can go on. This crate keeps the futures (*tasks*), knows which
//! of them can go on, and has a few threads (*workers*) poll them, so that no processor idles while a task waits for one, and
//! none is burnt when there is nothing to do.
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
//!   every 61st poll: ask for I/O events without waiting, and what time it is if a timer    │
//!   is set; look into the injector first                                                    │
//!          ▼                                                                               │
//!   LIFO slot (3 times in a row at most) → own deque → a share of the injector ── found ──▶┤
//!          ▼ nothing                                                                       │
//!   search, if fewer than half do: steal half of another deque → a LIFO slot → injector ──▶┘
//!          ▼ nothing
//!   park: publish, fence, look again everywhere; then sleep in the poller (if nobody has it) or in the parker
//! ```
//!
//! A spawn or a wake inside a worker puts the task into that worker's LIFO slot: no lock, no other thread, nobody woken. The task that it displaces goes
//! to the deque, and if a worker is parked, none searches, and fewer are awake than the limit, one is woken. (The limit is the number of processors while they are busy, and
//! more where workers are in long polls: see the page of `idle`.) Wakes from the reactor go to the deque of the worker
//! that turned it, in the order of the events; each worker fires the timers that were set on it, so that what they wake stays there,
//! unless it computes or sleeps when they are due. A task that wakes itself while it runs goes to the back of the deque.
//!
//! A *current-thread* runtime ([`Builder::new_current_thread`]) has one worker and no thread for it: whoever calls
//! [`Runtime::block_on`] lends it one, and polls the main future between the tasks. It uses no LIFO slot: its tasks run in the order in which they
//! were spawned or woken.
//!
//! # A task's states
//!
//! ```text
//!            spawn                start                    Ready, panic, cancelled
//!              │      ┌────────────────────────▶ RUNNING ─────────────────────────▶ COMPLETE
//!              ▼      │                            │  │                                │
//!          SCHEDULED ─┘                    Pending │  │ Pending, woken meanwhile       │ the join handle takes the output,
//!              ▲  ▲                                ▼  │                                │ or is gone: it is dropped
//!              │  └──────────── wake, abort ──── idle │                                ▼
//!              └──────────────────────────────────────┘                               (freed with the last reference)
//! ```
//!
//! # Protocols
//!
//! | protocol | where | in one line |
//! |---|---|---|
//! | task cell | [`task`] | every transition is one read-modify-write of one word, so a wake is never lost and the cell freed once |
//! | idle | `idle` | store-load with two fences: a task in a queue has a worker on its way, or the processors are busy |
//! | a worker's sleep | `park` | one word says where it sleeps; an unpark ends that sleep or prevents it |
//! | injector | `injector` | a stack for those who push, a list for those who pop; the one becomes the other |
//! | the watch | `watch` | wakes a worker for what another one, deep in a long poll, leaves undone |
//! | hand-over | `worker::handover` | a thread that is about to block offers its worker to another, and takes it back if nobody came |
//! | deque | [`tiny_coro_deque`] | Chase-Lev; slots are atomic, buffers are reclaimed through epochs |
//! | task memory | `task::memory` | free cells stay with the thread that freed them, and go round through a depot |
//!
//! The orderings of what is not a file of its own:
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | L1 | the worker that takes a task from a LIFO slot sees it as its pusher left it, and nobody else takes it | `swap_lifo` (swap) | `take_lifo` | `lifo_swap_against_steal`, `lifo_take_against_steal` |
//! | S1 | a worker that sees the end of the runtime sees what came before it; one that misses it is unparked | `begin_shutdown` (release, then unpark) | `Worker::next_step` | `shutdown_against_park`, `shutdown_publishes` |
//! | S2 | what is in the injector and the waiting lists is dropped after every worker has left and emptied its own queues | `Worker::drop` (acquire-release) | `Shared::finish` | `last_worker_drops_what_is_left`, `shutdown_against_inject` |
//!
//! # Fairness, in numbers
//!
//! With the defaults ([`global_queue_interval`](Builder::global_queue_interval) and [`event_interval`](Builder::event_interval) 61), counted in
//! polls of one worker, none of which is ever interrupted:
//!
//! | a task that | is polled after at most |
//! |---|---|
//! | was pushed to a deque behind *n* others | 4 (*n* + 1) · 61 / 60 + 1 polls: each of the *n* + 1 comes after 3 wins of the LIFO slot, which makes 4 polls; of 61 polls 60 are theirs, the other is the injector's; and one may be under way |
//! | was put into a LIFO slot | 2 polls: one under way, and the injector's; or, if another task is put there first, as one in a deque |
//! | came from outside, behind *n* others in the injector | 61 (*n* + 1) polls of any one worker, however many tasks that has of its own |
//! | waits for an I/O event that has come | 61 polls until somebody asks for it, then as one in a deque |
//! | waits for a deadline that has come | the same; up to 50 µs later ([`timer_slack`](Builder::timer_slack)) if the timer was set on another worker, or others fired just before everybody slept |
//! | has sockets, channels, locks or tasks to join that are always ready | gives way to others after 128 operations (the [budget](task::coop)) |
//!
//! And if a worker is in one poll for long: what is in its deque the others steal as ever. After 5 to 10 ms the watch wakes a parked
//! worker, which takes what is in its queues, and the driver if nobody has that, and lets more workers run at once than there are processors
//! ([`parallelism`](Builder::parallelism)). So a long poll holds up what it does itself, and nothing else, as long as some worker is free.
//! Where none is, use [`spawn_blocking`] or [`block_in_place`].
//!
//! `tests/fairness.rs` holds this against tasks that wake themselves and a ping-pong, counting polls, and against floods from outside and of
//! I/O and a poll that does not end, by everybody's progress.
//!
//! # At rest
//!
//! A runtime without anything to do makes no system call and wakes no thread: one worker is in the poller, the others in their parkers, and
//! the watch sleeps until a worker wakes. A single push from outside wakes one worker. Searching is bounded to half of the workers, and the
//! last searcher that finds something wakes the next, so load spreads one by one.
//!
//! # What it costs
//!
//! On a 2-core x86-64 machine, about: 45 to 190 ns to spawn a task from a task and have it run, 220 ns from a thread outside, 25 ns a yield, each
//! among thousands of its kind (`cargo xtask bench sched`). A task takes 72 bytes and its future, in one block of 80, 96, 112, … 512 bytes, or of
//! its own size above that.
//!
//! # Panics
//!
//! A panic in a poll, a destructor or a blocking closure ends its task; the [`JoinError`] has the payload, and a [`PanicPolicy`] may do more.
//! The worker goes on.
//!
//! # The end
//!
//! Dropping a [`Runtime`] stops the workers at their next suspension point and drops every future, each once; on one of its own threads it does
//! not wait. [`Runtime::shutdown`] lets tasks end by themselves up to a deadline, and returns a [`Report`] of those that did not: id, name,
//! where they were spawned, what they waited for.
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
//! 1 to [`MAX_WORKERS`] workers; 512 threads for blocking closures and a queue of 65,536 by default, beyond which a closure is refused with an
//! error. Tasks are `Send`; those that are not go into a [`task::LocalSet`]. One reactor a runtime.

mod block_on;
mod blocking;
mod builder;
mod context;
mod current;
mod handle;
mod idle;
mod injector;
mod metrics;
#[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]
mod model;
mod panic;
mod park;
mod report;
mod runtime;
#[cfg(all(test, tiny_coro_shuttle))]
mod scenario;
mod schedule;
mod shared;
pub mod task;
mod threads;
pub mod time;
mod watch;
mod worker;
mod yield_now;

pub use builder::{Builder, MAX_WORKERS};
pub use context::EnterGuard;
pub use handle::{Handle, NoRuntime, spawn, spawn_blocking};
pub use metrics::{Metrics, WorkerMetrics};
pub use panic::{PanicPolicy, TaskPanic};
pub use report::{LiveTask, Report, Wait};
pub use runtime::{Runtime, STOP_LIMIT};
pub use task::{AbortHandle, JoinError, JoinHandle, TaskId};
pub use time::{Elapsed, Sleep, Timeout, sleep, sleep_until, timeout, timeout_at};
pub use worker::block_in_place;
pub use yield_now::{YieldNow, yield_now};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
