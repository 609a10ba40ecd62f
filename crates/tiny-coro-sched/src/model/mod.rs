//! Loom models of the protocols that are not visible from outside: task cell, idle protocol, a worker's sleep.
//!
//! `RUSTFLAGS="--cfg tiny_coro_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --profile loom -p tiny-coro-sched --lib`

mod idle;
mod task;
