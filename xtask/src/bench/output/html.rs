//! `report.html`: one file, no script, nothing from the network.

use std::fmt::Write;

use super::super::rows::Row;
use super::{Report, behind, chart, machine, verdict};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1f24; --soft: #6a717c; --line: #d9dde3; --page: #fff;
  --ours: #1f6feb; --peer: #a9b3c1; --limit: #d8c9a3; --variant: #9cc2f7; --good: #1a7f37; --bad: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #98a1ad; --line: #30363d; --page: #14171b;
  --ours: #58a6ff; --peer: #57606c; --limit: #7d6f49; --variant: #2b4b73; --good: #3fb950; --bad: #f0883e; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 74rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
.rows { display: grid; grid-template-columns: repeat(auto-fill, minmax(30rem, 1fr)); gap: 1.2rem 2rem; }
.row h3 { font-size: 1rem; margin: 0; } .row p { margin: 0; color: var(--soft); }
svg { width: 100%; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.ours { fill: var(--ours); } .peer { fill: var(--peer); } .limit { fill: var(--limit); } .variant { fill: var(--variant); }
.spread { stroke: var(--ink); opacity: .55; } .goal { stroke: var(--good); stroke-dasharray: 4 3; }
.met { color: var(--good); } .behind, .error { color: var(--bad); } .soft { color: var(--soft); }
li { margin: .1rem 0; }
";

/// The whole page.
pub(super) fn render(report: &Report<'_>) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>tiny-coro: benchmarks</title>\
         <style>{STYLE}</style></head><body>\n<h1>tiny-coro and its peers</h1>\n"
    );
    let facts: Vec<String> = machine::facts().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let _ = writeln!(
        page,
        "<p class=\"soft\">{}. {}. Bars are medians, the thin line goes from the least to the most, the dashed line is \
         the goal. Only ratios within one run mean something.</p>",
        escape(&report.effort()),
        escape(&facts.join("; "))
    );
    list(&mut page, "Behind", &behind(report.rows));
    let skipped = report.skipped.iter().map(|skipped| format!("{}: {}", skipped.what, skipped.remedy));
    list(&mut page, "Skipped", &skipped.collect::<Vec<_>>());
    for group in report.rows.chunk_by(|a, b| a.group == b.group) {
        let _ = writeln!(page, "<h2>{}</h2><div class=\"rows\">", escape(group[0].group));
        group.iter().for_each(|row| section(&mut page, row));
        page.push_str("</div>\n");
    }
    page.push_str("</body></html>\n");
    page
}

fn section(page: &mut String, row: &Row) {
    let better = if row.unit.higher_is_better() { "higher is better" } else { "lower is better" };
    let ratio = row.ratio.zip(row.rival).map_or_else(String::new, |(ratio, of)| format!(" · {ratio:.2} × {of}"));
    let goal = row.goal.map_or_else(String::new, |goal| format!(", goal {} {:.2}", goal.direction(), goal.number()));
    let verdict = verdict(row);
    let _ = writeln!(
        page,
        "<div class=\"row\"><h3>{}</h3><p>{}, {better}{}{} <span class=\"{verdict}\">{verdict}</span></p>{}",
        escape(&row.name),
        row.unit.name(),
        escape(&ratio),
        escape(&goal),
        chart::render(row)
    );
    list(page, "", &row.errors);
    page.push_str("</div>\n");
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    if !title.is_empty() {
        let _ = write!(page, "<h2>{title}</h2>");
    }
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    let _ = writeln!(page, "<ul>{items}</ul>");
}

/// Text that is safe between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_message_stays_text() {
        assert_eq!(escape("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
