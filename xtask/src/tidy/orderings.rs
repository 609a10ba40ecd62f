//! Ordering IDs: who writes `ORDERING D2` names an edge, and an edge has two ends and a row in a table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Finding, Library};
use crate::source::{File, Kind};

/// How far above an atomic operation its `ORDERING` comment may begin.
const REACH: usize = 10;

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// Checks that each ID stands in at least two comments of the crate and in one of its invariants tables.
pub(super) fn check(library: &Library<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ends: BTreeMap<String, Vec<(PathBuf, usize)>> = BTreeMap::new();
    let mut rows: Vec<String> = Vec::new();
    for file in &library.source {
        for line in &file.lines {
            rows.extend(table_row(&line.text));
            let Some(ids) = ordering_ids(&line.text) else { continue };
            if ids.is_empty() {
                findings.push(Finding::new(
                    &file.path,
                    line.number,
                    "an ORDERING comment without an ID: name its edge",
                ));
            }
            for id in ids {
                ends.entry(id).or_default().push((file.path.clone(), line.number));
            }
        }
    }
    for (id, places) in ends {
        let (path, line) = &places[0];
        if places.len() == 1 {
            findings.push(Finding::new(
                path,
                *line,
                format!("ORDERING {id} stands only here: where is its other end?"),
            ));
        }
        if !rows.contains(&id) {
            let message =
                format!("ORDERING {id} has no row `| {id} | … |` in a module doc of {}", library.package.name);
            findings.push(Finding::new(path, *line, message));
        }
    }
    findings
}

/// Prints, per crate that uses atomics, how many operations there are and how many nobody explains.
///
/// A report, not a rule: a counter needs no comment, and only a reader can tell a counter from a protocol.
pub(super) fn report(libraries: &[Library<'_>]) {
    println!("{:<20} {:>12} {:>16} {:>24}", "crate", "atomic sites", "no ORDERING near", "of these not Relaxed");
    for library in libraries {
        let mut sites = Sites::default();
        for file in &library.source {
            sites.count(file);
        }
        if sites.all > 0 {
            let name = &library.package.name;
            println!("{name:<20} {:>12} {:>16} {:>24}", sites.all, sites.unexplained, sites.unexplained_strong);
        }
    }
    println!();
}

#[derive(Default)]
struct Sites {
    all: usize,
    unexplained: usize,
    unexplained_strong: usize,
}

impl Sites {
    fn count(&mut self, file: &File) {
        let mut explained_until = 0;
        for line in &file.lines {
            if ordering_ids(&line.text).is_some() {
                explained_until = line.number + REACH;
            }
            if line.kind != Kind::Code || line.test || line.text.trim_start().starts_with("use ") {
                continue;
            }
            let named: Vec<&str> = words(&line.text).filter(|word| ORDERINGS.contains(word)).collect();
            if named.is_empty() {
                continue;
            }
            self.all += 1;
            if line.number > explained_until {
                self.unexplained += 1;
                self.unexplained_strong += usize::from(named.iter().any(|ordering| *ordering != "Relaxed"));
            }
        }
    }
}

/// The IDs of an `ORDERING X1, X2: …` comment; `None` if the line has no such comment.
fn ordering_ids(line: &str) -> Option<Vec<String>> {
    let comment = &line[line.find("//")?..];
    let rest = comment[comment.find("ORDERING ")?..].strip_prefix("ORDERING ")?;
    let head = rest.split_once(':').map_or("", |(head, _)| head);
    Some(words(head).filter(|word| is_id(word)).map(str::to_owned).collect())
}

/// The ID of a row of an invariants table in a module doc.
fn table_row(line: &str) -> Option<String> {
    let row = line.trim_start().strip_prefix("//!")?.trim_start().strip_prefix('|')?;
    let id = row.split('|').next()?.trim().trim_matches(['*', '`']);
    is_id(id).then(|| id.to_owned())
}

/// One to four capitals and a number, such as `D2` or `EBR11`.
fn is_id(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = &word[letters..];
    (1..=4).contains(&letters) && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_between_the_word_and_the_colon() {
        assert_eq!(ordering_ids("    // ORDERING D2: release. Pairs with A1 in x."), Some(vec!["D2".into()]));
        assert_eq!(ordering_ids("x(); // ORDERING D2, EBR11: both."), Some(vec!["D2".into(), "EBR11".into()]));
        assert_eq!(ordering_ids("// ORDERING as usual"), Some(vec![]));
        assert_eq!(ordering_ids("let ordering = 1; // no"), None);
    }

    #[test]
    fn a_table_row_begins_with_its_id() {
        assert_eq!(table_row("//! | D2 | a slot is written first |"), Some("D2".into()));
        assert_eq!(table_row("//! | **D2** | bold |"), Some("D2".into()));
        assert_eq!(table_row("//! | ID | always true |"), None);
        assert_eq!(table_row("// | D2 | not a doc |"), None);
    }
}
