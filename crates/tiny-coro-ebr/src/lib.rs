//! Epoch-based memory reclamation with bounded garbage.
//!
//! # The problem
//!
//! A lock-free structure hands out pointers that others may follow at any time. Whoever unlinks an object can't free
//! it at once: a reader may have loaded the pointer a moment before. It *retires* the object, and somebody frees it
//! when no such reader can be left. The reader's share of the cost must be next to nothing: it may not even write to
//! memory that another reader writes to.
//!
//! # Vocabulary
//!
//! - A *collector* has an *epoch*, a counter that *advances*, and *participants*: threads registered through a
//!   [`LocalHandle`].
//! - A participant *pins* to read shared pointers, and gets a [`Guard`]; dropping the last guard unpins.
//! - Shared pointers are [`Atomic`]s. Whoever has an object alone has an [`Owned`], whoever loads one under a guard
//!   has a [`Shared`], which can't outlive the guard.
//! - *Garbage* is what has been retired with [`Guard::defer`] and its kin. It lies in *bags*, one for each epoch,
//!   that belong to the participant. Each bag has a *tag*: the last epoch in which somebody who can reach its garbage
//!   may be pinned.
//! - Bags of a participant that has left, or that it has given away, are *orphans*: they belong to the collector, and
//!   whoever comes by reclaims them.
//!
//! # The state
//!
//! A participant shows the others one word, and keeps four bags to itself:
//!
//! ```text
//!               pin: store (e, pinned); fence
//!  ┌──────────┐ ────────────────────────────▶ ┌─────────────┐ ──┐ repin: store (e', pinned); fence
//!  │ unpinned │                               │ pinned in e │   │
//!  └──────────┘ ◀──────────────────────────── └─────────────┘ ◀─┘
//!               unpin: store (unpinned)
//!
//!     tag  e - 2     e - 1       e       e + 1
//!        ┌─────────┬─────────┬─────────┬─────────┐
//!        │ expired │  waits  │  waits  │ filling │ ◀── defer
//!        └─────────┴─────────┴─────────┴─────────┘
//! ```
//!
//! # The protocol
//!
//! ```text
//! pin      read the epoch e; store (e, pinned) in the own word; full fence
//! unpin    store (unpinned) in the own word
//! retire   pinned in e, after unlinking: put into the bag with tag e + 1
//! advance  pinned in e, and the epoch still is e: if no participant is pinned in another epoch, e becomes e + 1
//! reclaim  free the bags whose tag is two or more behind the epoch
//! ```
//!
//! No reader or writer waits for another: an advance that finds a reader behind gives up, and another attempt follows. (A
//! thread's first pin, its end and [`Guard::flush`] take a lock for a moment, to note its name or to hand a bag over.) The epoch is never more than
//! one ahead of anybody who is pinned.
//!
//! # Why it is safe
//!
//! W unlinks an object, R has read the pointer before, A makes the last advance. Say it was like this:
//!
//! ```text
//! epoch  ··· p ·········│··· t = p + 1 ·······│··· t + 1 ·····················│··· t + 2 ···
//!                       │                     │                               │
//! W      ├─pin─ unlink ─ retire ──────unpin─┤ │                               │
//! R             ├─pin─ read ───────────────────────── last use ─unpin─┤       │
//! A                                           │  ├─pin, fence──── scan ────── advance         free
//! ```
//!
//! 1. *R's pin is not later than t.* While W is pinned the epoch is at most *p + 1*: R, who read the pointer before it
//!    was unlinked, is pinned in some *q* ≤ *p + 1*, the bag's tag *t*.
//! 2. *A's pin is later than the unlinking.* The epoch reaches *t + 1* only when W has left its pin (E2), so all that
//!    read *t + 1* come after the unlinking (E3). The advance to *t + 2* is made by somebody who did: A, pinned in
//!    *t + 1*. A's fence comes after the unlinking.
//! 3. *A's scan sees R.* R's fence came before A's, or R would have seen the pointer unlinked (E1); so A's scan sees
//!    the word that R stored before its fence, or a later one. A participant that the scan does not find at all has
//!    registered, and fenced, after A's fence, and sees the pointer unlinked (E6).
//! 4. *R has left.* If R were still pinned in *q* ≤ *t*, A would have given up. What R read happened before A's scan
//!    (E2), before the epoch *t + 2* (E3), before the object is freed.
//!
//! One advance past the tag is not enough: whoever makes the first one may have pinned, and fenced, before the
//! unlinking, and then 3 fails.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! | --- | --- | --- | --- | --- |
//! | E1 | a scan sees the pin, or the reader sees the pointer unlinked | the full fence of every pin | advance | `e1_*` |
//! | E2 | what is read under a pin happens before a scan that no longer sees it | unpin, pin anew (release) | scan (acquire) | `e2_*` |
//! | E3 | an epoch carries what the scan for it has seen | advance (release) | pin, reclaim (acquire) | `e3_*` |
//! | E4 | a registry entry's inner part, its bags too, is one thread's | release of the entry | claim of the entry (acquire) | `e4_*`, `s10_*` |
//! | E5 | what is deferred is called once, at the latest when the collector is dropped | unregister hands over | whoever owns what it frees | `e5_*` |
//! | E6 | an entry is whole before it can be seen, and is not freed before the collector | register (release) | scan (acquire) | `e6_*` |
//! | E7 | a panic in a deferred function reaches nobody else's | reclaim | pin, defer, flush | test `e7_*` |
//! | E8 | without a guard that stays, a participant's garbage stays within [`Limits`]; one that stays is reported | forced help in pin and defer | memory | tests `e8_*` |
//! | E9 | [`pin_fenced`] is a full fence at any depth | the fence of an outermost pin, one of its own in an inner one | store-load protocols of other crates | `e9_*` |
//! | E10 | one step calls a bounded number of functions | reclaim | the latency of pin and defer | test `e10_*` |
//!
//! # What it costs
//!
//! On a virtual x86-64 machine of about 3 GHz whose atomic operations take 2 ns (where they take 5, a pin takes 6.8 ns, and `crossbeam-epoch`'s 7.7):
//!
//! | | about | |
//! | --- | --- | --- |
//! | [`pin`] and drop | 2.3 ns | one load, one store and a full fence, one store; `crossbeam-epoch` 3.1 ns |
//! | inside another pin | 0.8 ns | a counter up and down |
//! | [`Guard::defer`] | 8 ns | with its share of advancing and reclaiming; what it captures beyond three words is boxed |
//! | an attempt to advance | 10 ns, and 1 to 4 ns for each participant | once in 64 objects, unless the garbage is over its limits |
//! | [`Collector::register`] | 20 ns | 640 bytes for each participant, used again and freed with the collector |
//! | garbage | 32 bytes an object | beside the object itself; each of the four bags keeps room for 1,024 at most |
//!
//! # Example
//!
//! A configuration that many read and one replaces.
//!
//! ```
//! use std::sync::atomic::Ordering;
//! use tiny_coro_ebr::{Atomic, Owned, pin};
//!
//! let current = Atomic::new(String::from("old"));
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         let guard = pin();
//!         // SAFETY: never null; loaded under the guard, and whoever replaces it defers the destruction.
//!         let seen = unsafe { current.load(Ordering::Acquire, &guard).deref() };
//!         assert!(seen == "old" || seen == "new");
//!     });
//!     let guard = pin();
//!     let old = current.swap(Owned::new("new".into()), Ordering::AcqRel, &guard);
//!     // SAFETY: the swap took it out of sight, under the guard, and gave it to us alone.
//!     unsafe { guard.defer_destroy(old) };
//! });
//! # // SAFETY: nobody else is left.
//! # drop(unsafe { current.into_owned() });
//! ```
//!
//! # Coming from `crossbeam-epoch`
//!
//! The names, the order of the arguments and the meaning are the same. New are [`Limits`], [`Statistics`],
//! [`Collector::stalled`] and [`Guard::defer_sized`]; a panic in a deferred function is contained; a little garbage
//! goes by pins alone, without a flush. [`Pointer`] goes through pointers, not through integers, so that Miri and the
//! hardware that checks provenance can follow. Not here: unsized objects, `load_consume`, `no_std`.
//!
//! # Backends
//!
//! The feature `crossbeam-epoch` makes [`Collector`], [`LocalHandle`], [`Guard`] and the functions those of that crate;
//! [`native`] stays what it is. That backend has no limits, counts nothing and reports nobody:
//! [`Collector::REPORTS`] tells. [`Atomic`] takes the guards of whichever is chosen.
//!
//! # When not to use it, and limits
//!
//! - A guard that stays keeps everything retired since from being freed: no limit helps. Hold guards for moments,
//!   never across a wait (a future that holds one is not `Send`). [`Collector::stalled`] tells who does. Readers that
//!   must stay for long want hazard pointers or reference counts: there each holds back only what it reads.
//! - What is read once in a while is as well off behind a lock and an `Arc`.
//! - A thread that stops pinning keeps what little garbage it has. [`Guard::flush`] gives it away before a long sleep.
//! - When the memory is freed, and by which thread, is not determined. Nothing here is for signal handlers or `no_std`.

mod backend;
#[cfg(feature = "crossbeam-epoch")]
pub mod crossbeam;
mod limits;
pub mod native;
mod pointer;
mod statistics;

pub use backend::{Collector, Guard, LocalHandle, default_collector, is_pinned, pin, pin_fenced, unprotected};
pub use limits::Limits;
pub use pointer::{Atomic, CompareExchangeError, Owned, Pointer, Shared};
pub use statistics::{Stall, Statistics};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
