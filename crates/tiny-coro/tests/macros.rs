#![cfg(not(tiny_coro_loom))]
//! `#[tiny_coro::main]` and `#[tiny_coro::test]`.

use std::io;
use std::thread;
use tiny_coro::time::{Duration, Instant, sleep};

/// Without options a test is on its own thread.
#[tiny_coro::test]
async fn a_test_runs_on_its_own_thread() {
    let here = thread::current().id();
    let there = tiny_coro::spawn(async { thread::current().id() }).await.unwrap();
    assert_eq!(here, there);
}

/// With workers it is multi-threaded.
#[tiny_coro::test(worker_threads = 2)]
async fn a_test_with_workers() {
    let here = thread::current().id();
    let there = tiny_coro::spawn(async { thread::current().id() }).await.unwrap();
    assert_ne!(here, there);
}

#[tiny_coro::test(flavor = "current_thread", start_paused = true)]
async fn a_paused_clock_takes_no_time() {
    let start = Instant::now();
    sleep(Duration::from_secs(86_400)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(86_400));
}

/// Attributes below it still count, `?` and `return` work, and the result is the test's.
#[tiny_coro::test(flavor = "multi_thread")]
#[should_panic(expected = "reached")]
async fn attributes_and_early_ends() {
    async fn number(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }
    if number("x").await.is_err() && number("7").await == Ok(7) {
        panic!("reached");
    }
}

#[tiny_coro::test]
async fn a_result_is_passed_on() -> io::Result<()> {
    let name = std::env::temp_dir();
    tiny_coro::fs::metadata(name).await?;
    if true {
        return Ok(());
    }
    Err(io::Error::other("not reached"))
}

#[tiny_coro::main(flavor = "current_thread", crate = "tiny_coro")]
async fn started() -> Option<u32> {
    let number = async { Some(5) }.await?;
    Some(number + 1)
}

#[tiny_coro::main(worker_threads = 1_0)]
pub(crate) async fn started_with_workers() -> usize {
    tiny_coro::Handle::current().metrics().workers.len()
}

/// `main` is an ordinary function that returns what its body does.
#[test]
fn main_is_an_ordinary_function() {
    assert_eq!(started(), Some(6));
    assert_eq!(started_with_workers(), 10);
}
