//! `cargo xtask verify asan` and `tsan`: the test suites under AddressSanitizer with its leak checker, and under
//! ThreadSanitizer.
//!
//! Both flags are unstable, and the stable compiler takes them when it is told that it builds itself. ThreadSanitizer has to see
//! every synchronisation, that of the standard library too, which is therefore built anew from its source.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use super::options::Options;
use super::programs::{self, Counts};
use super::{HOST, NotRun, debian};
use crate::workspace::{Workspace, cargo};

/// One test program may take this long: sanitizers slow down by up to twenty times.
const LIMIT: Duration = Duration::from_secs(600);

/// Begins the name of a test target that holds another project's crate to our suite, to show that the suite is fair. Its races
/// are known, and not ours: crossbeam's deque reads and writes its slots as volatile, which is a data race by the letter.
const RIVAL: &str = "rival";

/// A sanitizer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sanitizer {
    pub(super) tier: &'static str,
    flags: &'static str,
    /// What each of its reports begins with.
    alarm: &'static str,
    /// The variable that it reads, and what for.
    variable: (&'static str, &'static str),
    rebuilds_std: bool,
    help: &'static str,
}

/// Out of bounds, after free, twice freed, leaked.
pub(super) const ADDRESS: Sanitizer = Sanitizer {
    tier: "asan",
    // Every cell of a task from the system's allocator, so that each use after free is seen.
    flags: "-Zsanitizer=address --cfg tiny_coro_plain_alloc",
    alarm: "Sanitizer: ",
    variable: ("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1"),
    rebuilds_std: false,
    help: "\
Runs the tests under AddressSanitizer and its leak checker. Linux on x86-64.

Usage: cargo xtask verify asan [-p PACKAGE]…

Without -p, every crate and the examples. Exits with 1 if a test fails or anything is reported.",
};

/// Data races. No suppressions.
pub(super) const THREAD: Sanitizer = Sanitizer {
    tier: "tsan",
    flags: "-Zsanitizer=thread",
    alarm: "WARNING: ThreadSanitizer",
    variable: ("TSAN_OPTIONS", "halt_on_error=0"),
    rebuilds_std: true,
    help: "\
Runs the tests under ThreadSanitizer, without suppressions. Linux on x86-64; the standard library is rebuilt from
Debian's source, which is fetched once into target/verify/debian.

Usage: cargo xtask verify tsan [-p PACKAGE]…

Without -p, every crate. Exits with 1 if a test fails or a race is reported.",
};

/// Runs the tier.
///
/// # Errors
///
/// Fails if the sanitizer is not for this machine, or the tests don't build.
pub(super) fn run(sanitizer: Sanitizer, arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, sanitizer.help)? else { return Ok(ExitCode::SUCCESS) };
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(NotRun(format!("set up for {HOST} only")).into());
    }
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("verify").join(sanitizer.tier);
    let mut build = Command::new(cargo());
    build.args(["test", "--target", HOST]).args(options.selected(&workspace));
    build.current_dir(&workspace.root).env("CARGO_TARGET_DIR", &folder).env("RUSTC_BOOTSTRAP", "1");
    // Only what is built for the target gets the flag: no build script, no procedural macro.
    build.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", sanitizer.flags).env_remove("RUSTFLAGS");
    if sanitizer.rebuilds_std {
        let debian = debian::Toolchain::fetch(&workspace)?;
        debian.lend_runtime("tsan")?;
        build.arg("-Zbuild-std").env("RUSTC", debian.rustc());
    }
    println!("{}: building the tests with {}", sanitizer.tier, sanitizer.flags);
    let programs = programs::build(&mut build)?;
    let mut counts = Counts::default();
    for program in &programs {
        if sanitizer.rebuilds_std && program.target.starts_with(RIVAL) {
            println!("  {:<44} left out: its races are the rival's", program.name());
            continue;
        }
        let mut command = program.command();
        command.env(sanitizer.variable.0, sanitizer.variable.1);
        counts.add(programs::run(&program.name(), &mut command, LIMIT, sanitizer.alarm, &folder.join("logs"))?);
    }
    println!("{}: {counts}", sanitizer.tier);
    Ok(if counts.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
