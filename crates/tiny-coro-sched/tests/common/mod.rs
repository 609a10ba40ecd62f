//! What the tests share.

use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tiny_coro_sched::Runtime;

/// A runtime with `workers` threads.
pub(crate) fn runtime(workers: usize) -> Runtime {
    Runtime::builder().worker_threads(workers).build().expect("the machine has threads for a runtime")
}

/// Runs `body` on a thread of its own, and fails if it takes longer than any machine should need.
pub(crate) fn watched<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || done.send(body()));
    match ended.recv_timeout(Duration::from_secs(120)) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => panic::resume_unwind(thread.join().expect_err("the body panicked")),
    }
}
