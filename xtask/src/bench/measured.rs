//! Groups whose children measure themselves: `bench-GROUP CONTENDER CASE` prints a JSON line per figure.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Cell, Contender, Context, GO, Prepared, Role, Sample, Unit, build, process};

/// How long a child may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Cases and contenders that share a binary. Whoever can run a case is in its row; variants wait for a run without `--quick`.
pub(super) struct Suite {
    pub(super) group: &'static str,
    /// The feature that builds the binary `bench-FEATURE`.
    pub(super) feature: &'static str,
    /// In the order of the report.
    pub(super) cases: &'static [&'static str],
    /// If Go is one of them, `benches/go/FEATURE` is its child.
    pub(super) contenders: &'static [Contender],
}

impl Suite {
    /// Builds the children and asks them what they can run.
    pub(super) fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let mut prepared = Prepared::default();
        let mut binaries = vec![build(context, self.feature)?];
        if self.contenders.contains(&GO) {
            match build::go(context, self.feature)? {
                Ok(binary) => binaries.push(binary),
                Err(skipped) => prepared.skipped.push(skipped),
            }
        }
        let mut listed = Vec::new();
        for binary in binaries {
            let names = process::output(&mut Command::new(&binary), LIMIT)?;
            listed.extend(names.lines().map(|line| (line.to_owned(), binary.clone())));
        }
        let wanted = |contender: &&Contender| !context.options.quick || contender.role != Role::Variant;
        for case in self.cases {
            for contender in self.contenders.iter().filter(wanted) {
                let wanted = format!("{} {case}", contender.name);
                if let Some((_, binary)) = listed.iter().find(|(line, _)| *line == wanted) {
                    let child = Child::new(context, binary, contender.name, case);
                    prepared.cells.push(child.cell(self.group, case, *contender));
                }
            }
        }
        Ok(prepared)
    }
}

/// Builds `bench-FEATURE` and returns where it is.
pub(super) fn build(context: &Context<'_>, feature: &str) -> Result<PathBuf> {
    let name = format!("bench-{feature}");
    Ok(build::rust(context, feature, &[&name])?.join(name))
}

/// One run of a child.
pub(super) struct Child {
    binary: PathBuf,
    contender: &'static str,
    case: &'static str,
    workers: Option<usize>,
    quick: bool,
}

impl Child {
    pub(super) fn new(context: &Context<'_>, binary: &Path, contender: &'static str, case: &'static str) -> Child {
        Child { binary: binary.to_owned(), contender, case, workers: None, quick: context.options.quick }
    }

    /// Gives the runtime another number of worker threads.
    pub(super) fn workers(self, workers: usize) -> Child {
        Child { workers: Some(workers), ..self }
    }

    /// A cell that runs this child, and names case and contender as the report is to name them.
    pub(super) fn cell(self, group: &'static str, case: &'static str, contender: Contender) -> Cell {
        let job = move || {
            let mut samples = self.measure()?;
            for sample in &mut samples {
                sample.row = sample.row.replacen(self.case, case, 1);
            }
            Ok(samples)
        };
        Cell { group, case, contender, job: Box::new(job) }
    }

    fn measure(&self) -> Result<Vec<Sample>> {
        let mut command = Command::new(&self.binary);
        command.args([self.contender, self.case]);
        if self.quick {
            command.env("TINY_CORO_BENCH_QUICK", "1");
        }
        if let Some(workers) = self.workers {
            command.env("TINY_CORO_BENCH_WORKERS", workers.to_string());
        }
        parse(&process::output(&mut command, LIMIT)?)
    }
}

/// Reads what a child prints: `{"row": "spawn_join", "unit": "ns/op", "value": 393.0}`, a line per figure.
fn parse(printed: &str) -> Result<Vec<Sample>> {
    let samples = printed.lines().map(|line| {
        let figure: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
        let text = |key: &str| figure[key].as_str().with_context(|| format!("no {key} in {line}"));
        let unit = Unit::named(text("unit")?).with_context(|| format!("an unknown unit in {line}"))?;
        let value = figure["value"].as_f64().with_context(|| format!("no value in {line}"))?;
        Ok(Sample { row: text("row")?.to_owned(), unit, value })
    });
    let samples = samples.collect::<Result<Vec<_>>>()?;
    ensure!(!samples.is_empty(), "the child printed nothing");
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_figure() {
        let samples =
            parse("{\"row\":\"a\",\"unit\":\"ns/op\",\"value\":1.5}\n{\"row\":\"b\",\"unit\":\"µs\",\"value\":2}\n");
        let samples: Vec<_> =
            samples.unwrap().into_iter().map(|sample| (sample.row, sample.unit, sample.value)).collect();
        let expected = [("a".to_owned(), Unit::NanosPerOperation, 1.5), ("b".to_owned(), Unit::Micros, 2.0)];
        assert_eq!(samples, expected);
    }

    #[test]
    fn silence_and_unknown_units_are_errors() {
        assert!(parse("").is_err());
        assert!(parse("{\"row\":\"a\",\"unit\":\"furlongs\",\"value\":1}").is_err());
        assert!(parse("panicked").is_err());
    }
}
