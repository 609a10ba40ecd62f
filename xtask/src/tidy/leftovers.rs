//! Nothing unfinished, no debugging aids, no bare `allow` in the crates, their tests included.

use super::{Finding, Library};
use crate::source::Kind;

/// What may not stand in a line of code, and what to do instead.
const FORBIDDEN: [(&str, &str); 5] = [
    ("todo!(", "finish it"),
    ("unimplemented!(", "finish it"),
    ("dbg!(", "remove it"),
    ("#[allow(", "write `#[expect(lint, reason = \"…\")]`"),
    ("#![allow(", "write `#![expect(lint, reason = \"…\")]`"),
];

/// Checks every line of code of a library.
pub(super) fn check(library: &Library<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in library.source.iter().chain(&library.tests) {
        for line in file.lines.iter().filter(|line| line.kind == Kind::Code) {
            for (what, instead) in FORBIDDEN.iter().filter(|(what, _)| line.text.contains(what)) {
                findings.push(Finding::new(&file.path, line.number, format!("`{what}`: {instead}")));
            }
        }
    }
    findings
}
