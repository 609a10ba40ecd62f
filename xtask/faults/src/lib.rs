//! What the programs share: a watchdog, and what they say at the end.

use std::thread;
use std::time::Duration;

/// Ends the process with a failure if it is still there after a minute.
pub fn watchdog() {
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(60));
        eprintln!("hangs");
        std::process::exit(3);
    });
}

/// Says what happened, in the form that the command looks for.
pub fn done(what: &str) {
    println!("survived: {what}");
}
