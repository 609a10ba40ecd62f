//! Builds the models of a crate and runs them, once as they are and once for each mutation.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::scan::Mutation;
use super::scratch::Scratch;
use crate::models;
use crate::verify::process::{Ended, Outcome, watch};
use crate::verify::programs::{self, BUILD_LIMIT, Program};
use crate::workspace::{Package, cargo};

/// How many times as long as the unmutated models the mutated ones may take before it is said that they hang.
const PATIENCE: u32 = 10;

/// What became of a mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A model failed: its name, or how the process died.
    Caught(String),
    /// The process died before a model could fail.
    Died(String),
    /// The models did not end; unmutated, they took a tenth of the time or less.
    Hung(String),
    Survived,
    /// What survived has a bound that could not be tried to its end.
    SurvivedInPart(String),
    /// The mutated source does not build, or the model checker refuses the ordering.
    Invalid(String),
}

/// The models of one crate in the scratch copy.
#[derive(Debug)]
pub(super) struct Models<'a> {
    scratch: &'a Scratch,
    target: PathBuf,
    package: &'a Package,
    targets: Vec<&'static str>,
}

impl<'a> Models<'a> {
    /// # Errors
    ///
    /// Fails if the package has no models.
    pub(super) fn new(scratch: &'a Scratch, target: PathBuf, package: &'a Package) -> Result<Models<'a>> {
        let targets = models::targets(package);
        ensure!(!targets.is_empty(), "{} has no loom models", package.name);
        Ok(Models { scratch, target, package, targets })
    }

    /// The numbers of those mutations whose code is in the build that the models run. Each is replaced by an error that
    /// names it, and the compiler then lists what it has met.
    ///
    /// # Errors
    ///
    /// Fails if a file can't be replaced.
    pub(super) fn built(&self, mutations: &[Mutation]) -> Result<Vec<bool>> {
        let mut seen = vec![false; mutations.len()];
        let mut paths: Vec<&Path> = mutations.iter().map(|mutation| mutation.path.as_path()).collect();
        paths.dedup();
        for path in paths {
            let mut text = std::fs::read_to_string(self.scratch.root.join(path))?;
            let mut last = usize::MAX;
            let here = mutations.iter().enumerate().filter(|(_, mutation)| mutation.path == path);
            let mut here: Vec<_> = here.collect();
            here.sort_by_key(|(_, mutation)| std::cmp::Reverse(mutation.span.end));
            for (number, mutation) in here {
                // Of those that overlap (a fence and its ordering, two weakenings of one ordering) one speaks for all.
                if mutation.span.end <= last {
                    let error = format!("compile_error!(\"mutation {number};\")");
                    let begin = path_begin(&text, mutation.span.start);
                    text.replace_range(begin..mutation.span.end, &error);
                    last = begin;
                }
            }
            let mut check = Command::new(cargo());
            check.args(["check", "--profile", "loom", "-p", &self.package.name]);
            check.env("RUSTFLAGS", flags()).env("CARGO_TARGET_DIR", &self.target).current_dir(&self.scratch.root);
            let outcome = self.scratch.with(path, &text, || watch(&mut check, BUILD_LIMIT, |_| false))?;
            for (number, mutation) in mutations.iter().enumerate().filter(|(_, mutation)| mutation.path == path) {
                let speaks = |other: &usize| {
                    let span = &mutations[*other].span;
                    mutations[*other].path == path
                        && span.start <= mutation.span.end
                        && mutation.span.start <= span.end
                        && outcome.errors.contains(&format!("mutation {other};"))
                };
                seen[number] = (0..mutations.len()).any(|other| speaks(&other));
            }
        }
        Ok(seen)
    }

    /// Builds the models and returns the test programs.
    fn build(&self) -> Result<std::result::Result<Vec<Program>, String>> {
        let mut programs = Vec::new();
        for target in &self.targets {
            let mut command = models::test(&[&self.package.name], target);
            command.env("RUSTFLAGS", flags()).env("CARGO_TARGET_DIR", &self.target).current_dir(&self.scratch.root);
            match programs::try_build(&mut command, true)? {
                Ok(built) => programs.extend(built),
                Err(error) => return Ok(Err(error.lines().next().unwrap_or("the build failed").to_owned())),
            }
        }
        Ok(Ok(programs))
    }

    /// Runs `program` with `bound` preemptions at most, until a model fails or `limit` is over.
    fn run(&self, program: &Program, bound: u32, only: Option<&str>, limit: Duration) -> Result<Outcome> {
        let mut command = program.command();
        command.env(models::PREEMPTIONS_VARIABLE, bound.to_string());
        command.args(only).args(only.map(|_| "--exact"));
        watch(&mut command, limit, |line| failed_model(line).is_some())
    }

    /// Runs the unmutated models.
    ///
    /// # Errors
    ///
    /// Fails if they don't build or don't pass: then nothing that a mutation does means anything.
    pub(super) fn baseline(&self, bound: u32, limit: Duration) -> Result<Baseline> {
        let programs = self.build()?;
        let programs = programs.map_err(|error| anyhow::anyhow!("{} does not build: {error}", self.package.name))?;
        let mut baseline = Baseline { bound, models: Vec::new(), took: Duration::ZERO, limit };
        for program in &programs {
            let outcome = self.run(program, bound, None, BUILD_LIMIT)?;
            if !outcome.ended.well() {
                bail!("the unmutated models of {} do not pass:\n{}", self.package.name, outcome.tail(30));
            }
            baseline.took += outcome.took;
            baseline.models.extend(outcome.lines.iter().filter_map(|line| passed_model(line)).map(str::to_owned));
        }
        ensure!(!baseline.models.is_empty(), "{} has no loom models", self.package.name);
        Ok(baseline)
    }

    /// Tries one mutation at the bound of the baseline; if it survives, and `higher` is more, model by model at that.
    ///
    /// # Errors
    ///
    /// Fails if the scratch copy can't be written or a program not be started.
    pub(super) fn attempt(&self, mutation: &Mutation, baseline: &Baseline, higher: Option<u32>) -> Result<Verdict> {
        let mut text = std::fs::read_to_string(self.scratch.root.join(&mutation.path))?;
        text.replace_range(mutation.span.clone(), &mutation.replacement);
        self.scratch.with(&mutation.path, &text, || {
            let programs = match self.build()? {
                Ok(programs) => programs,
                Err(error) => return Ok(Verdict::Invalid(error)),
            };
            for program in &programs {
                let outcome = self.run(program, baseline.bound, None, baseline.patience())?;
                match judge(&outcome, baseline.took) {
                    Verdict::Survived => {}
                    Verdict::Died(how) => return self.name_the_dead(program, baseline, how),
                    verdict => return Ok(verdict),
                }
            }
            match higher.filter(|higher| *higher > baseline.bound) {
                Some(higher) => self.attempt_higher(&programs, higher, baseline),
                None => Ok(Verdict::Survived),
            }
        })
    }

    /// Finds out which model the process died in: the panic that came before names its thread, which has the model's name.
    fn name_the_dead(&self, program: &Program, baseline: &Baseline, how: String) -> Result<Verdict> {
        let mut command = program.command();
        command.env(models::PREEMPTIONS_VARIABLE, baseline.bound.to_string()).arg("--nocapture");
        let outcome = watch(&mut command, baseline.patience(), |_| false)?;
        let mut panics =
            outcome.errors.lines().filter_map(|line| line.trim().strip_prefix("thread '")?.split('\'').next());
        Ok(Verdict::Caught(match panics.next_back() {
            Some(model) => format!("{model} ({how})"),
            None => how,
        }))
    }

    /// Runs each model for itself, so that one that takes for ever does not hide the others.
    fn attempt_higher(&self, programs: &[Program], bound: u32, baseline: &Baseline) -> Result<Verdict> {
        let mut unfinished = Vec::new();
        for program in programs {
            let listed = watch(program.command().arg("--list"), BUILD_LIMIT, |_| false)?;
            for model in listed.lines.iter().filter_map(|line| line.strip_suffix(": test")) {
                let outcome = self.run(program, bound, Some(model), baseline.limit)?;
                match judge(&outcome, baseline.took) {
                    Verdict::Survived => {}
                    // How long it takes unmutated at this bound is not known: a time-out proves nothing.
                    Verdict::Hung(_) => unfinished.push(model.to_owned()),
                    Verdict::Died(how) => return Ok(Verdict::Caught(format!("{model} ({how}, bound {bound})"))),
                    Verdict::Caught(model) => return Ok(Verdict::Caught(format!("{model} (bound {bound})"))),
                    verdict => return Ok(verdict),
                }
            }
        }
        match unfinished.is_empty() {
            true => Ok(Verdict::Survived),
            false => Ok(Verdict::SurvivedInPart(format!(
                "at bound {bound} not at an end after {} s: {}",
                baseline.limit.as_secs(),
                unfinished.join(", ")
            ))),
        }
    }
}

