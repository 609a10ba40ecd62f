//! Rows: medians, ratios, and whether a goal is met.

use super::rounds::{Failure, Results, Series};
use super::targets::{Goal, Target};
use super::{Contender, Role, Unit};

/// One line of the report.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) unit: Unit,
    /// In the order in which the group names them.
    pub(super) figures: Vec<Figure>,
    /// Ours ÷ the rival's, if both are there.
    pub(super) ratio: Option<f64>,
    /// Whose figure is in the denominator.
    pub(super) rival: Option<&'static str>,
    pub(super) goal: Option<Goal>,
    /// Who failed in this row's case, and why. The first row of the case carries it.
    pub(super) errors: Vec<String>,
}

/// What one contender reached.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) contender: Contender,
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Row {
    /// Whether the goal is met; `None` without a goal, or without the figures that it is about.
    pub(super) fn met(&self) -> Option<bool> {
        self.goal?.is_met(self.ours().map(|figure| figure.median), self.ratio)
    }

    /// Whether the goal is missed by no more than the rounds differ: measured against the rival's figure times the goal, each median lies
    /// within the other's range.
    pub(super) fn is_tie(&self) -> bool {
        let rival = || self.others().find(|figure| Some(figure.contender.name) == self.rival);
        let (Some(Goal::AtMost(goal) | Goal::AtLeast(goal)), Some(ours), Some(rival)) =
            (self.goal, self.ours(), rival())
        else {
            return false;
        };
        let is_within = |value: f64, least: f64, most: f64| least <= value && value <= most;
        self.met() == Some(false)
            && is_within(goal * rival.median, ours.least, ours.most)
            && is_within(ours.median, goal * rival.least, goal * rival.most)
    }

    /// Whether `--check` complains: a goal is missed, or a figure is missing because something broke.
    pub(super) fn falls_short(&self) -> bool {
        (self.met() == Some(false) && !self.is_tie()) || !self.errors.is_empty()
    }

    /// Whether the rival does better than we do.
    pub(super) fn is_slower(&self) -> bool {
        self.ratio.is_some_and(|ratio| if self.unit.higher_is_better() { ratio < 1.0 } else { ratio > 1.0 })
    }

    pub(super) fn ours(&self) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.contender.role == Role::Ours)
    }

    pub(super) fn others(&self) -> impl Iterator<Item = &Figure> {
        self.figures.iter().filter(|figure| figure.contender.role != Role::Ours)
    }

    /// Settles the ratio against `of`, or else against the best peer.
    fn settle(&mut self, of: Option<&str>) {
        let rival = match of {
            Some(name) => {
                self.others().find(|figure| figure.contender.name == name).map(|f| (f.contender.name, f.median))
            }
            None => {
                let peers = self.figures.iter().filter(|figure| figure.contender.role == Role::Peer);
                self.unit.best(peers.map(|figure| (figure.contender.name, figure.median)))
            }
        };
        let ratio = self.ours().zip(rival).map(|(ours, (_, theirs))| ours.median / theirs);
        // To nothing there is no ratio.
        self.ratio = ratio.filter(|ratio| ratio.is_finite());
        self.rival = self.ratio.and(rival).map(|(name, _)| name);
    }
}

/// Makes the rows in the order in which their cases were first run. A goal that looks at a row from another side adds
/// a row below it, with only the two contenders that it is about.
pub(super) fn from_results(results: &Results, targets: &[Target]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (group, case) in cases(results) {
        let errors: Vec<String> = results
            .failures
            .iter()
            .filter(|failure| (failure.group, failure.case) == (group, case))
            .map(|Failure { contender, error, .. }| format!("{}: {error}", contender.name))
            .collect();
        let of_case = || results.series.iter().filter(move |series| (series.group, series.case) == (group, case));
        let mut names: Vec<(&str, Unit)> = Vec::new();
        for series in of_case() {
            if !names.iter().any(|(name, _)| *name == series.row) {
                names.push((&series.row, series.unit));
            }
        }
        if names.is_empty() {
            names.push((case, Unit::RequestsPerSecond));
        }
        let first = rows.len();
        for (name, unit) in names {
            let figures: Vec<Figure> = of_case().filter(|series| series.row == name).map(figure).collect();
            rows.extend(looks(group, name, unit, &figures, targets));
        }
        rows[first].errors = errors;
    }
    rows
}

