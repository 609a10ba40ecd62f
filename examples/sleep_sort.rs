//! The silliest sort there is, and a fair test of a timer queue: each number sleeps as many milliseconds as it is
//! large, and they are printed as they wake.
//!
//! ```text
//! cargo run --release --example sleep_sort -- 30 10 20
//! ```

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use tiny_coro::sync::channel;
use tiny_coro_examples::{cli, run};

const USAGE: &str = "
Sorts numbers by sleeping that many milliseconds for each.

Usage: sleep_sort [NUMBER]...";

fn numbers(parser: &mut lexopt::Parser) -> Result<Vec<u64>, lexopt::Error> {
    let mut numbers = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(text) => numbers.push(text.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(if numbers.is_empty() { vec![500, 100, 400, 200, 300, 0] } else { numbers })
}

fn main() -> ExitCode {
    let numbers = cli::parse(USAGE, numbers);
    run(None, async {
        // One deadline each, counted from the same instant: how long spawning takes changes nothing.
        let start = Instant::now();
        let (sender, receiver) = channel::unbounded();
        for number in numbers {
            let sender = sender.clone();
            tiny_coro::spawn(async move {
                match start.checked_add(Duration::from_millis(number)) {
                    Some(deadline) => tiny_coro::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
                let _ = sender.send(number).await;
            })
            .detach();
        }
        drop(sender);
        while let Ok(number) = receiver.recv().await {
            println!("{number}");
        }
        Ok(())
    })
}
