//! An M:N asynchronous runtime that can be taken apart.
//!
//! M coroutines (Rust futures) run on N worker threads. Each mechanism that makes this work is a crate of its own, and
//! this one puts them together; it has no mechanism itself.
//!
//! | you want | look at |
//! |---|---|
//! | to start, spawn, await | [`#[main]`](macro@main), [`Runtime`], [`spawn`], [`JoinHandle`], [`block_on`] |
//! | tasks in groups, tasks that are not `Send` | [`task`]: `JoinSet`, `scope`, `LocalSet` |
//! | a blocking call | [`spawn_blocking`], [`block_in_place`] |
//! | time, and a clock for tests | [`sleep`], [`timeout`], [`time`] |
//! | to test async code | [`#[test]`](macro@test) |
//! | locks and channels | [`sync`] |
//! | sockets, files, HTTP | [`net`], [`fs`], [`http`] |
//! | the building blocks alone | [`deque`], [`ebr`], [`parker`], [`poller`], [`reactor`], [`timer`] |
//!
//! # Example
//!
//! ```
//! use tiny_coro::sync::channel;
//!
//! #[tiny_coro::main]
//! async fn main() {
//!     let (sender, receiver) = channel::bounded(1);
//!     for n in 1..=3 {
//!         let sender = sender.clone();
//!         tiny_coro::spawn(async move { sender.send(n * n).await }).detach();
//!     }
//!     drop(sender);
//!     let mut sum = 0;
//!     while let Ok(square) = receiver.recv().await {
//!         sum += square;
//!     }
//!     assert_eq!(sum, 14);
//! }
//! ```
//!
//! # Features
//!
//! Each swaps one mechanism; none is on by default.
//!
//! | feature | instead of | uses |
//! |---|---|---|
//! | `crossbeam-deque` | our Chase-Lev deque | that of the crate of that name |
//! | `crossbeam-epoch` | our epoch reclamation | that of the crate of that name |
//! | `mio` | our epoll and kqueue | the poller of the crate of that name |
//! | `timer-heap` | the timer wheel | our 4-ary heap |
//! | `parker-fallback` | the futex | the standard library's mutex and condition variable |
//! | `parker-parking-lot` | the futex | parking_lot's mutex and condition variable |

#![forbid(unsafe_code)]

use std::future::Future;

pub use tiny_coro_deque as deque;
pub use tiny_coro_ebr as ebr;
pub use tiny_coro_fs as fs;
pub use tiny_coro_http as http;
pub use tiny_coro_macros::{main, test};
pub use tiny_coro_net as net;
pub use tiny_coro_parker as parker;
pub use tiny_coro_poller as poller;
pub use tiny_coro_reactor as reactor;
pub use tiny_coro_sched::{
    AbortHandle, Builder, Elapsed, EnterGuard, Handle, JoinError, JoinHandle, Metrics, NoRuntime, Runtime, Sleep,
    TaskId, Timeout, WorkerMetrics, YieldNow, block_in_place, sleep, sleep_until, spawn, spawn_blocking, task,
    task_local, time, timeout, timeout_at, yield_now,
};
pub use tiny_coro_sync as sync;
pub use tiny_coro_timer as timer;

/// The runtime, its builder and what it tells of itself.
pub mod runtime {
    pub use tiny_coro_sched::{
        Builder, EnterGuard, Handle, LiveTask, MAX_WORKERS, Metrics, NoRuntime, PanicPolicy, Report, Runtime,
        STOP_LIMIT, TaskPanic, Wait, WorkerMetrics,
    };
}

/// What most programs use.
pub mod prelude {
    pub use crate::net::{TcpListener, TcpStream};
    pub use crate::{JoinHandle, Runtime, sleep, spawn, spawn_blocking, timeout, yield_now};
}

/// Starts a runtime with the defaults, runs `future` on the current thread until it completes, and ends the runtime.
///
/// # Errors
///
/// The operating system's, when it has no descriptors or threads left.
///
/// # Panics
///
/// When the future does.
pub fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
    Ok(Runtime::new()?.block_on(future))
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ProjectReadme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/coming-from-tokio.md")]
struct ComingFromTokio;
