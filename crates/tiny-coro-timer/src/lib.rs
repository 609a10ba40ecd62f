//! Keeps deadlines in order: a timer queue without a clock and without threads.
//!
//! A runtime has many timers, most of which are cancelled before they fire, and one question: until when may I sleep? This crate
//! answers it, and hands out what is due. It asks no clock: the caller says what time it is, so a test can say so too. It starts no
//! thread and takes no lock: it belongs to whoever has it `&mut`.
//!
//! # Vocabulary
//!
//! - **Deadline**: a `u64` of the caller's unit. The reactor uses nanoseconds since its start.
//! - **Timer**: a deadline and a value. **Key**: the name of a timer for as long as it is in the queue.
//! - **Expire**: take out what is due. A timer is due when its deadline is `now` or earlier.
//!
//! # Protocol
//!
//! ```text
//! insert ──▶ waiting ──── expire, pop_expired ──▶ gone: the value is the caller's,
//!             │   ▲ └──── cancel, clear ────────▶       the key names nothing
//!             └───┘
//!             reset
//! ```
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by |
//! |---|---|---|---|
//! | T1 | no entry of the heap comes before its parent, in the order of (deadline, sequence) | `sift_up`, `sift_down` | the first entry is the next timer; equal deadlines fire in the order of insertion |
//! | T2 | the slab knows the position of each timer in the heap | `place` | `cancel` and `reset` need no search |
//! | T3 | a key is valid for one timer, ever | the slot's generation, which never comes round | a stale key cannot cancel a stranger |
//! | T4 | a timer has left the queue before its value is handed out | `remove_at` | a panic in the caller's code leaves a queue that works |
//!
//! # Example
//!
//! ```
//! use tiny_coro_timer::TimerQueue;
//!
//! let mut timers = TimerQueue::new();
//! let soup = timers.insert(300, "soup");
//! timers.insert(420, "tea");
//! timers.insert(60, "toast");
//! assert_eq!(timers.next_deadline(), Some(60));
//!
//! assert!(timers.reset(soup, 500)); // it needs longer
//! let mut ready = Vec::new();
//! assert_eq!(timers.expire(450, |meal| ready.push(meal)), 2);
//! assert_eq!(ready, ["toast", "tea"]);
//!
//! assert_eq!(timers.cancel(soup), Some("soup"));
//! assert_eq!(timers.cancel(soup), None);
//! ```
//!
//! # Backends
//!
//! [`TimerQueue`] is [`heap::TimerQueue`]. Another backend is a module beside [`heap`] whose `TimerQueue<T>` has the same inherent
//! methods, with the same keys, and passes `tests/conformance.rs` and `tests/properties.rs`; a feature then chooses which of them
//! has the plain name. A backend may be coarser inside, but a timer never fires early, and equal deadlines keep their order.
//!
//! # Limits and non-goals
//!
//! At most 2³² - 1 timers. A deadline of `u64::MAX` is due only at `u64::MAX`, which is for ever in nanoseconds. No periodic timers: reset
//! or insert again. `no_std`, with `alloc`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod heap;
mod slab;

pub use heap::TimerQueue;
pub use slab::Key;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
