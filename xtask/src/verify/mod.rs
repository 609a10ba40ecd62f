//! `cargo xtask verify`: the checkers that are too slow, or need too much, for every change.
//!
//! Each tier is a module. It prints what it runs and what it counted. A tier that can't run here says why on a line that
//! begins with `NOT RUN`, and fails: silence must not pass for success.

mod coverage;
mod cross;
mod debian;
mod faults;
mod fuzz;
mod mutate;
mod options;
mod process;
mod programs;
mod sanitize;
mod soak;
mod valgrind;

use std::fmt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use lexopt::prelude::*;

/// The one machine that the tiers with a fixed target are set up for.
const HOST: &str = "x86_64-unknown-linux-gnu";

const HELP: &str = "\
Runs one of the slow checkers, before a release or when something deep has changed.

Usage: cargo xtask verify TIER [OPTIONS]

Tiers:
  mutate    Weaken every ordering, delete every fence: does a loom model notice?
  asan      The tests under AddressSanitizer and its leak checker
  tsan      The tests under ThreadSanitizer, without suppressions
  valgrind  The tests of the scheduler and its parts under memcheck
  fuzz      Parsers, connections and data structures under arbitrary bytes and programs
  cross     Type-check for macOS, FreeBSD and Linux on aarch64
  soak      The long stress tests, in release
  faults    Programs under strace, which lets system calls fail
  coverage  Which lines the tests reach, per crate
  all       All of them, one after the other

`cargo xtask verify TIER --help` says more about each. A tier that can't run here says why on a line that begins
with NOT RUN, and exits with 2.";

/// A tier: its name and what runs it.
type Tier = (&'static str, fn(lexopt::Parser) -> Result<ExitCode>);

/// The tiers, the quick ones first.
const TIERS: [Tier; 9] = [
    ("cross", cross::run),
    ("faults", faults::run),
    ("fuzz", fuzz::run),
    ("asan", |arguments| sanitize::run(sanitize::ADDRESS, arguments)),
    ("tsan", |arguments| sanitize::run(sanitize::THREAD, arguments)),
    ("valgrind", valgrind::run),
    ("coverage", coverage::run),
    ("mutate", mutate::run),
    ("soak", soak::run),
];

/// Why a tier can't run on this machine.
#[derive(Debug)]
struct NotRun(String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}

/// Runs the tier that the command line names.
///
/// # Errors
///
/// Fails if a tier can't run to its end.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    match arguments.next()? {
        Some(Value(name)) if name == "all" => all(arguments),
        Some(Value(name)) => match TIERS.iter().find(|(tier, _)| name == *tier) {
            Some((tier, run)) => not_run(tier, run(arguments)),
            None => anyhow::bail!("there is no tier {name:?}; `cargo xtask verify --help` lists them"),
        },
        Some(Long("help") | Short('h')) => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(other.unexpected().into()),
        None => {
            eprintln!("{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}

/// Says that a tier was not run, if that is what the result is.
fn not_run(tier: &str, result: Result<ExitCode>) -> Result<ExitCode> {
    match result {
        Err(error) => match error.downcast::<NotRun>() {
            Ok(why) => {
                println!("NOT RUN {tier}: {why}");
                Ok(ExitCode::from(2))
            }
            Err(error) => Err(error),
        },
        result => result,
    }
}

/// Runs every tier in a process of its own, whatever becomes of the others.
fn all(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut results = Vec::new();
    for (tier, _) in TIERS {
        println!("\n== {tier}");
        results.push((tier, Command::new(&program).args(["verify", tier]).status()?));
    }
    println!();
    for (tier, status) in &results {
        let word = match status.code() {
            Some(0) => "passed",
            Some(2) => "NOT RUN",
            _ => "FAILED",
        };
        println!("{tier:<10} {word}");
    }
    let good = results.iter().all(|(_, status)| status.success());
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
