//! One row as a bar chart: an SVG that needs nothing from outside.

use std::fmt::Write;

use super::super::Role;
use super::super::rows::{Figure, Row};
use super::super::targets::Goal;
use super::html::escape;

/// Geometry, in SVG units.
const LABEL: f64 = 110.0;
const BAR: f64 = 330.0;
const VALUE: f64 = 90.0;
const STEP: f64 = 24.0;
const THICKNESS: f64 = 14.0;

/// A bar per contender from zero to its median, a line over it from its least to its most, and a mark at the goal.
pub(super) fn render(row: &Row) -> String {
    let goal = goal_value(row);
    let most = row.figures.iter().map(|figure| figure.most).chain(goal).fold(f64::MIN_POSITIVE, f64::max);
    let scale = |value: f64| LABEL + value / most * BAR;
    let (width, height) = (LABEL + BAR + VALUE, STEP * row.figures.len() as f64 + 4.0);
    let mut svg = format!(r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#, escape(&row.name));
    for (index, figure) in row.figures.iter().enumerate() {
        bar(&mut svg, row, figure, index as f64 * STEP + 4.0, &scale);
    }
    if let Some(goal) = goal {
        let x = scale(goal);
        let _ = write!(
            svg,
            r#"<line class="goal" x1="{x:.1}" x2="{x:.1}" y1="0" y2="{height}"><title>goal</title></line>"#
        );
    }
    svg.push_str("</svg>");
    svg
}

fn bar(svg: &mut String, row: &Row, figure: &Figure, top: f64, scale: &impl Fn(f64) -> f64) {
    let class = match figure.contender.role {
        Role::Ours => "ours",
        Role::Peer => "peer",
        Role::Variant => "variant",
        Role::Limit => "limit",
    };
    let (name, value) = (escape(figure.contender.name), row.unit.show(figure.median));
    let (baseline, middle) = (top + THICKNESS - 3.0, top + THICKNESS / 2.0);
    let (least, median, most) = (scale(figure.least), scale(figure.median), scale(figure.most));
    let _ = write!(
        svg,
        r#"<text x="{:.1}" y="{baseline:.1}" text-anchor="end">{name}</text><rect class="{class}" x="{LABEL}" y="{top:.1}" width="{:.1}" height="{THICKNESS}"/><line class="spread" x1="{least:.1}" x2="{most:.1}" y1="{middle:.1}" y2="{middle:.1}"/><text x="{:.1}" y="{baseline:.1}">{value}</text>"#,
        LABEL - 8.0,
        median - LABEL,
        most + 8.0,
    );
}

/// The figure that would just meet the goal.
fn goal_value(row: &Row) -> Option<f64> {
    if let Some(Goal::OursAtMost(figure)) = row.goal {
        return Some(figure);
    }
    let rival = row.others().find(|figure| Some(figure.contender.name) == row.rival)?;
    Some(rival.median * row.goal?.number())
}
