//! The command line of `cargo xtask bench`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use lexopt::prelude::*;

use super::{Effort, GROUPS};

const HELP: &str = "\
Measures tiny-coro and its peers on the same work, in interleaved rounds of short child processes.

Usage: cargo xtask bench [OPTIONS] [GROUP | GROUP/CASE]…

Options:
      --quick        Fewer and shorter rounds and samples, less load, the main cases and rivals only: at most two
                     minutes once everything is built
      --rounds N     That many rounds (default: 5, with --quick 3, or as many as fit into the two minutes)
      --json FILE    Write the report there too
      --check        Exit with 1 if a row falls short of benches/targets.toml

Writes report.html and report.json to target/bench. A ratio is ours ÷ the best peer, or the one that the goal names:
for times and bytes lower is better, for throughput higher. A contender in brackets explains the figures and is nobody's
rival: another backend of ours, another number of workers, what the machine allows. A peer that this machine lacks is
named, with what would install it.

Ratios of one run mean something, absolute figures only on a machine that does nothing else. Rows with a second thread
leave it to the system where the threads run, and spread more than others: the report shows least and most. A goal that is
missed by less than the rounds differ is a tie: each median lies within the other's range. A ratio counts as it is printed.

Groups:";

/// What the command line asks for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) quick: bool,
    pub(super) check: bool,
    pub(super) json: Option<PathBuf>,
    rounds: Option<usize>,
    /// Groups, or a group and a case with a slash between; empty for everything.
    filters: Vec<String>,
}

/// A run, or the help.
pub(super) enum Request {
    Run(Options),
    Help,
}

/// Reads the command line.
pub(super) fn parse(mut arguments: lexopt::Parser) -> Result<Request> {
    let mut options = Options { quick: false, check: false, json: None, rounds: None, filters: Vec::new() };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("quick") => options.quick = true,
            Long("check") => options.check = true,
            Long("json") => options.json = Some(arguments.value()?.into()),
            Long("rounds") => options.rounds = Some(arguments.value()?.parse()?),
            Short('h') | Long("help") => return Ok(Request::Help),
            Value(filter) => options.filters.push(filter.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(options.rounds != Some(0), "--rounds 0 measures nothing");
    for filter in &options.filters {
        let group = filter.split('/').next().unwrap_or_default();
        if !GROUPS.iter().any(|known| known.name == group) {
            bail!("there is no group {group}; `cargo xtask bench --help` lists them");
        }
    }
    Ok(Request::Run(options))
}

/// The help text with the groups that there are.
pub(super) fn help() -> String {
    let groups: Vec<String> = GROUPS.iter().map(|group| format!("  {:<8} {}", group.name, group.summary)).collect();
    format!("{HELP}\n{}", groups.join("\n"))
}

impl Options {
    pub(super) fn wants_group(&self, group: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.split('/').next() == Some(group))
    }

    pub(super) fn wants(&self, group: &str, case: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter == group) || self.names(group, case)
    }

    /// Whether this very case was asked for, not only its group.
    pub(super) fn names(&self, group: &str, case: &str) -> bool {
        self.filters.iter().any(|filter| filter.split_once('/') == Some((group, case)))
    }

    pub(super) fn effort(&self) -> Effort {
        if self.quick {
            let budget = Some(Duration::from_secs(110));
            Effort { rounds: self.rounds.unwrap_or(3), load: Duration::from_secs(1), budget }
        } else {
            Effort { rounds: self.rounds.unwrap_or(5), load: Duration::from_secs(3), budget: None }
        }
    }
}
