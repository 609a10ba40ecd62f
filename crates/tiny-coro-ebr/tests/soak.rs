//! An hour of churn: threads come, retire, and go, one stalls now and then, and the memory stays flat.
#![cfg(not(tiny_coro_loom))]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_ebr::Limits;
use tiny_coro_ebr::native::Collector;

/// How long: an hour, or what the environment says.
fn duration() -> Duration {
    let seconds = std::env::var("TINY_CORO_SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let quick = std::env::var_os("TINY_CORO_SOAK_QUICK").is_some();
    Duration::from_secs(seconds.unwrap_or(if quick { 10 } else { 3_600 }))
}

/// Returns the process's resident bytes, where the system tells.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
}

/// Objects of all sizes, whose destruction is counted.
struct Object<'a>(&'a AtomicUsize, #[expect(dead_code, reason = "it only takes room")] Vec<u8>);

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const THREADS: usize = 4;
/// Objects that a life retires.
const OBJECTS: usize = 2_000;
const LARGEST: usize = 512;

/// A thread's life: it registers, retires, flushes or does not, and leaves.
fn live(collector: &Collector, dropped: &'static AtomicUsize, mut random: u64) {
    let handle = collector.register();
    for _ in 0..OBJECTS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let size = random as usize % LARGEST;
        let mut guard = handle.pin();
        let object = Box::into_raw(Box::new(Object(dropped, vec![0; size])));
        // SAFETY: nobody else has seen the box, and it may be dropped by anybody.
        unsafe { guard.defer_sized(size, move || drop(Box::from_raw(object))) };
        match random >> 54 {
            0 => guard.flush(),
            1 => guard.repin(),
            2 => guard.repin_after(thread::yield_now),
            // Pinned for a time slice: the others go on.
            3 => thread::yield_now(),
            _ => {}
        }
    }
}

/// Returns the sample that `part` of them, in a hundred, are below: zero where there are none.
fn percentile(samples: &[usize], part: usize) -> usize {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * part / 100).copied().unwrap_or(0)
}

/// Returns the lower quartile of the given tenth of the samples. Not the median: on a busy machine a pinned thread waits for a
/// processor now and then, and the others pile up garbage meanwhile. That goes again; what a leak adds stays.
fn tenth(samples: &[usize], number: usize) -> usize {
    percentile(&samples[samples.len() * number / 10..samples.len() * (number + 1) / 10], 25)
}

/// The garbage in all participants stays within their limits, in the orphans within what the lives of a moment leave;
/// the process's memory after an hour is what it was after the first tenth of it.
#[test]
#[ignore = "soak: an hour by default (TINY_CORO_SOAK_SECONDS)"]
fn an_hour_of_churn_leaves_the_memory_flat() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    let limits = Limits::new().with_objects(512).with_bytes(1 << 20);
    let collector = Collector::with_limits(limits);
    let (begin, whole, end) = (Instant::now(), duration(), AtomicBool::new(false));
    let (lives, mut pending, mut resident_bytes) = (AtomicUsize::new(0), Vec::new(), Vec::new());
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (collector, end, lives) = (&collector, &end, &lives);
            scope.spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    let life = lives.fetch_add(1, Ordering::Relaxed);
                    let seed = (life * THREADS + number) as u64 | 1 << 63;
                    thread::scope(|inner| drop(inner.spawn(|| live(collector, &DROPPED, seed))));
                }
            });
        }
        while begin.elapsed() < whole {
            thread::sleep(Duration::from_millis(100));
            pending.push(collector.statistics().pending_bytes);
            resident_bytes.extend(resident());
        }
        end.store(true, Ordering::Relaxed);
    });
    let handle = collector.register();
    while collector.statistics().pending != 0 {
        handle.pin().flush();
    }
    let statistics = collector.statistics();
    let most = pending.iter().max().copied();
    let (pending, warm, last) = (percentile(&pending, 50), tenth(&resident_bytes, 1), tenth(&resident_bytes, 9));
    println!("{} lives, {statistics:?}", lives.into_inner());
    println!("bytes pending: {pending}, at most {most:?}; resident: {warm} after the warm-up, {last} at the end");
    assert_eq!(statistics.retired, DROPPED.load(Ordering::Relaxed));
    assert_eq!((statistics.panics, statistics.pending_bytes, statistics.participants), (0, 0, 1));
    // Each thread's own, and as much again that it has handed over. More only while a pinned thread waits for a core,
    // and that is not most of the time.
    assert!(pending <= 2 * THREADS * limits.bytes, "{pending} bytes of garbage");
    assert!(last <= warm + warm / 4 + (8 << 20), "resident {warm} bytes after the warm-up, {last} at the end");
}
