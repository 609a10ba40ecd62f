//! The half of the `timer` group that measures whole runtimes: what a sleep and a time-out cost, and how late they are.

use std::time::{Duration, Instant};

use crate::child::{Cases, Effort, Figure};
use crate::runtime::{Runtime, run};

/// The cases of a runtime.
pub fn cases<R: Runtime>(cases: &mut Cases) {
    cases.timed_with_cpu("sleep_100k", R::new, sleep_100k);
    cases.timed("timeout_cancelled", R::new, timeout_cancelled);
    cases.measured("sleep_precision", sleep_precision::<R>);
}

/// Spawns 100,000 tasks that sleep for 1 to 50 ms, and joins them. An operation is a task.
///
/// No runtime can take less than 50 ms, 500 ns a task: what it costs shows in the processor time.
fn sleep_100k<R: Runtime>(runtime: &mut R) -> usize {
    const TASKS: u64 = 100_000;
    run(runtime, async {
        let sleep = |number: u64| R::sleep(Duration::from_millis(1 + number % 50));
        let handles: Vec<_> = (0..TASKS).map(|number| R::spawn(async move { sleep(number).await })).collect();
        for handle in handles {
            R::join(handle).await;
        }
    });
    TASKS as usize
}

/// 200,000 times a time-out of 30 s around one yield.
fn timeout_cancelled<R: Runtime>(runtime: &mut R) -> usize {
    const TIMES: usize = 200_000;
    run(runtime, async {
        for _ in 0..TIMES {
            assert!(R::timeout(Duration::from_secs(30), R::yield_now()).await, "a yield is shorter than 30 s");
        }
    });
    TIMES
}

/// How late a sleep of 1 ms is, in a task that sleeps again and again: the median, and the 99th percentile.
fn sleep_precision<R: Runtime>(effort: &Effort) -> Vec<Figure> {
    const SLEEP: Duration = Duration::from_millis(1);
    let count = if effort.quick { 200 } else { 1_000 };
    let mut late = run(&R::new(), async move {
        let mut late = Vec::with_capacity(count);
        for _ in 0..count {
            let start = Instant::now();
            R::sleep(SLEEP).await;
            late.push(start.elapsed().checked_sub(SLEEP).expect("nobody wakes too early"));
        }
        late
    });
    late.sort();
    let percentile = |percent: usize| late[count * percent / 100].as_nanos() as f64 / 1_000.0;
    vec![
        Figure::new("sleep_precision_p50", "µs", percentile(50)),
        Figure::new("sleep_precision_p99", "µs", percentile(99)),
    ]
}
