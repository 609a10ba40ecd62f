//! The workloads of `cargo xtask bench`: each written once, for every contender.
//!
//! A group is a module and a feature. The module has a trait that says what a contender has to offer, the cases,
//! written against the trait, and a file per contender that implements it; the methods are the contender's own, called
//! directly, so that none pays for being measured beside others. A group's binary is the [`child`] that
//! `cargo xtask bench` starts, once per contender and case.
//!
//! | group | one contender is | binary |
//! |---|---|---|
//! | [`deque`], [`ebr`], [`parker`], [`timer_queues`] | a data structure | `bench-deque` and so on |
//! | [`sched`], [`timer`], [`sync`], [`memory`] | a [`runtime`] | `bench-sched` and so on |
//! | [`http`] | a server | `http-hyper` and so on, a binary each |
//!
//! All of them use the release profile of the workspace and the system's allocator, and every runtime has
//! [`workers`] worker threads.

pub mod child;
#[cfg(feature = "deque")]
pub mod deque;
#[cfg(feature = "ebr")]
pub mod ebr;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "parker")]
pub mod parker;
mod random;
#[cfg(feature = "runtimes")]
pub mod runtime;
#[cfg(feature = "sched")]
pub mod sched;
#[cfg(feature = "sync")]
pub mod sync;
#[cfg(feature = "timer")]
pub mod timer;
#[cfg(feature = "timer-queues")]
pub mod timer_queues;
pub mod usage;

pub use random::Random;

/// Worker threads of every runtime, unless `TINY_CORO_BENCH_WORKERS` says otherwise.
pub const WORKERS: usize = 2;

/// How many worker threads a runtime is to have.
#[must_use]
pub fn workers() -> usize {
    std::env::var("TINY_CORO_BENCH_WORKERS").ok().and_then(|number| number.parse().ok()).unwrap_or(WORKERS)
}
