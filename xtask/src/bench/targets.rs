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

/// A number, and on which side of it the goal lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// The ratio to the rival.
    AtMost(f64),
    /// The ratio to the rival.
    AtLeast(f64),
    /// Our own figure, whatever the others do: for what ought to be nothing at all.
    OursAtMost(f64),
}

impl Goal {
    pub(super) fn number(self) -> f64 {
        match self {
            Goal::AtMost(number) | Goal::AtLeast(number) | Goal::OursAtMost(number) => number,
        }
    }

    pub(super) fn direction(self) -> &'static str {
        match self {
            Goal::AtMost(_) => "at most",
            Goal::AtLeast(_) => "at least",
            Goal::OursAtMost(_) => "ours at most",
        }
    }

    /// Whether our figure, or its ratio to the rival's, meets the goal. `None` if what it needs is not there. A ratio counts as it is
    /// printed, in hundredths.
    pub(super) fn is_met(self, ours: Option<f64>, ratio: Option<f64>) -> Option<bool> {
        let printed = |ratio: f64| (ratio * 100.0).round() / 100.0;
        match self {
            Goal::AtMost(goal) => Some(printed(ratio?) <= goal),
            Goal::AtLeast(goal) => Some(printed(ratio?) >= goal),
            Goal::OursAtMost(goal) => Some(ours? <= goal),
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
    let numbers = ["at_most", "at_least", "ours_at_most"].map(number);
    let [at_most, at_least, ours_at_most] = numbers.map(Option::transpose);
    let goal = match (at_most?, at_least?, ours_at_most?) {
        (Some(ratio), None, None) => Goal::AtMost(ratio),
        (None, Some(ratio), None) => Goal::AtLeast(ratio),
        (None, None, Some(figure)) => Goal::OursAtMost(figure),
        _ => bail!("needs one of at_most, at_least and ours_at_most"),
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
    use super::super::GROUPS;
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
        let of_ratio = |goal: Goal, ratio| goal.is_met(None, Some(ratio)).unwrap();
        assert!(of_ratio(Goal::AtMost(0.5), 0.504) && !of_ratio(Goal::AtMost(0.5), 0.506));
        assert!(of_ratio(Goal::AtLeast(1.0), 0.996) && !of_ratio(Goal::AtLeast(1.0), 0.994));
        assert_eq!(Goal::OursAtMost(0.0).is_met(Some(0.0), None), Some(true));
        assert_eq!(Goal::OursAtMost(0.0).is_met(Some(0.5), Some(0.1)), Some(false));
        assert_eq!(Goal::AtMost(1.0).is_met(Some(1.0), None), None);
    }

    #[test]
    fn the_file_in_the_tree_is_valid() {
        let targets = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/targets.toml")).unwrap();
        for Target { group, .. } in targets {
            assert!(GROUPS.iter().any(|known| known.name == group), "there is no group {group}");
        }
    }
}
