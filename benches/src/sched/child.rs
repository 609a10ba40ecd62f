//! The child process: `sched-RUNTIME CASE [SAMPLES]` warms up, measures, prints a JSON line.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::Case;

/// A child goes on sampling for this long, and for [`SAMPLES`] at least.
const TIME: Duration = Duration::from_millis(250);

const SAMPLES: usize = 5;

/// Measures the case of `cases` that the command line names and prints the median: `{"case": …, "ns_per_op": …}`.
///
/// Without an argument it prints the names of the cases, a line each.
#[must_use]
pub fn run<R>(runtime: &R, cases: &[(&str, Case<R>)]) -> ExitCode {
    let Some(wanted) = env::args().nth(1) else {
        for (name, _) in cases {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((name, case)) = cases.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("error: no case {wanted} here");
        return ExitCode::from(2);
    };
    let median = median(&sample(runtime, *case));
    println!(r#"{{"case":"{name}","ns_per_op":{median:.3}}}"#);
    ExitCode::SUCCESS
}

fn sample<R>(runtime: &R, case: Case<R>) -> Vec<f64> {
    // The first run fills the allocator's lists and grows the queues.
    case(runtime);
    let (begin, mut samples) = (Instant::now(), Vec::new());
    while samples.len() < SAMPLES || begin.elapsed() < TIME {
        let start = Instant::now();
        let operations = case(runtime);
        samples.push(start.elapsed().as_nanos() as f64 / operations as f64);
    }
    samples
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}
