//! Group `timer`: the queues of deadlines by themselves, then the sleeps of whole runtimes.

use super::measured::Suite;
use super::{Context, GO, Group, OURS, Prepared, Result, peer, variant};

pub(super) const GROUP: Group = Group {
    name: NAME,
    summary: "deadline queues: tokio's DelayQueue, BTreeMap, BinaryHeap; sleeps and time-outs: tokio, smol, Go",
    prepare,
};

const NAME: &str = "timer";

const QUEUES: Suite = Suite {
    group: NAME,
    feature: "timer-queues",
    cases: &["queue_insert_cancel", "queue_insert_expire", "queue_server_mix"],
    contenders: &[OURS, variant("heap"), variant("wheel"), peer("DelayQueue"), peer("BTreeMap"), peer("BinaryHeap")],
};

const RUNTIMES: Suite = Suite {
    group: NAME,
    feature: "timer",
    cases: &["sleep_100k", "timeout_cancelled", "sleep_precision"],
    contenders: &[OURS, peer("tokio"), peer("smol"), GO],
};

fn prepare(context: &Context<'_>) -> Result<Prepared> {
    let mut prepared = QUEUES.prepare(context)?;
    prepared.extend(RUNTIMES.prepare(context)?);
    Ok(prepared)
}
