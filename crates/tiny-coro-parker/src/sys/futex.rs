//! Linux and Android: `futex(2)`. The kernel compares the word and falls asleep in one step.

use std::ptr;
use std::time::{Duration, Instant};

use tiny_coro_prim::atomic::AtomicU32;

use super::{Backend, Slept};

/// Longer sleeps are cut into pieces, so that no count of seconds is out of the kernel's range.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// Sleeps on the permit's own word, by `futex(2)`: the default on 64-bit Linux and Android. Needs no memory: the kernel
/// keeps the sleeper under the word's address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Futex;

impl Backend for Futex {
    fn sleep(&self, word: &AtomicU32, value: u32) {
        wait(word, value, ptr::null());
    }

    fn sleep_until(&self, word: &AtomicU32, value: u32, deadline: Instant) -> Slept {
        let left = deadline.saturating_duration_since(Instant::now()).min(LONGEST);
        if left.is_zero() {
            return Slept::DeadlinePassed;
        }
        // Within `LONGEST` both casts keep the value on every Linux, whatever width it gives the fields.
        let timeout = libc::timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos() as _ };
        wait(word, value, &raw const timeout);
        // Not even a time-out is taken at its word: the sleep may have been a piece.
        Slept::LookAgain
    }

    fn wake(&self, word: &AtomicU32) {
        // SAFETY: the kernel takes the address as a name and does not write to it; the word is alive beyond the call.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
    }
}

/// Sleeps while `word` is `value`. The result is not looked at: of the errors, EAGAIN (another value), EINTR (a signal) and
/// ETIMEDOUT all mean that the caller must look at the word and the clock again, and others do not occur with these arguments.
fn wait(word: &AtomicU32, value: u32, timeout: *const libc::timespec) {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is alive beyond the call, and the kernel only reads it; `timeout` is null or outlives the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, timeout) };
}
