//! The half of the `memory` group that measures whole runtimes. The other half holds connections to the servers of
//! [`http`](crate::http) open, and looks at those from outside.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{Cases, Effort, Figure};
use crate::runtime::Runtime;
use crate::usage::resident_bytes;

/// The cases of a runtime.
pub fn cases<R: Runtime>(cases: &mut Cases) {
    if resident_bytes().is_some() {
        cases.measured("bytes_per_task", bytes_per_task::<R>);
    }
}

/// Tasks that have been polled. A static, so that no task has to carry a reference to it.
static ASLEEP: AtomicUsize = AtomicUsize::new(0);

/// What a million sleeping tasks add to the resident memory, each.
fn bytes_per_task<R: Runtime>(effort: &Effort) -> Vec<Figure> {
    const LONG: Duration = Duration::from_secs(3_600);
    let tasks: usize = if effort.quick { 200_000 } else { 1_000_000 };
    let runtime = R::new();
    let before = settled();
    runtime.detach_remote(async move {
        for _ in 0..tasks {
            R::detach(async {
                ASLEEP.fetch_add(1, Ordering::Relaxed);
                R::sleep(LONG).await;
            });
        }
    });
    let begin = Instant::now();
    while ASLEEP.load(Ordering::Relaxed) < tasks {
        assert!(begin.elapsed() < Duration::from_secs(60), "the tasks take too long to go to sleep");
        thread::sleep(Duration::from_millis(5));
    }
    let bytes = settled().saturating_sub(before);
    vec![Figure::new("bytes_per_task", "bytes", bytes as f64 / tasks as f64)]
}

/// The resident memory once it no longer changes.
fn settled() -> u64 {
    let read = || resident_bytes().expect("it was there before");
    let mut last = read();
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(50));
        let bytes = read();
        if bytes == last {
            break;
        }
        last = bytes;
    }
    last
}
