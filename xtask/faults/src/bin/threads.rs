//! Starts runtimes and blocking work while `clone3` fails: what can't be started is an error, and nothing hangs or panics.

use std::io;

use tiny_coro::{Runtime, spawn_blocking};

fn main() {
    // No watchdog thread: it would be one of those that fail. The command has a time limit.
    let (mut built, mut refused) = (0, 0);
    let (mut done, mut cancelled) = (0, 0);
    for _ in 0..10 {
        match Runtime::builder().worker_threads(2).build() {
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
                refused += 1;
            }
            Ok(runtime) => {
                built += 1;
                runtime.block_on(async {
                    for number in 0..3 {
                        match spawn_blocking(move || number).await {
                            Ok(result) => {
                                assert_eq!(result, number);
                                done += 1;
                            }
                            Err(_) => cancelled += 1,
                        }
                    }
                });
            }
        }
    }
    assert!(built > 0 && refused > 0, "{built} built, {refused} refused");
    let closures = format!("{done} closures run, {cancelled} cancelled");
    faults::done(&format!("{built} runtimes built, {refused} refused; {closures}"));
}
