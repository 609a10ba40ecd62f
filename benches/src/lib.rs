//! The workloads of `cargo xtask bench`: each case written once, for every runtime.
//!
//! The binaries of this package are the children that `cargo xtask bench` starts: one per runtime and group. A child
//! measures itself, or serves what `wrk` asks for, and prints one JSON line per measurement. All of them use
//! [`WORKERS`] worker threads, the release profile of the workspace and the system's allocator.

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "sched")]
pub mod sched;

/// Worker threads of every runtime that is measured.
pub const WORKERS: usize = 2;
