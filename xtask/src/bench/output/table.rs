//! The table on the terminal: a line per row, a block for rows of a group that have the same contenders.

use std::fmt::Write;

use super::super::rows::Row;
use super::super::{Contender, Role};
use super::verdict;

/// Renders all rows.
pub(super) fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut rest = rows;
    while let [first, ..] = rest {
        let belongs =
            |row: &Row| row.group == first.group && row.figures.iter().all(|figure| is_in(first, figure.contender));
        let length = rest.iter().position(|row| !belongs(row)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(length);
        block(&mut text, head);
        rest = tail;
    }
    text
}

fn is_in(row: &Row, contender: Contender) -> bool {
    row.figures.iter().any(|figure| figure.contender == contender)
}

fn block(text: &mut String, rows: &[Row]) {
    let contenders = contenders(rows);
    let mut lines = vec![vec![rows[0].group.to_owned(), "unit".to_owned()]];
    lines[0].extend(contenders.iter().map(|contender| match contender.role {
        Role::Limit | Role::Variant => format!("({})", contender.name),
        _ => contender.name.to_owned(),
    }));
    lines[0].extend(["ratio", "of", "goal", ""].map(str::to_owned));
    for row in rows {
        let figure = |contender: &Contender| row.figures.iter().find(|figure| figure.contender == *contender);
        let mut line = vec![row.name.clone(), row.unit.name().to_owned()];
        line.extend(
            contenders.iter().map(|contender| {
                figure(contender).map_or_else(|| "–".to_owned(), |figure| row.unit.show(figure.median))
            }),
        );
        line.push(row.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")));
        line.push(row.rival.unwrap_or_default().to_owned());
        line.push(row.goal.map_or_else(String::new, |goal| format!("{} {:.2}", goal.direction(), goal.number())));
        line.push(verdict(row).to_owned());
        lines.push(line);
    }
    align(text, &lines, 2 + contenders.len() + 1);
}

/// Everyone who has a figure in one of `rows`, ours first.
fn contenders(rows: &[Row]) -> Vec<Contender> {
    let mut contenders = Vec::new();
    for figure in rows.iter().flat_map(|row| &row.figures) {
        if !contenders.contains(&figure.contender) {
            contenders.push(figure.contender);
        }
    }
    contenders.sort_by_key(|contender| contender.role != Role::Ours);
    contenders
}

/// Writes `lines` in columns; those from the third up to `numbers` hold numbers and go to the right.
fn align(text: &mut String, lines: &[Vec<String>], numbers: usize) {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    for line in lines {
        let mut out = String::new();
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let _ = if (2..numbers).contains(&column) {
                write!(out, "{cell:>width$}  ")
            } else {
                write!(out, "{cell:<width$}  ")
            };
        }
        text.push_str(out.trim_end());
        text.push('\n');
    }
    text.push('\n');
}
