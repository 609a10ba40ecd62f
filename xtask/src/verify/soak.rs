//! `cargo xtask verify soak`: the long stress tests, in release, each in a process of its own, with its memory watched.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use super::options::Options;
use super::process::watch;
use super::programs::{self, BUILD_LIMIT, Counts};
use crate::workspace::{Workspace, cargo};

const HELP: &str = "\
Runs the ignored tests in `tests/soak.rs` of the crates, in release, one at a time.

Usage: cargo xtask verify soak [-p PACKAGE]… [--duration SECONDS] [--items N] [--quick] [NAME]…

Options:
  --duration SECONDS  How long a test that goes by the clock goes on (TINY_CORO_SOAK_SECONDS)
  --items N           How many items a test that counts has (TINY_CORO_SOAK_ITEMS)
  --quick             Ten seconds, a million items, and what else a test can save (TINY_CORO_SOAK_QUICK)

Each NAME is a part of a test's name. Exits with 1 if a test fails.";

/// No soak takes this long; an hour is what the longest takes by itself.
const LIMIT: Duration = Duration::from_secs(3 * 3_600);

/// Runs the tier.
///
/// # Errors
///
/// Fails if the tests don't build.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, HELP)? else { return Ok(ExitCode::SUCCESS) };
    let workspace = Workspace::load()?;
    let wanted = options.package_names(&workspace);
    let soaks = workspace.crates().filter(|package| package.folder.join("tests/soak.rs").exists());
    let names: Vec<&str> =
        soaks.map(|package| package.name.as_str()).filter(|name| wanted.iter().any(|it| it == name)).collect();
    anyhow::ensure!(!names.is_empty(), "none of these packages has a tests/soak.rs");
    let folder = workspace.target.join("verify/soak");
    let mut build = Command::new(cargo());
    build.args(["test", "--release", "--test", "soak"]).args(names.iter().flat_map(|name| ["-p", name]));
    build.current_dir(&workspace.root).env("CARGO_TARGET_DIR", &folder);
    // As fast as the release without its long link.
    build.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    println!("soak: building {}", names.join(", "));
    let mut counts = Counts::default();
    for program in programs::build(&mut build)? {
        let listed = watch(program.command().args(["--list", "--ignored"]), BUILD_LIMIT, |_| false)?;
        let tests = listed.lines.iter().filter_map(|line| line.strip_suffix(": test"));
        for test in tests.filter(|test| options.wants(test)) {
            let mut command = program.command();
            command.args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
            let quick = |value: u64| options.quick.then_some(value);
            let seconds = options.duration.map(|duration| duration.as_secs()).or(quick(10));
            let items = options.items.or(quick(1_000_000));
            command.envs(seconds.map(|value| ("TINY_CORO_SOAK_SECONDS", value.to_string())));
            command.envs(items.map(|value| ("TINY_CORO_SOAK_ITEMS", value.to_string())));
            command.envs(quick(1).map(|value| ("TINY_CORO_SOAK_QUICK", value.to_string())));
            let name = format!("{} {test}", program.name());
            counts.add(programs::run(&name, &mut command, LIMIT, "", &folder.join("logs"))?);
        }
    }
    println!("soak: {counts}");
    Ok(if counts.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
