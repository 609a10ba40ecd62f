//! `cargo xtask verify cross`: does it type-check on the systems that nobody here runs?
//!
//! The standard library of each target is checked from Debian's source, so that no target has to be installed.

use std::process::{Command, ExitCode};

use anyhow::Result;

use super::debian::Toolchain;
use super::options::Options;
use super::process::watch;
use super::programs::BUILD_LIMIT;
use crate::workspace::{Workspace, cargo};

const HELP: &str = "\
Type-checks every crate, its tests too, with its default features and with all, for other systems.

Usage: cargo xtask verify cross [-p PACKAGE]… [NAME]…

Each NAME is a part of a target's name; without one: x86_64-apple-darwin, x86_64-unknown-freebsd and
aarch64-unknown-linux-gnu. The standard library's source and its compiler are fetched once from Debian.
Exits with 1 if a crate does not type-check.";

/// kqueue twice, and a processor with a weaker memory.
const TARGETS: [&str; 3] = ["x86_64-apple-darwin", "x86_64-unknown-freebsd", "aarch64-unknown-linux-gnu"];

/// Runs the tier.
///
/// # Errors
///
/// Fails if Debian's packages can't be had.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, HELP)? else { return Ok(ExitCode::SUCCESS) };
    let workspace = Workspace::load()?;
    let debian = Toolchain::fetch(&workspace)?;
    let (mut good, mut bad) = (0, 0);
    for target in TARGETS.into_iter().filter(|target| options.wants(target)) {
        println!("cross: {target}");
        for name in options.package_names(&workspace) {
            let package = workspace.packages.iter().find(|package| package.name == name);
            let swaps = package.is_some_and(|package| !package.features.is_empty());
            for features in [None, swaps.then_some("--all-features")].into_iter().take(1 + usize::from(swaps)) {
                match check(&workspace, &debian, target, &name, features)? {
                    None => good += 1,
                    Some(errors) => {
                        bad += 1;
                        println!("  {name} {} does not type-check:\n{errors}", features.unwrap_or_default());
                    }
                }
            }
        }
    }
    println!("cross: {good} checks passed, {bad} failed");
    Ok(if bad == 0 && good > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks one package for `target`; the compiler's errors if there are any.
fn check(
    workspace: &Workspace,
    debian: &Toolchain,
    target: &str,
    package: &str,
    features: Option<&str>,
) -> Result<Option<String>> {
    let mut command = Command::new(cargo());
    command.args(["check", "--quiet", "--lib", "--tests", "-Zbuild-std=std,panic_unwind", "--target", target]);
    command.args(["-p", package]).args(features).current_dir(&workspace.root);
    command.env("RUSTC", debian.rustc()).env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    command.env("CARGO_TARGET_DIR", workspace.target.join("verify/cross"));
    let outcome = watch(&mut command, BUILD_LIMIT, |_| false)?;
    let errors = || {
        let from = outcome.errors.find("error").unwrap_or_default();
        outcome.errors[from..].lines().take(25).collect::<Vec<_>>().join("\n")
    };
    Ok((!outcome.ended.well()).then(errors))
}
