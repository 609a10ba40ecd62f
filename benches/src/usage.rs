//! What this process has used, and what it may use.

use std::io;
use std::mem::MaybeUninit;

/// Processor time that all threads of this process have spent so far, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct ProcessorTime {
    /// In user code.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
}

/// Asks the system how much processor time this process has used.
#[must_use]
pub fn processor_time() -> ProcessorTime {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a writable `rusage`.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    assert_eq!(result, 0, "getrusage takes RUSAGE_SELF");
    // SAFETY: all-zero bytes are a valid `rusage`, and the call has filled it in.
    let usage = unsafe { usage.assume_init() };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    ProcessorTime { user: micros(usage.ru_utime), system: micros(usage.ru_stime) }
}

/// Bytes of this process that are in memory. `None` where there is no `/proc`.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Allows this process as many open files as the system lets it have, and returns how many that is.
pub fn raise_open_files() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a writable `rlimit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is to a `rlimit`, which the call only reads.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}