/// The row itself and what `targets` makes of it besides.
fn looks(group: &'static str, name: &str, unit: Unit, figures: &[Figure], targets: &[Target]) -> Vec<Row> {
    let row = |name: &str, figures: Vec<Figure>, target: Option<&Target>| {
        let (name, goal) = (name.to_owned(), target.map(|target| target.goal));
        let mut row = Row { group, name, unit, figures, ratio: None, rival: None, goal, errors: Vec::new() };
        row.settle(target.and_then(|target| target.of.as_deref()));
        row
    };
    let about: Vec<&Target> =
        targets.iter().filter(|target| target.group == group && target.measures == name).collect();
    let own = about.iter().find(|target| target.row == name).copied();
    let mut rows = vec![row(name, figures.to_vec(), own)];
    for target in about.into_iter().filter(|target| target.row != name) {
        let concerned = |contender: Contender| {
            contender.role == Role::Ours || target.of.as_deref().is_none_or(|of| of == contender.name)
        };
        let figures = figures.iter().filter(|figure| concerned(figure.contender)).cloned().collect();
        rows.push(row(&target.row, figures, Some(target)));
    }
    rows
}

/// Every group and case that was run, the ones where all contenders failed included.
fn cases(results: &Results) -> Vec<(&'static str, &'static str)> {
    let ran = results.series.iter().map(|series| (series.group, series.case));
    let failed = results.failures.iter().map(|failure| (failure.group, failure.case));
    let mut cases = Vec::new();
    for case in ran.chain(failed) {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    cases
}

fn figure(series: &Series) -> Figure {
    let mut values = series.values.clone();
    values.sort_by(f64::total_cmp);
    let (middle, last) = (values.len() / 2, values.len() - 1);
    let median = if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
    Figure { contender: series.contender, median, least: values[0], most: values[last] }
}

#[cfg(test)]
mod tests {
    use super::super::{OURS, peer};
    use super::*;

    const BARE: Contender = Contender { name: "bare", role: Role::Limit };

    fn series(contender: Contender, values: &[f64]) -> Series {
        let unit = Unit::RequestsPerSecond;
        Series { group: "http", case: "raw", row: "raw".into(), unit, contender, values: values.to_vec() }
    }

    fn target(row: &str, goal: Goal, of: Option<&str>) -> Target {
        let (group, measures) = ("http".to_owned(), "raw".to_owned());
        Target { group, row: row.into(), measures, goal, of: of.map(str::to_owned) }
    }

    #[test]
    fn the_best_peer_is_the_rival_and_the_limit_is_not() {
        let series = vec![
            series(OURS, &[90.0, 110.0, 100.0]),
            series(BARE, &[200.0]),
            series(peer("a"), &[80.0]),
            series(peer("b"), &[120.0, 130.0]),
        ];
        let targets =
            [target("raw", Goal::AtLeast(1.0), None), target("raw_of_limit", Goal::AtLeast(0.5), Some("bare"))];
        let rows = from_results(&Results { rounds: 3, series, failures: vec![] }, &targets);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].rival, rows[0].ratio, rows[0].met()), (Some("b"), Some(0.8), Some(false)));
        assert_eq!((rows[1].rival, rows[1].ratio, rows[1].met()), (Some("bare"), Some(0.5), Some(true)));
        assert_eq!(rows[1].figures.len(), 2);
        assert!(rows[0].is_slower());
    }

    #[test]
    fn a_goal_missed_within_the_spread_is_a_tie() {
        let rows = |ours: &[f64], theirs: &[f64]| {
            let series = vec![series(OURS, ours), series(peer("a"), theirs)];
            let target = [target("raw", Goal::AtLeast(1.0), None)];
            from_results(&Results { rounds: 3, series, failures: vec![] }, &target)
        };
        assert!(rows(&[96.0, 99.0, 103.0], &[98.0, 100.0, 104.0])[0].is_tie());
        // Ours reaches theirs now and then, but not the other way round.
        let clear = rows(&[80.0, 90.0, 103.0], &[98.0, 100.0, 104.0]);
        assert!(!clear[0].is_tie() && clear[0].falls_short());
        let met = rows(&[96.0, 101.0, 103.0], &[98.0, 100.0, 104.0]);
        assert!(!met[0].is_tie() && !met[0].falls_short());
    }

    #[test]
    fn a_failure_is_a_row_that_falls_short_even_if_nothing_was_measured() {
        let failure = Failure { group: "http", case: "raw", contender: OURS, error: "read 3".into() };
        let rows = from_results(&Results { rounds: 1, series: vec![], failures: vec![failure] }, &[]);
        assert_eq!(rows[0].errors, ["tiny-coro: read 3"]);
        assert!(rows[0].falls_short());
        assert_eq!(rows[0].met(), None);
    }
}
