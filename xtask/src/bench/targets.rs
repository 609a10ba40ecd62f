//! `benches/targets.toml`: what each row is to reach.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The goal of one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) group: String,
    /// The row that carries the goal.
    pub(super) row: String,
    /// The row whose figures it takes: itself, unless it looks at another one from another side.
    pub(super) measures: String,
    pub(super) goal: Goal,
    /// The contender in the denominator; the best peer if none is named.
    pub(super) of: Option<String>,
}

/// A ratio, and on which side of it the goal lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(super) fn ratio(self) -> f64 {
        match self {
            Goal::AtMost(ratio) | Goal::AtLeast(ratio) => ratio,
        }
    }

    pub(super) fn direction(self) -> &'static str {
        match self {
            Goal::AtMost(_) => "at most",
            Goal::AtLeast(_) => "at least",
        }
    }

    pub(super) fn is_met(self, ratio: f64) -> bool {
        match self {
            Goal::AtMost(goal) => ratio <= goal,
            Goal::AtLeast(goal) => ratio >= goal,
        }
    }
}

/// Reads the file: a table per group, an entry per row.
pub(super) fn load(path: &Path) -> Result<Vec<Target>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for (group, rows) in text.parse::<Table>()? {
        for (row, entry) in rows.as_table().with_context(|| format!("{group} is not a table"))? {
            targets.push(target(&group, row, entry).with_context(|| format!("{group}.{row}"))?);
        }
    }
    Ok(targets)
}

fn target(group: &str, row: &str, entry: &Value) -> Result<Target> {
    let number = |key: &str| {
        entry.get(key).map(|value| value.as_float().with_context(|| format!("{key} is not a number with a point")))
    };
    let goal = match (number("at_most").transpose()?, number("at_least").transpose()?) {
        (Some(ratio), None) => Goal::AtMost(ratio),
        (None, Some(ratio)) => Goal::AtLeast(ratio),
        _ => bail!("needs one of at_most and at_least"),
    };
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(Target {
        group: group.to_owned(),
        row: row.to_owned(),
        measures: text("measures").unwrap_or_else(|| row.to_owned()),
        goal,
        of: text("of"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_its_goal_and_may_name_its_rival() {
        let text = "[http]\nraw = { at_least = 1.0 }\nlimit = { measures = \"raw\", at_least = 0.95, of = \"bare\" }\n";
        let targets = parse(text).unwrap();
        let limit = targets.iter().find(|target| target.row == "limit").unwrap();
        assert_eq!((limit.measures.as_str(), limit.of.as_deref()), ("raw", Some("bare")));
        assert_eq!(limit.goal, Goal::AtLeast(0.95));
        let raw = targets.iter().find(|target| target.row == "raw").unwrap();
        assert_eq!((raw.measures.as_str(), raw.of.as_deref()), ("raw", None));
        assert!(parse("[http]\nraw = { of = \"bare\" }").is_err());
    }

    #[test]
    fn the_edge_of_a_goal_is_met() {
        assert!(Goal::AtMost(0.5).is_met(0.5) && !Goal::AtMost(0.5).is_met(0.51));
        assert!(Goal::AtLeast(1.0).is_met(1.0) && !Goal::AtLeast(1.0).is_met(0.99));
    }

    #[test]
    fn the_file_in_the_tree_is_valid() {
        load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/targets.toml")).unwrap();
    }
}
