//! `cargo xtask verify coverage`: which lines of each crate its tests, and everybody else's, reach.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::debian::{self, Toolchain};
use super::options::Options;
use super::programs::{self, Counts, Program};
use super::{HOST, NotRun};
use crate::workspace::{Workspace, cargo};

const HELP: &str = "\
Runs the tests with coverage counters and prints, per crate, how many lines and functions they reach.

Usage: cargo xtask verify coverage [-p PACKAGE]… [NAME]…

Without -p, every crate and the examples. Each NAME is a part of a crate's name whose files are then listed. Needs
LLVM's tools of the compiler's version: rustup's llvm-tools, or Debian's llvm-22, which is fetched.
Exits with 1 if a test fails; what is reached is for a person to judge.";

const LIMIT: Duration = Duration::from_secs(300);

/// Runs the tier.
///
/// # Errors
///
/// Fails if the tests don't build or the tools can't be had.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, HELP)? else { return Ok(ExitCode::SUCCESS) };
    let workspace = Workspace::load()?;
    let tools = Tools::find(&workspace)?;
    let folder = workspace.target.join("verify/coverage");
    let profiles = folder.join("profiles");
    let _ = fs::remove_dir_all(&profiles);
    fs::create_dir_all(&profiles)?;
    let pattern = profiles.join("%p-%m.profraw");
    let mut build = Command::new(cargo());
    build.arg("test").args(options.selected(&workspace)).current_dir(&workspace.root);
    build.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", "-Cinstrument-coverage");
    // A build script leaves a profile too.
    build.env("LLVM_PROFILE_FILE", folder.join("build.profraw"));
    println!("coverage: building the tests");
    let programs = programs::build(&mut build)?;
    let mut counts = Counts::default();
    for program in &programs {
        let mut command = program.command();
        command.env("LLVM_PROFILE_FILE", &pattern);
        counts.add(programs::run(&program.name(), &mut command, LIMIT, "", &folder.join("logs"))?);
    }
    let files = tools.export(&programs, &profiles, &folder.join("all.profdata"))?;
    report(&workspace, &files, &options);
    println!("coverage: {counts}");
    Ok(if counts.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where `llvm-profdata` and `llvm-cov` are.
enum Tools {
    Rustup(PathBuf),
    Debian(Toolchain),
}

impl Tools {
    fn find(workspace: &Workspace) -> Result<Tools> {
        let rustup = debian::sysroot()?.join(format!("lib/rustlib/{HOST}/bin"));
        if rustup.join("llvm-cov").exists() {
            return Ok(Tools::Rustup(rustup));
        }
        Toolchain::fetch(workspace)
            .map(Tools::Debian)
            .map_err(|error| NotRun(format!("{error:#}. Elsewhere: rustup component add llvm-tools")).into())
    }

    fn tool(&self, name: &str) -> Command {
        match self {
            Tools::Rustup(folder) => Command::new(folder.join(name)),
            Tools::Debian(toolchain) => toolchain.llvm(name),
        }
    }

    /// Merges the profiles and returns what they say of each file.
    fn export(&self, programs: &[Program], profiles: &Path, merged: &Path) -> Result<Vec<(PathBuf, Covered)>> {
        let mut merge = self.tool("llvm-profdata");
        merge.args(["merge", "--sparse", "-o"]).arg(merged);
        for profile in fs::read_dir(profiles)? {
            merge.arg(profile?.path());
        }
        output(&mut merge)?;
        let mut export = self.tool("llvm-cov");
        export.args(["export", "--summary-only", "--instr-profile"]).arg(merged);
        export.args(programs.iter().flat_map(|program| ["--object".into(), program.path.clone()]));
        let json: Value = serde_json::from_slice(&output(&mut export)?).context("llvm-cov's answer is not JSON")?;
        let files = json["data"][0]["files"].as_array().context("llvm-cov names no files")?;
        let file = |file: &Value| Some((PathBuf::from(file["filename"].as_str()?), Covered::of(&file["summary"])?));
        Ok(files.iter().filter_map(file).collect())
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{:?} failed: {}", command.get_program(), String::from_utf8_lossy(&output.stderr).trim());
    }
    ensure!(output.stdout.len() < 1 << 30, "too much output");
    Ok(output.stdout)
}

/// How much of something was reached.
#[derive(Clone, Copy, Debug, Default)]
struct Covered {
    lines: (u64, u64),
    functions: (u64, u64),
}

impl Covered {
    fn of(summary: &Value) -> Option<Covered> {
        let pair = |what: &str| Some((summary[what]["covered"].as_u64()?, summary[what]["count"].as_u64()?));
        Some(Covered { lines: pair("lines")?, functions: pair("functions")? })
    }

    fn add(&mut self, other: Covered) {
        let add = |to: &mut (u64, u64), from: (u64, u64)| *to = (to.0 + from.0, to.1 + from.1);
        add(&mut self.lines, other.lines);
        add(&mut self.functions, other.functions);
    }

    fn columns(&self) -> String {
        let column = |(covered, count): (u64, u64)| {
            let percent = if count == 0 { 100.0 } else { 100.0 * covered as f64 / count as f64 };
            format!("{covered:>6}/{count:<6} {percent:>5.1} %")
        };
        format!("{}   {}", column(self.lines), column(self.functions))
    }
}

/// Prints the table: a row a crate, and a row a file of the crates that were named.
fn report(workspace: &Workspace, files: &[(PathBuf, Covered)], options: &Options) {
    let mut crates: BTreeMap<&str, Covered> = BTreeMap::new();
    let mut rows = Vec::new();
    for (path, covered) in files {
        let Some(package) = workspace.crates().find(|package| path.starts_with(package.folder.join("src"))) else {
            continue;
        };
        crates.entry(&package.name).or_default().add(*covered);
        if !options.names.is_empty() && options.wants(&package.name) {
            rows.push((workspace.relative(path), *covered));
        }
    }
    println!("\n{:<60} {:^21}   {:^21}", "", "lines", "functions");
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows.iter().for_each(|(path, covered)| println!("{:<60} {}", path.display(), covered.columns()));
    let mut all = Covered::default();
    for (name, covered) in &crates {
        println!("{name:<60} {}", covered.columns());
        all.add(*covered);
    }
    println!("{:<60} {}\n", "all", all.columns());
}
