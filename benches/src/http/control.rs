//! The line between a server and `cargo xtask bench`: standard input and output.
//!
//! The server prints its address. For each line that it reads it prints the processor time it has used so far. At the
//! end of the input it exits, so that none survives the bench that started it.

use std::io::{self, BufRead, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;

/// Prints the address, then answers until the input ends, then exits the process.
pub fn attend(address: SocketAddr) -> ! {
    let mut output = io::stdout();
    let mut say = |line: String| writeln!(output, "{line}").and_then(|()| output.flush());
    let mut alive = say(address.to_string());
    for line in io::stdin().lock().lines() {
        if alive.is_err() || line.is_err() {
            break;
        }
        let (user, system) = processor_time();
        alive = say(format!(r#"{{"user_us":{user},"system_us":{system}}}"#));
    }
    std::process::exit(0)
}

/// Microseconds that all threads of this process have spent in user code and in the kernel.
fn processor_time() -> (i64, i64) {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a writable `rusage`.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    assert_eq!(result, 0, "getrusage takes RUSAGE_SELF");
    // SAFETY: all-zero bytes are a valid `rusage`, and the call has filled it in.
    let usage = unsafe { usage.assume_init() };
    let micros = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    (micros(usage.ru_utime), micros(usage.ru_stime))
}
