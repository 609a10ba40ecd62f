//! The `sched` group: what it costs to spawn, to join, to yield and to wake. `scaling` runs some of it with other
//! numbers of workers and of tasks.

mod cases;
mod oneshots;

pub use cases::cases;
pub use oneshots::{Oneshots, oneshot_cases};
