//! The line between a server and `cargo xtask bench`: standard input and output.
//!
//! The server prints its address. For each line that it reads it prints the processor time it has used so far. At the
//! end of the input it exits, so that none survives the bench that started it.

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;

use crate::usage::{self, ProcessorTime};

/// Prints the address, then answers until the input ends, then exits the process.
///
/// Whoever reads the address may open as many connections as the system allows.
pub fn attend(address: SocketAddr) -> ! {
    // If it fails, there are as many open files as before.
    let _ = usage::raise_open_files();
    let mut output = io::stdout();
    let mut say = |line: String| writeln!(output, "{line}").and_then(|()| output.flush());
    let mut alive = say(address.to_string());
    for line in io::stdin().lock().lines() {
        if alive.is_err() || line.is_err() {
            break;
        }
        let ProcessorTime { user, system } = usage::processor_time();
        alive = say(format!(r#"{{"user_us":{user},"system_us":{system}}}"#));
    }
    std::process::exit(0)
}
