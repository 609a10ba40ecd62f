//! Epoch-based memory reclamation with bounded garbage.
//!
//! # The problem
//!
//! A lock-free structure hands out pointers that others may follow at any time. Whoever unlinks an object can't free
//! it at once: a reader may have loaded the pointer a moment before. It *retires* the object, and somebody frees it
//! when no such reader can be left. The reader's share of the cost must be next to nothing.
//!
//! # Vocabulary
//!
//! - A *collector* has an *epoch*, a counter that *advances*, and *participants*: threads registered through a
//!   [`LocalHandle`].
//! - A participant *pins* to read shared pointers, and gets a [`Guard`]; dropping the last guard unpins.
//! - *Garbage* is what has been retired with [`Guard::defer`] and its kin. It lies in *bags*, one for each epoch,
//!   that belong to the participant. Each bag has a *tag*: the last epoch in which somebody who can reach its garbage
//!   may be pinned.
//! - Bags of a participant that has left are *orphans*: they belong to the collector, and whoever comes by reclaims
//!   them.
//!
//! # The protocol
//!
//! ```text
//! pin      read the epoch e; store (e, pinned) in the own word; full fence
//! unpin    store (not pinned) in the own word
//! retire   pinned in e, after unlinking: put into the bag with tag e + 1
//! advance  pinned in e, and the epoch still is e: if no participant is pinned in another epoch, e becomes e + 1
//! reclaim  free the bags whose tag is two or more behind the epoch
//! ```
//!
//! Nobody waits for anybody: an advance that finds a reader behind gives up, and another attempt follows.
//!
//! *Why it is safe.* Let W unlink an object, pinned in *p*, and R read the pointer before that, pinned in *q*. While
//! W is pinned the epoch is at most *p + 1*, so *q* ≤ *p + 1*, the bag's tag *t*. The epoch reaches *t + 1* only when
//! W has left its pin (E2), so all that read *t + 1* come after the unlinking (E3). The advance to *t + 2* is made by
//! somebody A who pinned in *t + 1*: A's fence comes after the unlinking. R's fence came before A's, or R would have
//! seen the pointer unlinked (E1); so A's scan sees R's word, or a later one. If R were still pinned in *q* ≤ *t*, A
//! would have given up. So R has left, and what it read happened before A's scan (E2), before the epoch *t + 2* (E3),
//! before the object is freed. A participant that A's scan does not find at all has registered, and fenced, after A's
//! fence, and sees the pointer unlinked (E6).
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! | --- | --- | --- | --- | --- |
//! | E1 | a scan sees the pin, or the reader sees the pointer unlinked | the full fence of every pin | advance | `e1_*` |
//! | E2 | what is read under a pin happens before a scan that no longer sees it | unpin, pin anew (release) | scan (acquire) | `e2_leave`, `e2_repin` |
//! | E3 | an epoch carries what the scan for it has seen | advance (release) | pin, reclaim (acquire) | `e3_*` |
//! | E4 | a registry entry's inner part, its bags too, is one thread's | release of the entry | claim of the entry (acquire) | `e4_*`, `s10_*` |
//! | E5 | what is deferred is called once, at the latest when the collector is dropped | unregister hands over | whoever owns what it frees | `e5_*` |
//! | E6 | an entry is whole before it can be seen, and is not freed before the collector | register (release) | scan (acquire) | `e6_*` |
//! | E7 | a panic in a deferred function reaches nobody else's | reclaim | pin, defer, flush | test `e7_*` |
//! | E8 | without a guard that stays, a participant's garbage stays within [`Limits`] | forced help in pin and defer | memory | tests `e8_*` |
//!
//! # Example
//!
//! A configuration that many read and one replaces.
//!
//! ```
//! use std::sync::atomic::{AtomicPtr, Ordering};
//!
//! let current = AtomicPtr::new(Box::into_raw(Box::new(String::from("old"))));
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         let guard = tiny_coro_ebr::pin();
//!         // SAFETY: the pointer was loaded under the guard, and whoever replaces it defers the destruction.
//!         let seen = unsafe { &*current.load(Ordering::Acquire) };
//!         assert!(seen == "old" || seen == "new");
//!         drop(guard);
//!     });
//!     let guard = tiny_coro_ebr::pin();
//!     let old = current.swap(Box::into_raw(Box::new("new".into())), Ordering::AcqRel);
//!     // SAFETY: the swap took it out of sight, under the guard, and gave it to us alone.
//!     unsafe { guard.defer_destroy(old) };
//! });
//! # // SAFETY: nobody else is left.
//! # drop(unsafe { Box::from_raw(current.into_inner()) });
//! ```
//!
//! # Limits and non-goals
//!
//! - A guard that stays keeps everything retired since from being freed: no limit helps. Hold guards for moments,
//!   never across a wait (a future that holds one is not `Send`). [`Statistics::stalled`] tells.
//! - A thread that stops pinning keeps what little garbage it has. [`Guard::flush`] gives it away before a long sleep.
//! - When the memory is freed, and by which thread, is not determined. Nothing here is for signal handlers or `no_std`.

mod bag;
mod collector;
mod deferred;
mod epoch;
mod global;
mod guard;
mod handle;
mod limits;
mod orphans;
mod participant;
mod registry;
mod statistics;

pub use collector::Collector;
pub use global::{is_pinned, pin, pin_fenced};
pub use guard::Guard;
pub use handle::LocalHandle;
pub use limits::Limits;
pub use statistics::Statistics;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
