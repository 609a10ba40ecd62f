//! A program of two tasks: `main` spawns one, and awaits what it returns.
//!
//! ```text
//! cargo run --release --example hello
//! ```

use std::process::ExitCode;

use tiny_coro_examples::{cli, run};

const USAGE: &str = "
Spawns a task and awaits it.

Usage: hello [--help]";

fn main() -> ExitCode {
    cli::no_arguments(USAGE);
    run(None, async {
        let task = tiny_coro::spawn(async {
            tiny_coro::yield_now().await;
            "Hello from a task!"
        });
        // A task that panics doesn't take the program with it: awaiting it gives the error.
        println!("{}", task.await?);
        Ok(())
    })
}
