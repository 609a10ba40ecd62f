//! Group `scaling`: the `sched` rows with more workers than there are cores, and with more and more tasks.
//!
//! A row of the first half has a column per number of workers, all of them ours: the one with 16 stands where ours
//! stands elsewhere, and is held against the one with 2.

use super::measured::{self, Child, Suite};
use super::{Contender, Context, GO, Group, OURS, Prepared, Result, Role, peer, variant};

pub(super) const GROUP: Group = Group {
    name: NAME,
    summary: "ours with 1, 2, 4, 8, 16 workers; what a task costs among 10³ to 10⁷: tokio, smol, Go",
    prepare,
};

const NAME: &str = "scaling";

/// The case as its child knows it, and its row.
const CASES: [(&str, &str); 5] = [
    ("spawn_join", "spawn_join@16"),
    ("spawn_local_many", "spawn_local_many@16"),
    ("yield_many", "yield_many@16"),
    ("chained_spawn", "chained_spawn@16"),
    ("skynet", "skynet@16"),
];

const WORKERS: [(usize, Contender); 5] = [
    (16, Contender { name: "16 workers", role: Role::Ours }),
    (1, variant("1")),
    (2, variant("2")),
    (4, variant("4")),
    (8, variant("8")),
];

const CURVE: Suite = Suite {
    group: NAME,
    feature: "sched",
    cases: &["tasks_1e3", "tasks_1e4", "tasks_1e5", "tasks_1e6", "tasks_1e7"],
    contenders: &[OURS, peer("tokio"), peer("smol"), GO],
};

fn prepare(context: &Context<'_>) -> Result<Prepared> {
    let binary = measured::build(context, "sched")?;
    let quick = context.options.quick;
    let mut prepared = Prepared::default();
    for (case, row) in CASES {
        for (workers, contender) in WORKERS.into_iter().filter(|(workers, _)| !quick || matches!(workers, 2 | 16)) {
            let child = Child::new(context, &binary, OURS.name, case).workers(workers);
            prepared.cells.push(child.cell(NAME, row, contender));
        }
    }
    let cases = if quick { &CURVE.cases[..3] } else { CURVE.cases };
    prepared.extend(Suite { cases, ..CURVE }.prepare(context)?);
    Ok(prepared)
}
