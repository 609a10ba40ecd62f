//! Group `sched`: whole runtimes at spawning, joining, yielding and waking.

use super::measured::Suite;
use super::{GO, Group, OURS, peer};

pub(super) const GROUP: Group = Group {
    name: NAME,
    summary: "spawn, join, yield and wake: tokio, smol, Go",
    prepare: |context| SUITE.prepare(context),
};

const NAME: &str = "sched";

const SUITE: Suite = Suite {
    group: NAME,
    feature: "sched",
    cases: &["spawn_join", "spawn_local_many", "spawn_remote", "yield_many", "ping_pong", "chained_spawn", "skynet"],
    contenders: &[OURS, peer("tokio"), peer("smol"), GO],
};
