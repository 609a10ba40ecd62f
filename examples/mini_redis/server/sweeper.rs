//! The task that removes expired keys which nobody asks for.

use std::sync::Weak;
use std::time::Duration;

use tiny_coro::sync::channel::Receiver;

use crate::mini_redis::commands::Shared;

use super::connection::unix_milliseconds;

/// Not more often than this, however close together the deadlines are.
const SHORTEST: u64 = 100;
/// Not less often than this: a key that was added meanwhile may be due before the others.
const LONGEST: u64 = 1_000;

/// Sweeps while some key has a deadline. Without one it waits for `alarms` and costs nothing.
pub(super) async fn run(shared: Weak<Shared>, alarms: Receiver<()>) {
    while alarms.recv().await.is_ok() {
        loop {
            let now = unix_milliseconds();
            let Some(next) = shared.upgrade().and_then(|shared| shared.store.sweep(now)) else { break };
            let pause = next.saturating_sub(now).clamp(SHORTEST, LONGEST);
            tiny_coro::sleep(Duration::from_millis(pause)).await;
        }
    }
}
