//! How the threads of a runtime are started: name, stack, hooks, processors.

use crate::panic::quietly;
use core_affinity::CoreId;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tiny_coro_prim::thread as seam;

/// A function that each thread of a runtime calls.
#[derive(Clone)]
pub(crate) struct Hook(Arc<dyn Fn() + Send + Sync>);

impl Hook {
    pub(crate) fn new(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// A panic in a hook has been printed by the panic hook, and ends there.
    fn call(&self) {
        quietly(|| (self.0)());
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// What the threads of a runtime have in common.
#[derive(Clone, Debug)]
pub(crate) struct Threads {
    pub(crate) name: String,
    pub(crate) stack_size: Option<usize>,
    pub(crate) on_start: Option<Hook>,
    pub(crate) on_stop: Option<Hook>,
}

impl Threads {
    /// Starts a thread that calls the hooks around `body`.
    pub(crate) fn start(
        &self,
        suffix: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<thread::JoinHandle<()>> {
        self.builder(suffix).spawn(self.with_hooks(body))
    }

    /// As [`start`](Threads::start), for a thread that nobody joins: and that a model checker knows.
    pub(crate) fn start_detached(&self, suffix: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let builder = seam::Builder::new().name(format!("{}{suffix}", self.name));
        let builder = match self.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        };
        builder.spawn(self.with_hooks(body))?;
        Ok(())
    }

    fn with_hooks(&self, body: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
        let (on_start, on_stop) = (self.on_start.clone(), self.on_stop.clone());
        move || {
            on_start.iter().for_each(Hook::call);
            body();
            on_stop.iter().for_each(Hook::call);
        }
    }

    /// A thread without hooks.
    pub(crate) fn builder(&self, suffix: &str) -> thread::Builder {
        let builder = thread::Builder::new().name(format!("{}{suffix}", self.name));
        match self.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        }
    }
}

/// The processors that this process may use, where the operating system tells.
pub(crate) fn processors() -> Option<Vec<usize>> {
    core_affinity::get_core_ids().map(|ids| ids.into_iter().map(|id| id.id).collect())
}

/// Keeps the current thread on `processor`. Where the operating system refuses, the thread goes wherever it is sent.
pub(crate) fn stay_on(processor: usize) {
    core_affinity::set_for_current(CoreId { id: processor });
}

/// Asks for deadlines to the nanosecond: by default Linux may end a thread's sleep 50 µs late, to wake several at once.
pub(crate) fn sleep_precisely() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let (nanoseconds, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
        // SAFETY: this operation takes an integer, reads no memory and changes nothing but how late this thread may wake. The C
        // library hands on four integers, whatever the operation: so they are given.
        let result = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds, unused, unused, unused) };
        debug_assert_eq!(result, 0, "no value of the timer slack is refused");
    }
}

/// What all threads of this process have used of the processors' time; zero where the operating system does not tell.
pub(crate) fn process_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a writable `timespec`.
    if unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) } != 0 {
        return Duration::ZERO;
    }
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