/// What the unmutated models did.
#[derive(Debug)]
pub(super) struct Baseline {
    pub(super) bound: u32,
    pub(super) models: Vec<String>,
    pub(super) took: Duration,
    /// How long a single run may take at least.
    limit: Duration,
}

impl Baseline {
    fn patience(&self) -> Duration {
        self.limit.max(self.took * PATIENCE)
    }
}

/// Warnings about what a mutation leaves unused are no news.
fn flags() -> String {
    format!("{} --cap-lints allow", models::CFG)
}

fn judge(outcome: &Outcome, unmutated: Duration) -> Verdict {
    if outcome.text().contains("there is no such thing as") {
        return Verdict::Invalid("the access does not take that ordering".to_owned());
    }
    if let Some(model) = outcome.lines.iter().find_map(|line| failed_model(line)) {
        return Verdict::Caught(model.to_owned());
    }
    match outcome.ended {
        Ended::TimedOut => Verdict::Hung(format!(
            "no end after {} s (unmutated: {:.1} s)",
            outcome.took.as_secs(),
            unmutated.as_secs_f64()
        )),
        Ended::Status(status) if status.success() => Verdict::Survived,
        Ended::Status(status) => Verdict::Died(format!("the process died, {status}")),
        Ended::Stopped => Verdict::Caught("a model".to_owned()),
    }
}

/// The name in a line such as `test steals_once ... FAILED`.
fn failed_model(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

fn passed_model(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... ok")
}

/// Where the path begins that ends in the word at `at`: `Ordering::Acquire` from its `O` on.
fn path_begin(text: &str, at: usize) -> usize {
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b':';
    at - text.as_bytes()[..at].iter().rev().take_while(|byte| is_path(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_names_the_model_that_failed() {
        assert_eq!(failed_model("test idle::no_lost_wake ... FAILED"), Some("idle::no_lost_wake"));
        assert_eq!(failed_model("test a ... ok"), None);
        assert_eq!(passed_model("test a - should panic ... ok"), Some("a - should panic"));
    }

    #[test]
    fn a_path_is_replaced_from_its_beginning() {
        let text = "x.load(atomic::Ordering::Acquire)";
        assert_eq!(path_begin(text, text.find("Acquire").unwrap()), 7);
    }
}
