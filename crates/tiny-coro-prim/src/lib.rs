//! The seam between `std` and the model checker.
//!
//! A lock-free protocol is wrong in one schedule of millions, and no test finds that one. A model checker finds it: loom runs
//! a small program under every schedule, and lets every load return every value that the C11 memory model allows. But it
//! can do so only if each atomic, each cell, each lock and each thread is its own. So every protocol of tiny-coro is
//! written against the names of this crate, and nothing else:
//!
//! ```text
//!                 a protocol: tiny_coro_prim::{atomic, cell, sync, thread, hint}
//!                                             │
//!          normal build                       │ --cfg tiny_coro_loom               … and --cfg tiny_coro_shuttle
//!         ┌───────────────────────────────────┼──────────────────────────────────────┐
//!  std, parking_lot: re-exported,   loom: every access is a           shuttle: every access may be
//!  and compiled away                choice, and all are tried         a switch, drawn at random
//! ```
//!
//! The same source is the product and the model. There is one seam, here, so that no other crate repeats it.
//!
//! Loom tries everything, so its programs are small. [Shuttle](https://docs.rs/shuttle) draws schedules of larger ones, such as a whole
//! runtime, and prints a schedule that fails. Whichever checker it is, `tiny_coro_loom` is set: other crates ask for that when they
//! supply a stand-in, and find the checker's own names in `checker`.
//!
//! # What it re-exports
//!
//! | name | normal build | loom | shuttle |
//! |---|---|---|---|
//! | [`atomic`]`::*` | all of `std::sync::atomic` | all of `loom::sync::atomic` | all of `shuttle::sync::atomic` |
//! | [`atomic::full_fence`] | `fence(SeqCst)`, and what it costs | the same | the same, which does nothing |
//! | [`cell::UnsafeCell`] | a wrapper with closures, compiled away | tracks every access, reports a race | as in the normal build |
//! | [`sync::Arc`] | `std::sync::Arc` | `loom::sync::Arc`, reports a leak; has no `Weak` | `std::sync::Arc` |
//! | [`sync::Mutex`], [`sync::MutexGuard`] | `parking_lot`'s: small, no poisoning | `loom::sync::Mutex`, `lock` waits in the model | `shuttle::sync::Mutex`, likewise |
//! | [`sync::Condvar`] | `parking_lot`'s: no wake-up for no reason | first in, first out; a model says when deadlines pass | the same |
//! | [`thread`]`::*`, [`thread::thread_local!`] | all of `std::thread` | `loom::thread`: `spawn`, `yield_now`, `park`; no `scope`, no `sleep` | all of `shuttle::thread` |
//! | `thread::Builder` | `std`'s | refuses a thread where a model says so | the same |
//! | [`hint::spin_loop`] | `std::hint::spin_loop` | lets another thread run | the same |
//! | [`CachePadded`] | 128 bytes of its own | the same | the same |
//! | `checker` | – | `lazy_static`, `sync`, `allow_threads` | the same |
//!
//! # Example
//!
//! A one-shot flag that publishes a value. The same source is the product and the model.
//!
//! ```
//! use tiny_coro_prim::atomic::{AtomicBool, Ordering};
//! use tiny_coro_prim::cell::UnsafeCell;
//!
//! let (value, ready) = (UnsafeCell::new(0), AtomicBool::new(false));
//! // SAFETY: nobody else has the cell yet.
//! value.with_mut(|slot| unsafe { *slot = 7 });
//! ready.store(true, Ordering::Release); // pairs with the acquire load below
//! if ready.load(Ordering::Acquire) {
//!     // SAFETY: the writer is done once `ready` reads true.
//!     assert_eq!(value.with(|slot| unsafe { *slot }), 7);
//! }
//! ```
//!
//! To make a model of it, share the pair by [`sync::Arc`], give the halves to two threads of [`thread`], and run that inside
//! `loom::model` with `RUSTFLAGS="--cfg tiny_coro_loom"`. Turn the release into `Relaxed`, and loom reports the race: this
//! crate's own `tests/loom.rs` does just that.
//!
//! Beside the seam stands [`budget`], the one thing that the leaf futures of every layer share.
//!
//! # What the model checker does not see
//!
//! A loom model that passes is a proof for that program, up to these (shuttle, which proves nothing, sees no weak memory at all):
//!
//! - **Sequentially consistent accesses** are taken for release and acquire: loom finds executions that no machine has.
//!   `fence(SeqCst)` is modelled exactly. Write a store-load protocol ("announce, then look again") with
//!   [`full_fence`](atomic::full_fence).
//! - **Load buffering**: a relaxed load that is done after a later store of its thread. The memory model allows it, loom never
//!   tries it. Who needs the order between a load and a later store writes acquire or release, also where loom is content.
//! - **Spurious failures** of `compare_exchange_weak`, spurious wake-ups of a condition variable.
//! - **What does not pass the seam**: `std` atomics and plain memory, the kernel (a futex, an epoll set, a signal), the clock.
//!   A crate that sleeps or polls supplies a stand-in, and that is then what is checked.
//! - **Size**: a few threads and a few dozen operations. With a bound on preemptions, schedules that switch more often are
//!   left out. The bound is 3 here: 2 has missed a real bug in a work-stealing deque.
//! - **Progress**: a schedule that starves a thread for ever is cut off, not judged. A lost wake-up does show, as a deadlock.
//!
//! # Limits
//!
//! Loom's types have no `const fn new`, and those of either checker work only inside a model: a crate that needs a `static` must choose
//! it per build. A name that both sides have may lack a method on one: the build that lacks it says so.

#![forbid(unsafe_code)]

pub mod budget;
mod fence;
mod padded;
mod seam;

pub use padded::CachePadded;
#[cfg(tiny_coro_loom)]
pub use seam::checker;
pub use seam::{atomic, cell, hint, sync, thread};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
