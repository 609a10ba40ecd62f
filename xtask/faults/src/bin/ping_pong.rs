//! Two threads hand a permit back and forth while `futex` fails, or while signals interrupt it: no permit is lost, none appears.
//!
//! A kernel never fails to wake, an injected fault does. So the sleeps have a limit, and what counts is the permits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tiny_coro::parker::{Parker, Unparker};

const ROUNDS: u64 = 300;

/// Takes the permit `ROUNDS` times, and gives the other's each time.
fn play(parker: &Parker, other: &Unparker, given: &AtomicU64, taken: &AtomicU64) {
    for _ in 0..ROUNDS {
        while !parker.park_timeout(Duration::from_millis(5)) {}
        let before = taken.fetch_add(1, Ordering::SeqCst);
        assert!(before < given.load(Ordering::SeqCst), "a permit came from nowhere");
        given.fetch_add(1, Ordering::SeqCst);
        other.unpark();
    }
}

extern "C" fn ignore(_: libc::c_int) {}

fn main() {
    faults::watchdog();
    // SAFETY: the handler does nothing, and the structure is zero but for it: no flags, so that a call is interrupted.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as *const () as libc::sighandler_t;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
    }
    let (ping, pong) = (Parker::new(), Parker::new());
    let (to_ping, to_pong) = (ping.unparker(), pong.unparker());
    let counts = Arc::new((AtomicU64::new(1), AtomicU64::new(0)));
    to_ping.unpark();
    let theirs = counts.clone();
    let other = thread::spawn(move || play(&pong, &to_ping, &theirs.0, &theirs.1));
    play(&ping, &to_pong, &counts.0, &counts.1);
    // Not joined by a sleep in the kernel that an injected fault could break for ever.
    while !other.is_finished() {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(counts.1.load(Ordering::SeqCst), 2 * ROUNDS);
    faults::done(&format!("{} permits", 2 * ROUNDS));
}
