//! The child process: `bench-GROUP CONTENDER CASE` measures, and prints a JSON line per figure.
//!
//! Without arguments it prints what it could measure: a line `CONTENDER CASE` for each. `TINY_CORO_BENCH_QUICK` in the
//! environment asks for fewer and shorter samples.
//!
//! A sample is as many runs of a workload as fill 50 ms. The first sample, which fills the allocator's lists, grows
//! the queues and wakes the processor, is thrown away; the figure is the median of the others. A workload that takes
//! more than a second is run once.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::usage::processor_time;

/// A workload runs once and returns how many operations that was.
pub type Workload<S> = fn(&mut S) -> usize;

/// What one contender can measure.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "closures have nothing to show")]
pub struct Cases(Vec<(&'static str, Measurement)>);

type Measurement = Box<dyn FnOnce(&Effort) -> Vec<Figure>>;

/// A name, and a function that adds the cases.
pub type Contender = (&'static str, fn(&mut Cases));

/// One number, and the row of the report that it belongs to.
#[derive(Debug)]
pub struct Figure {
    row: String,
    unit: &'static str,
    value: f64,
}

impl Figure {
    /// A figure of `row`, in one of the units that xtask knows.
    pub fn new(row: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Figure { row: row.into(), unit, value }
    }
}

/// How much a child measures.
#[derive(Debug)]
pub struct Effort {
    /// Fewer and shorter samples.
    pub quick: bool,
    samples: usize,
    length: Duration,
}

impl Effort {
    fn from_environment() -> Self {
        let quick = env::var_os("TINY_CORO_BENCH_QUICK").is_some();
        let (samples, length) = if quick { (3, 20) } else { (5, 50) };
        Effort { quick, samples, length: Duration::from_millis(length) }
    }
}

impl Cases {
    /// Adds a case whose time per operation is the figure. `setup` is not part of the time.
    pub fn timed<S: 'static>(&mut self, name: &'static str, setup: fn() -> S, workload: Workload<S>) {
        self.measured(name, move |effort| {
            let timing = Timing::take(effort, &mut setup(), workload);
            vec![Figure::new(name, NANOS, timing.wall)]
        });
    }

    /// Adds a case with two figures per operation: the time, and in the row `NAME_cpu` the processor time of all threads.
    pub fn timed_with_cpu<S: 'static>(&mut self, name: &'static str, setup: fn() -> S, workload: Workload<S>) {
        self.measured(name, move |effort| {
            let timing = Timing::take(effort, &mut setup(), workload);
            vec![Figure::new(name, NANOS, timing.wall), Figure::new(format!("{name}_cpu"), NANOS, timing.processor)]
        });
    }

    /// Adds a case that measures itself.
    pub fn measured(&mut self, name: &'static str, measurement: impl FnOnce(&Effort) -> Vec<Figure> + 'static) {
        self.0.push((name, Box::new(measurement)));
    }
}

/// The unit of what is timed.
const NANOS: &str = "ns/op";

/// Measures what the command line names, with the cases that `contenders` have.
///
/// The process ends without waiting for anybody: what a workload has started need not be stoppable.
#[must_use]
pub fn run(contenders: &[Contender]) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut known = contenders.iter().flat_map(|(contender, list)| {
        let mut cases = Cases::default();
        list(&mut cases);
        cases.0.into_iter().map(move |(name, measurement)| (*contender, name, measurement))
    });
    let [contender, case] = arguments.as_slice() else {
        known.for_each(|(contender, name, _)| println!("{contender} {name}"));
        return ExitCode::SUCCESS;
    };
    let Some((.., measurement)) = known.find(|(of, name, _)| of == contender && name == case) else {
        eprintln!("error: no case {case} of {contender} here");
        return ExitCode::from(2);
    };
    for Figure { row, unit, value } in measurement(&Effort::from_environment()) {
        println!(r#"{{"row":"{row}","unit":"{unit}","value":{value:.3}}}"#);
    }
    std::process::exit(0)
}

/// Nanoseconds per operation.
struct Timing {
    wall: f64,
    processor: f64,
}

impl Timing {
    /// No sample begins after this time.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// The medians of some samples.
    fn take<S>(effort: &Effort, state: &mut S, workload: Workload<S>) -> Timing {
        let begin = Instant::now();
        let mut samples = vec![Timing::sample(effort.length, state, workload)];
        while samples.len() <= effort.samples && begin.elapsed() < Timing::PATIENCE {
            samples.push(Timing::sample(effort.length, state, workload));
        }
        if samples.len() > 1 {
            samples.remove(0);
        }
        let median_of = |part: fn(&Timing) -> f64| median(samples.iter().map(part).collect());
        Timing { wall: median_of(|timing| timing.wall), processor: median_of(|timing| timing.processor) }
    }

    fn sample<S>(length: Duration, state: &mut S, workload: Workload<S>) -> Timing {
        let (before, start) = (processor_time(), Instant::now());
        let mut operations = 0;
        let wall = loop {
            operations += workload(state);
            let wall = start.elapsed();
            if wall >= length {
                break wall;
            }
        };
        let after = processor_time();
        let micros = after.user + after.system - before.user - before.system;
        let each = |nanos: u128| nanos as f64 / operations as f64;
        Timing { wall: each(wall.as_nanos()), processor: each(u128::from(micros) * 1000) }
    }
}

/// The middle one of `samples`, or the mean of the two in the middle.
#[must_use]
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    if samples.len() % 2 == 1 { samples[middle] } else { f64::midpoint(samples[middle - 1], samples[middle]) }
}
