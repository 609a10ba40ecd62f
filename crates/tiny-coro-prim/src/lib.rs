//! The seam between `std` and the model checker.
//!
//! Every lock-free protocol of tiny-coro is written against the names of this crate: [`atomic`], [`cell`],
//! [`sync`], [`thread`], [`hint`]. In a normal build they are the standard library's types, re-exported, and
//! cost nothing. When a crate is compiled with `--cfg tiny_coro_loom` they are those of [loom], which runs a
//! model under every interleaving that the C11 memory model allows. There is one seam, here, so that no other crate
//! repeats it.
//!
//! | module | normal build | model checker |
//! |---|---|---|
//! | [`atomic`] | `std::sync::atomic` | `loom::sync::atomic` |
//! | [`cell::UnsafeCell`] | a wrapper with closures, compiled away | tracks every access, reports a race |
//! | [`sync::Arc`] | `std::sync::Arc` | `loom::sync::Arc`, reports a leak |
//! | [`sync::Mutex`] | `parking_lot::Mutex` | `loom::sync::Mutex` |
//! | [`thread`] | `std::thread` | `loom::thread` |
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
//! # Limits
//!
//! Loom's types have no `const fn new`, and work only inside `loom::model`: a crate that needs a `static` must
//! choose it per build. `SeqCst` accesses are modelled as `AcqRel`; a store-load protocol therefore uses
//! `fence(SeqCst)`, which loom models exactly.
//!
//! [loom]: https://docs.rs/loom

#![forbid(unsafe_code)]

mod padded;
mod seam;

pub use padded::CachePadded;
pub use seam::{atomic, cell, hint, sync, thread};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
