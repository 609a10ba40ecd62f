//! The default backend: bags that belong to their participants, whichever backend the crate's own names stand for.
//!
//! The protocol is in the documentation of the [crate]. The parts, from the bottom up: the epoch and the pin word,
//! deferred functions, bags and orphans, participants and their registry, the collector, handles and guards.

mod bag;
mod collector;
mod counters;
mod deferred;
mod epoch;
mod global;
mod guard;
mod handle;
mod orphans;
mod participant;
mod registry;
mod stall;

pub use collector::Collector;
pub use global::{default_collector, is_pinned, pin, pin_fenced};
pub use guard::{Guard, unprotected};
pub use handle::LocalHandle;
