//! Every source file opens by saying what it is; every README has its layer and an example.

use std::fs;

use super::{Finding, Library, layers};
use crate::source::{File, Kind};

/// Checks the source files of a library and its README.
pub(super) fn check(library: &Library<'_>) -> Vec<Finding> {
    let undocumented = library.source.iter().filter_map(|file| {
        let message = "a source file opens with `//!`: say in one sentence what it is";
        Some(Finding::new(&file.path, undocumented_at(file)?, message))
    });
    undocumented.chain(check_readme(library)).collect()
}

/// The line where the first `//!` should stand, if it doesn't. A licence comment may come before it.
fn undocumented_at(file: &File) -> Option<usize> {
    let first = file.lines.iter().find(|line| {
        let text = line.text.trim_start();
        line.kind == Kind::Code || text.starts_with("//!") || text.starts_with("///")
    });
    match first {
        Some(line) if line.text.starts_with("//!") => None,
        Some(line) => Some(line.number),
        None => Some(1),
    }
}

fn check_readme(library: &Library<'_>) -> Vec<Finding> {
    let path = library.package.folder.join("README.md");
    let Ok(readme) = fs::read_to_string(&path) else {
        return vec![Finding::new(&path, 1, "each crate has a README.md")];
    };
    let mut findings = Vec::new();
    if layers::stated_layer(&readme).is_none() {
        findings.push(Finding::new(&path, 1, "no line `Layer N. May use …. Knows nothing of ….`"));
    }
    if !readme.lines().any(|line| line.starts_with("```rust")) {
        findings.push(Finding::new(&path, 1, "no example: a fenced block marked `rust`"));
    }
    let root = library.source.iter().find(|file| file.path.ends_with("src/lib.rs"));
    let tested = |file: &File| file.lines.iter().any(|line| line.text.contains("include_str!(\"../README.md\")"));
    if let Some(root) = root.filter(|root| !tested(root)) {
        findings.push(Finding::new(&root.path, 1, "the README is not doctested: include it behind `#[cfg(doctest)]`"));
    }
    findings
}
