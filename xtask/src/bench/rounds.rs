//! The rounds: every cell once a round, the order turned round each time.

use std::io::{IsTerminal, stderr};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::options::Options;
use super::{Cell, Contender, Unit};

/// Every figure of every round.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) rounds: usize,
    pub(super) series: Vec<Series>,
    pub(super) failures: Vec<Failure>,
}

/// The figures of one contender in one row.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) group: &'static str,
    /// The case that was run: a case may fill several rows.
    pub(super) case: &'static str,
    pub(super) row: String,
    pub(super) unit: Unit,
    pub(super) contender: Contender,
    pub(super) values: Vec<f64>,
}

/// A cell that did not yield a figure.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) group: &'static str,
    pub(super) case: &'static str,
    pub(super) contender: Contender,
    pub(super) error: String,
}

/// Runs the rounds.
///
/// A cell that fails is not tried again: its row says why.
pub(super) fn run(cells: &[Cell], options: &Options) -> Results {
    let effort = options.effort();
    let mut results = Results::default();
    let progress = bar(cells.len() * effort.rounds);
    let begin = Instant::now();
    for round in 0..effort.rounds {
        let start = Instant::now();
        for index in order(cells, round) {
            let cell = &cells[index];
            progress.set_message(format!("{}/{} {}", cell.group, cell.case, cell.contender.name));
            results.take(cell);
            progress.inc(1);
        }
        results.rounds += 1;
        if !stderr().is_terminal() {
            eprintln!("round {} of {} took {:.0} s", round + 1, effort.rounds, start.elapsed().as_secs_f64());
        }
        if effort.budget.is_some_and(|budget| begin.elapsed() + start.elapsed() > budget) {
            break;
        }
    }
    progress.finish_and_clear();
    results
}

impl Results {
    fn take(&mut self, cell: &Cell) {
        let Cell { group, case, contender, .. } = *cell;
        let failed = |failure: &Failure| (failure.group, failure.case, failure.contender) == (group, case, contender);
        if self.failures.iter().any(failed) {
            return;
        }
        match (cell.job)() {
            Ok(samples) => {
                for sample in samples {
                    let known = self.series.iter_mut().find(|series| {
                        (series.group, series.row.as_str(), series.contender) == (group, sample.row.as_str(), contender)
                    });
                    match known {
                        Some(series) => series.values.push(sample.value),
                        None => self.series.push(Series {
                            group,
                            case,
                            row: sample.row,
                            unit: sample.unit,
                            contender,
                            values: vec![sample.value],
                        }),
                    }
                }
            }
            Err(error) => self.failures.push(Failure { group, case, contender, error: format!("{error:#}") }),
        }
    }
}

/// Case by case; within a case the contenders in their order in even rounds, backwards in odd ones.
fn order(cells: &[Cell], round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    for case in order.chunk_by_mut(|a, b| (cells[*a].group, cells[*a].case) == (cells[*b].group, cells[*b].case)) {
        if round % 2 == 1 {
            case.reverse();
        }
    }
    order
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta:>4} left  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
