//! Shows that a parker keeps its promises when the kernel interrupts every sleep: run it under `strace`, which injects errors.
//!
//! ```text
//! cargo build -p tiny-coro-parker --example park_under_faults
//! strace -e trace=futex -e inject=futex:error=EINTR:when=1+2 target/debug/examples/park_under_faults
//! strace -e trace=futex -e inject=futex:error=EAGAIN         target/debug/examples/park_under_faults
//! ```
//!
//! Without `-f` only the main thread is traced, and here it only sleeps: no wake of another thread is swallowed, which is
//! something that a kernel never does.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_parker::Parker;

/// Beyond what a round takes, even under `strace`.
const LONG: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_micros(200);

fn main() -> Result<(), Box<dyn Error>> {
    let rounds: u64 = std::env::args().nth(1).map_or(Ok(1_000), |rounds| rounds.parse())?;
    let (parker, asked, stop) = (Parker::new(), AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let unparker = parker.unparker();
        let (asked, stop) = (&asked, &stop);
        scope.spawn(move || {
            let mut answered = 0;
            while !stop.load(Ordering::Relaxed) {
                // It must not sleep: the main thread would have to wake it, by a call that is traced.
                if asked.load(Ordering::Acquire) > answered {
                    answered += 1;
                    unparker.unpark();
                }
                thread::yield_now();
            }
        });
        let result = play(rounds, &parker, asked);
        stop.store(true, Ordering::Relaxed);
        result
    })?;
    println!("{rounds} rounds: {rounds} permits taken, {rounds} time-outs, none early, none lost");
    Ok(())
}

/// Asks for a permit and takes it, then times out, in turn.
fn play(rounds: u64, parker: &Parker, asked: &AtomicU64) -> Result<(), String> {
    for round in 0..rounds {
        asked.fetch_add(1, Ordering::Release);
        // Without and with a deadline: the two kinds of sleep.
        if round % 2 == 0 {
            parker.park();
        } else if !parker.park_timeout(LONG) {
            return Err(format!("round {round}: the permit was lost"));
        }
        let start = Instant::now();
        if parker.park_timeout(TIMEOUT) {
            return Err(format!("round {round}: a permit from nowhere"));
        }
        if start.elapsed() < TIMEOUT {
            return Err(format!("round {round}: timed out early"));
        }
    }
    Ok(())
}
