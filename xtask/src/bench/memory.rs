//! Group `memory`: what a sleeping task and an idle connection keep, and whether an idle server rests.

use std::time::Duration;

use super::idle::Idle;
use super::measured::Suite;
use super::{Cell, Context, GO, Group, OURS, Prepared, Result, Skipped, build, peer};

pub(super) const GROUP: Group = Group {
    name: NAME,
    summary: "bytes per sleeping task: tokio, smol, Go; per idle connection, and its wake-ups: hyper, Go",
    prepare,
};

const NAME: &str = "memory";

/// A case that fills two rows, `bytes_per_idle_conn` and `idle_wakeups`.
const IDLE: &str = "idle_connections";

const TASKS: Suite = Suite {
    group: NAME,
    feature: "memory",
    cases: &["bytes_per_task"],
    contenders: &[OURS, peer("tokio"), peer("smol"), GO],
};

fn prepare(context: &Context<'_>) -> Result<Prepared> {
    let mut prepared = TASKS.prepare(context)?;
    if Idle::supported() {
        prepared.extend(idle(context)?);
    } else {
        let what = "resident memory and context switches (all of group memory)".into();
        prepared.skipped.push(Skipped { what, remedy: "a system that has /proc, such as Linux".into() });
    }
    Ok(prepared)
}

fn idle(context: &Context<'_>) -> Result<Prepared> {
    let mut prepared = Prepared::default();
    let folder = build::rust(context, "http", &["bench-connections", "http-tiny-coro", "http-hyper"])?;
    let mut servers = vec![(OURS, folder.join("http-tiny-coro")), (peer("hyper"), folder.join("http-hyper"))];
    match build::go(context, "http")? {
        Ok(binary) => servers.push((GO, binary)),
        Err(skipped) => prepared.skipped.push(skipped),
    }
    let time = Duration::from_secs(if context.options.quick { 1 } else { 5 });
    for (contender, server) in servers {
        let idle = Idle { server, client: folder.join("bench-connections"), time };
        prepared.cells.push(Cell { group: NAME, case: IDLE, contender, job: Box::new(move || idle.measure()) });
    }
    Ok(prepared)
}
