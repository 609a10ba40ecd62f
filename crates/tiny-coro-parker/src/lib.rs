//! Lets one thread sleep until another wakes it: a parker with one permit.
//!
//! A worker that has nothing to do must sleep, and whoever brings work must wake it, however the two race: work may come before the
//! worker sleeps, while it falls asleep, or as it gives up waiting. A *permit* makes all of these one case. It is like
//! `std::thread::park`, with three differences: the sleeper is a value and not a thread, so that strangers' `unpark` calls cannot
//! be confused with ours; it never wakes without a permit; and a sleep with a deadline says whether it got one.
//!
//! # Vocabulary
//!
//! - **Permit**: the right to go on once. It is there or not; two are one.
//! - **Owner**: the thread that has the [`Parker`].
//! - **Park**: take the permit, asleep until it comes. **Unpark**: leave the permit, and wake the owner if it sleeps.
//!
//! # Protocol
//!
//! One word says everything, and is also what the owner sleeps on.
//!
//! ```text
//!            unpark                      unpark: wake the owner
//!        ┌────────────▶ NOTIFIED ◀───────────────────────────┐
//!        │                 │                                 │
//!        │    park: take   │                                 │
//!      EMPTY ◀─────────────┘                               PARKED
//!        │ ▲                          deadline passed        ▲ │
//!        │ └─────────────────────────────────────────────────┼─┘
//!        └───────────────────────────────────────────────────┘
//!                               park
//! ```
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! |---|---|---|---|---|
//! | K1 | a permit is taken exactly once, or stays for the next park; a time-out loses none | each transition is one read-modify-write | `park*` return only with a permit, or `false` without | `permit_before_park`, `double_unpark_is_one_permit`, `time_out_against_unpark`, `late_wake_is_not_a_permit` |
//! | K2 | only the owner takes a permit or enters PARKED | `Parker: !Sync` | `announce` needs no loop | – (the type) |
//! | K3 | what was written before an unpark is seen after the park that takes the permit | release in `grant`, acquire in `take`, `announce`, `retract` | anything handed over by unparking | `publishes_on_every_path`, `publishes_for_all_unparkers` |
//! | K4 | an owner in PARKED either is asleep, or will see that the word has changed before it is | the backend compares and falls asleep in one step | no wake is lost | `permit_while_falling_asleep`, `ping_pong` |
//! | K5 | unpark makes a system call only when it leaves PARKED | `grant` returns what it replaced | cheap unparks of busy workers | – (a unit test) |
//!
//! # Example
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use tiny_coro_parker::Parker;
//!
//! let (answer, parker) = (AtomicU32::new(0), Parker::new());
//! let unparker = parker.unparker();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         answer.store(42, Ordering::Relaxed);
//!         unparker.unpark();
//!     });
//!     parker.park(); // sleeps at most once, and never for nothing
//!     assert_eq!(answer.load(Ordering::Relaxed), 42);
//! });
//! ```
//!
//! # Limits and non-goals
//!
//! One sleeper per parker; it does not spin before it sleeps, since only its user knows whether that pays. The feature
//! `fallback` chooses the standard library's condition variable on Linux too, which other systems and 32-bit Linux always use.

mod parker;
mod permit;
mod sys;

pub use parker::{Parker, Unparker};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
