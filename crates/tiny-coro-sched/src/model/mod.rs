//! Loom models of the protocols that are not visible from outside: task cell, idle protocol, a worker's sleep, the queues, the
//! watch, the main future, the blocking pool, the hand-over.
//!
//! `RUSTFLAGS="--cfg tiny_coro_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --profile loom -p tiny-coro-sched --lib`
//!
//! Each model names the invariants that it holds. One thing is not modelled, because what it sleeps on is not behind the seam: the
//! wait in the poller, in whose place a parker stands here.

mod blocking;
mod current;
mod handover;
mod idle;
mod injector;
mod task;
mod watch;
mod worker;

/// Runs `model` with at least five preemptions: for the protocols at the core.
fn core(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(5));
    builder.check(model);
}
