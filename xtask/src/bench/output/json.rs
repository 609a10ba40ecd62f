//! `report.json`.

use serde_json::{Map, Value, json};

use super::super::rows::Row;
use super::{Report, machine};

/// The report as a document: `rows`, and what one must know to read them.
///
/// A row's `ratio` is ours ÷ the figure of `of`; `goal_is` says on which side of `goal` it is to be, or `ours` itself. What
/// was not measured, or has no goal, is null.
pub(super) fn render(report: &Report<'_>) -> Value {
    let machine: Map<String, Value> =
        machine::facts().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let skipped = report.skipped.iter().map(|skipped| json!({"what": skipped.what, "install": skipped.remedy}));
    json!({
        "rows": report.rows.iter().map(row).collect::<Vec<_>>(),
        "rounds": report.rounds,
        "quick": report.options.quick,
        "machine": machine,
        "skipped": skipped.collect::<Vec<_>>(),
    })
}

fn row(row: &Row) -> Value {
    let peers: Map<String, Value> =
        row.others().map(|figure| (figure.contender.name.to_owned(), figure.median.into())).collect();
    let spread: Map<String, Value> = row
        .figures
        .iter()
        .map(|figure| (figure.contender.name.to_owned(), json!([figure.least, figure.most])))
        .collect();
    json!({
        "group": row.group,
        "case": row.name,
        "unit": row.unit.name(),
        "better": if row.unit.higher_is_better() { "higher" } else { "lower" },
        "ours": row.ours().map(|figure| figure.median),
        "peers": peers,
        "of": row.rival,
        "ratio": row.ratio,
        "goal": row.goal.map(|goal| goal.number()),
        "goal_is": row.goal.map(|goal| goal.direction()),
        "met": row.met(),
        "tie": row.is_tie(),
        "errors": row.errors,
        "spread": spread,
    })
}
