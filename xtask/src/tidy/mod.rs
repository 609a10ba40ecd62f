//! `cargo xtask tidy`: the rules of the house that a machine can hold.
//!
//! | check | rule |
//! |---|---|
//! | [`layers`] | a crate depends only on crates of lower layers, and its README says which layer it is |
//! | [`orderings`] | an ID in an `ORDERING` comment has a partner and a row in an invariants table |
//! | [`documents`] | every source file says what it is; every README has its layer and an example |
//! | [`sizes`] | a file is short, or says why not |
//! | [`leftovers`] | nothing unfinished, no debugging aids, no bare `allow` |
//! | [`features`] | every swap can be had through the facade |
//!
//! A finding is one line, `path:line: message`; with any finding the command exits with 1.

mod documents;
mod features;
mod layers;
mod leftovers;
mod orderings;
mod sizes;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;

use crate::source::{self, File};
use crate::workspace::{Package, Workspace};

const HELP: &str = "\
Checks what a machine can hold of the house rules and prints a size report.

Usage: cargo xtask tidy [--quiet]

Options:
  -q, --quiet   Findings only, no report

Each finding is one line, `path:line: message`. Exits with 1 if there is any.";

/// A library of the workspace with its source.
#[derive(Debug)]
struct Library<'a> {
    package: &'a Package,
    /// What is under `src/`.
    source: Vec<File>,
    /// What is under `tests/` and `benches/`.
    tests: Vec<File>,
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: PathBuf,
    /// Counted from 1, which also stands for the file as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &Path, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

/// Runs every check.
///
/// # Errors
///
/// Fails if the workspace can't be read or an argument is unknown.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut quiet = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('q') | Long("quiet") => quiet = true,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let workspace = Workspace::load()?;
    let libraries = workspace.crates().map(load).collect::<Result<Vec<_>>>()?;
    if !quiet {
        sizes::report(&libraries);
        orderings::report(&libraries);
    }
    let mut findings = layers::check(&workspace, &libraries);
    findings.extend(features::check(&workspace, &libraries));
    for library in &libraries {
        findings.extend(orderings::check(library));
        findings.extend(documents::check(library));
        findings.extend(sizes::check(library));
        findings.extend(leftovers::check(library));
    }
    findings.sort();
    for finding in &findings {
        println!("{}:{}: {}", workspace.relative(&finding.path).display(), finding.line, finding.message);
    }
    match findings.len() {
        0 => println!("tidy: {} crates, nothing to say", libraries.len()),
        1 => println!("tidy: 1 finding"),
        n => println!("tidy: {n} findings"),
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn load(package: &Package) -> Result<Library<'_>> {
    let source = source::files(&package.folder.join("src"), false)?;
    let mut tests = source::files(&package.folder.join("tests"), true)?;
    tests.extend(source::files(&package.folder.join("benches"), true)?);
    Ok(Library { package, source, tests })
}
