//! Group `sync`: channels and locks between tasks.

use super::measured::Suite;
use super::{GO, Group, OURS, peer, variant};

pub(super) const GROUP: Group = Group {
    name: NAME,
    summary: "channels and locks between tasks: tokio, smol's async-channel and async-lock, kanal, flume, Go",
    prepare: |context| SUITE.prepare(context),
};

const NAME: &str = "sync";

const SUITE: Suite = Suite {
    group: NAME,
    feature: "sync",
    cases: &["channel_ping_pong", "channel_4p1c", "channel_rendezvous", "mutex_8x"],
    // kanal and flume run on tokio; on our executor kanal shows how much of the difference is the channel.
    contenders: &[OURS, peer("tokio"), peer("smol"), peer("kanal"), peer("flume"), GO, variant("kanal_on_ours")],
};
