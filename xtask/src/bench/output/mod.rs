//! The report: a table on the terminal, `report.json`, `report.html`.

mod chart;
mod html;
mod json;
mod machine;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Skipped;
use super::options::Options;
use super::rows::Row;
use super::targets::Goal;

/// Everything that there is to say about a run.
pub(super) struct Report<'a> {
    pub(super) rows: &'a [Row],
    pub(super) skipped: &'a [Skipped],
    pub(super) rounds: usize,
    pub(super) options: &'a Options,
}

impl Report<'_> {
    /// Writes `report.json` and `report.html` into `folder`, and the JSON to `copy` too.
    pub(super) fn write(&self, folder: &Path, copy: Option<&Path>) -> Result<()> {
        let json = format!("{:#}\n", json::render(self));
        write(&folder.join("report.json"), &json)?;
        write(&folder.join("report.html"), &html::render(self))?;
        copy.map_or(Ok(()), |path| write(path, &json))
    }

    /// Prints the table, what was left out, and on the last lines where we are behind.
    pub(super) fn print(&self, folder: &Path) {
        print!("{}", table::render(self.rows));
        for skipped in self.skipped {
            println!("skipped: {}. To install: {}", skipped.what, skipped.remedy);
        }
        println!("{}; report: {}/report.html\n", self.effort(), folder.display());
        let behind = behind(self.rows);
        if behind.is_empty() {
            println!("behind: nowhere");
        } else {
            println!("behind:");
            behind.iter().for_each(|line| println!("  {line}"));
        }
        let ties: Vec<_> = self.rows.iter().filter(|row| row.is_tie()).map(full_name).collect();
        if !ties.is_empty() {
            println!("missed by less than the rounds differ: {}", ties.join(", "));
        }
    }

    /// How much was measured, in words.
    fn effort(&self) -> String {
        let load = self.options.effort().load.as_secs();
        let rounds = if self.rounds == 1 { "one round".into() } else { format!("{} interleaved rounds", self.rounds) };
        format!("medians of {rounds}, {load} s of load each where there is load")
    }
}

fn full_name(row: &Row) -> String {
    format!("{}/{}", row.group, row.name)
}

/// A line for each row that misses its goal by more than the rounds differ, is slower than its rival, or has an error.
fn behind(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let name = full_name(row);
        lines.extend(row.errors.iter().map(|error| format!("{name}: error: {error}")));
        if let (Some(Goal::OursAtMost(goal)), Some(false), Some(ours)) = (row.goal, row.met(), row.ours()) {
            let (figure, unit) = (row.unit.show(ours.median), row.unit.name());
            lines.push(format!("{name}: {figure} {unit}, the goal is at most {goal}"));
            continue;
        }
        let (Some(ratio), Some(rival)) = (row.ratio, row.rival) else { continue };
        match row.goal {
            Some(_) if row.is_tie() => {}
            Some(goal) if row.met() == Some(false) => {
                let (direction, goal) = (goal.direction(), goal.number());
                lines.push(format!("{name}: {ratio:.2} × {rival}, the goal is {direction} {goal:.2}"));
            }
            None if row.is_slower() => lines.push(format!("{name}: {ratio:.2} × {rival}, no goal is set")),
            _ => {}
        }
    }
    lines
}

/// The verdict in a word.
fn verdict(row: &Row) -> &'static str {
    match (row.met(), row.errors.is_empty()) {
        (_, false) => "error",
        (Some(true), _) => "met",
        (Some(false), _) if row.is_tie() => "tie",
        (Some(false), _) => "behind",
        (None, _) => "",
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
