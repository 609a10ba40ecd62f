//! `cargo xtask verify fuzz`: parsers, connections and data structures under arbitrary bytes.
//!
//! The targets are in `xtask/fuzz`. libFuzzer comes with a crate; the compiler's part, coverage counters and AddressSanitizer, is
//! unstable, and the stable compiler has it when it is told that it builds itself. So no further tool is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::options::Options;
use super::process::{Ended, watch};
use super::programs::{self, Program};
use super::{HOST, NotRun};
use crate::workspace::{Workspace, cargo};

const HELP: &str = "\
Runs the fuzz targets of xtask/fuzz, one after the other. Linux on x86-64, with a C++ compiler.

Usage: cargo xtask verify fuzz [--duration SECONDS] [--quick] [NAME]…

Options:
  --duration SECONDS  How long each target runs (60)
  --quick             Five seconds each

Each NAME is a part of a target's name. What was found is kept in target/verify/fuzz/corpus for the next time; an
input that breaks a promise is written to target/verify/fuzz/artifacts, and the command line that repeats it is
printed. Exits with 1 if there is one.";

/// What a build for libFuzzer has over a usual one.
const FLAGS: [&str; 10] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "-Zsanitizer=address",
];

/// Runs the tier.
///
/// # Errors
///
/// Fails if the targets don't build.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, HELP)? else { return Ok(ExitCode::SUCCESS) };
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(NotRun(format!("set up for {HOST} only")).into());
    }
    if Command::new("c++").arg("--version").output().is_err() {
        return Err(NotRun("libFuzzer has to be compiled: apt-get install g++".to_owned()).into());
    }
    let workspace = Workspace::load()?;
    let (package, folder) = (workspace.root.join("xtask/fuzz"), workspace.target.join("verify/fuzz"));
    let seconds = match (options.duration, options.quick) {
        (Some(duration), _) => duration.as_secs(),
        (None, true) => 5,
        (None, false) => 60,
    };
    let targets: Vec<Program> =
        build(&package, &folder)?.into_iter().filter(|program| options.wants(&program.target)).collect();
    ensure!(!targets.is_empty(), "no target has such a name");
    let mut broken = 0;
    for target in &targets {
        broken += usize::from(!fuzz(target, &package, &folder, seconds)?);
    }
    println!("fuzz: {} targets, {seconds} s each: {broken} broke a promise", targets.len());
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build(package: &Path, folder: &Path) -> Result<Vec<Program>> {
    println!("fuzz: building the targets");
    let mut build = Command::new(cargo());
    build.args(["build", "--release", "--bins", "--target", HOST]).current_dir(package);
    build.env("CARGO_TARGET_DIR", folder).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS.join(" "));
    match programs::try_build(&mut build, false)? {
        Ok(mut programs) => {
            programs.sort_by(|a, b| a.target.cmp(&b.target));
            Ok(programs)
        }
        Err(error) => anyhow::bail!("the fuzz targets do not build:\n{error}"),
    }
}

/// Runs one target; whether it kept its promise.
fn fuzz(target: &Program, package: &Path, folder: &Path, seconds: u64) -> Result<bool> {
    let name = &target.target;
    let corpus = folder.join("corpus").join(name);
    let artifacts = folder.join("artifacts");
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let before = names(&artifacts)?;
    let mut command = Command::new(&target.path);
    command.arg(&corpus);
    // Seeds and words that more than one target can use are named after what the targets have in common.
    let kind = name.split('_').next().unwrap_or(name);
    let seeds = package.join("seeds").join(kind);
    command.args(seeds.is_dir().then_some(seeds));
    let words = package.join(format!("seeds/{kind}.dict"));
    command.args(words.is_file().then(|| format!("-dict={}", words.display())));
    command.arg(format!("-artifact_prefix={}/{name}-", artifacts.display()));
    command.arg(format!("-max_total_time={seconds}"));
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=1024", "-print_final_stats=1", "-close_fd_mask=1"]);
    let outcome = watch(&mut command, Duration::from_secs(seconds * 2 + 60), |_| false)?;
    let statistic = |what: &str| {
        let line = outcome.errors.lines().find_map(|line| line.strip_prefix(what));
        line.map_or_else(|| "?".to_owned(), |value| value.trim_start_matches(':').trim().to_owned())
    };
    let runs = statistic("stat::number_of_executed_units");
    let speed = statistic("stat::average_exec_per_sec");
    let kept = names(&corpus)?.len();
    println!("  {name:<16} {runs:>10} runs, {speed:>7} a second, {kept:>5} inputs kept");
    if outcome.ended.well() {
        return Ok(true);
    }
    let how = if outcome.ended == Ended::TimedOut { "it did not end" } else { "a promise was broken" };
    println!("  {name}: {how}\n{}", report(&outcome.errors));
    for artifact in names(&artifacts)?.into_iter().filter(|artifact| !before.contains(artifact)) {
        println!("  repeat it: {} {}", target.path.display(), artifact.display());
    }
    Ok(false)
}

/// The lines that say what happened: the panic or the sanitizer's first lines.
fn report(errors: &str) -> String {
    let from = errors.lines().position(|line| line.contains("panicked at") || line.contains("ERROR: "));
    errors.lines().skip(from.unwrap_or_default()).take(8).map(|line| format!("    {line}\n")).collect()
}

fn names(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
}
