//! Group `sched`: a child measures itself and prints nanoseconds per operation.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Cell, Contender, Context, Group, OURS, Prepared, Sample, Unit, build, peer, process};

pub(super) const GROUP: Group = Group { name: NAME, summary: "spawn, join, yield and wake: tokio, smol, Go", prepare };

const NAME: &str = "sched";

/// The cases in the order of the report. A contender runs those that its child lists.
const CASES: [&str; 7] =
    ["spawn_join", "spawn_local_many", "spawn_remote", "yield_many", "ping_pong", "chained_spawn", "skynet"];

const LIMIT: Duration = Duration::from_secs(60);

fn prepare(context: &Context<'_>) -> Result<Prepared> {
    let folder = build::rust(context, NAME)?;
    let mut prepared = Prepared::default();
    let mut children: Vec<(Contender, PathBuf)> = vec![
        (OURS, folder.join("sched-tiny-coro")),
        (peer("tokio"), folder.join("sched-tokio")),
        (peer("smol"), folder.join("sched-smol")),
    ];
    match build::go(context, NAME)? {
        Ok(binary) => children.push((peer("Go"), binary)),
        Err(skipped) => prepared.skipped.push(skipped),
    }
    let children = children.into_iter().map(|(contender, binary)| {
        let listed = process::output(&mut Command::new(&binary), LIMIT)?;
        Ok((contender, binary, listed))
    });
    let children = children.collect::<Result<Vec<_>>>()?;
    for case in CASES {
        for (contender, binary, listed) in &children {
            if listed.lines().any(|line| line == case) {
                let binary = binary.clone();
                let job = Box::new(move || measure(&binary, case));
                prepared.cells.push(Cell { group: NAME, case, contender: *contender, job });
            }
        }
    }
    Ok(prepared)
}

fn measure(binary: &Path, case: &'static str) -> Result<Vec<Sample>> {
    let printed = process::output(Command::new(binary).arg(case), LIMIT)?;
    let line: Value = serde_json::from_str(printed.trim()).with_context(|| format!("not JSON: {printed}"))?;
    let value = line["ns_per_op"].as_f64().with_context(|| format!("no ns_per_op in {printed}"))?;
    Ok(vec![Sample { row: case.to_owned(), unit: Unit::NanosPerOperation, value }])
}
