//! An M:N asynchronous runtime that can be taken apart.
//!
//! M coroutines (Rust futures) run on N worker threads. Each mechanism that makes this work is a crate of its own, and
//! this one puts them together; it has no mechanism itself.
//!
//! | you want | look at |
//! |---|---|
//! | to start, spawn, await | [`Runtime`], [`spawn`], [`JoinHandle`], [`block_on`] |
//! | a blocking call | [`spawn_blocking`] |
//! | time | [`sleep`], [`timeout`] |
//! | locks and channels | [`sync`] |
//! | sockets, files, HTTP | [`net`], [`fs`], [`http`] |
//! | the building blocks alone | [`deque`], [`ebr`], [`parker`], [`poller`], [`reactor`], [`timer`] |
//!
//! # Example
//!
//! ```
//! use tiny_coro::sync::channel;
//!
//! fn main() -> std::io::Result<()> {
//!     tiny_coro::block_on(async {
//!         let (sender, receiver) = channel::bounded(1);
//!         for n in 1..=3 {
//!             let sender = sender.clone();
//!             tiny_coro::spawn(async move { sender.send(n * n).await }).detach();
//!         }
//!         drop(sender);
//!         let mut sum = 0;
//!         while let Ok(square) = receiver.recv().await {
//!             sum += square;
//!         }
//!         assert_eq!(sum, 14);
//!     })
//! }
//! ```

//! # Features
//!
//! Each swaps one mechanism; none is on by default.
//!
//! | feature | instead of | uses |
//! |---|---|---|
//! | `crossbeam-deque` | our Chase-Lev deque | that of the crate of that name |
//! | `parker-fallback` | the futex | the standard library's mutex and condition variable |

#![forbid(unsafe_code)]

use std::future::Future;
use std::io;

pub use tiny_coro_deque as deque;
pub use tiny_coro_ebr as ebr;
pub use tiny_coro_fs as fs;
pub use tiny_coro_http as http;
pub use tiny_coro_net as net;
pub use tiny_coro_parker as parker;
pub use tiny_coro_poller as poller;
pub use tiny_coro_reactor as reactor;
pub use tiny_coro_sched::{
    AbortHandle, Builder, Elapsed, EnterGuard, Handle, JoinError, JoinHandle, Metrics, NoRuntime, Runtime, Sleep,
    TaskId, Timeout, WorkerMetrics, YieldNow, sleep, sleep_until, spawn, spawn_blocking, timeout, timeout_at,
    yield_now,
};
pub use tiny_coro_sync as sync;
pub use tiny_coro_timer as timer;

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
/// When the future does; and on a worker thread of a runtime: await the future there instead.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    Ok(Runtime::new()?.block_on(future))
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ProjectReadme;
