//! `cargo xtask verify valgrind`: the test suites under memcheck, which needs no special build: it sees what the shipped code does.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use super::NotRun;
use super::options::Options;
use super::programs::{self, Counts};
use crate::workspace::{Workspace, cargo};

const HELP: &str = "\
Runs the tests under valgrind's memcheck: uses of memory that is not initialised, freed or out of bounds, and leaks.
Needs valgrind.

Usage: cargo xtask verify valgrind [-p PACKAGE]…

Without -p, the scheduler and what it is made of: ebr, deque, parker, timer, reactor, sched, sync. Exits with 1 if a
test fails or anything is reported.";

/// One test program may take this long: memcheck runs all threads on one processor, and each fifty times slower.
const LIMIT: Duration = Duration::from_secs(900);

/// What is checked if nothing is named.
const DEFAULT: [&str; 7] = ["ebr", "deque", "parker", "timer", "reactor", "sched", "sync"];

/// Fair scheduling, because a thread that spins would keep the processor for itself. A block that only a pointer into its middle
/// leads to is no leak: tasks lie in slabs.
const FLAGS: [&str; 8] = [
    "--tool=memcheck",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--fair-sched=yes",
    "--error-exitcode=99",
    "--quiet",
    "--error-markers=REPORT-BEGIN,REPORT-END",
];

/// What each report begins with.
const ALARM: &str = "REPORT-BEGIN";

/// Runs the tier.
///
/// # Errors
///
/// Fails if there is no valgrind, or the tests don't build.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, HELP)? else { return Ok(ExitCode::SUCCESS) };
    if !Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Err(NotRun("there is no valgrind; Debian's package is called valgrind".to_owned()).into());
    }
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("verify/valgrind");
    let mut build = Command::new(cargo());
    build.arg("test").args(options.or_packages(&DEFAULT).selected(&workspace));
    build.current_dir(&workspace.root).env("CARGO_TARGET_DIR", &folder);
    // Unoptimised it would take five times as long.
    build.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    println!("valgrind: building the tests");
    let mut counts = Counts::default();
    for program in programs::build(&mut build)? {
        let mut command = Command::new("valgrind");
        command.args(FLAGS).arg(&program.path).current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
        counts.add(programs::run(&program.name(), &mut command, LIMIT, ALARM, &folder.join("logs"))?);
    }
    println!("valgrind: {counts}");
    Ok(if counts.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
