//! A Chase-Lev work-stealing deque that grows, shrinks, and reclaims its buffers through epochs.
//!
//! # The problem
//!
//! Each worker thread of a scheduler has a queue of its own: what it spawns it pushes there and pops from there,
//! millions of times a second, so that must cost nothing. Now and then a worker runs dry, and takes from another
//! one's queue: that must be possible at any time, from any number of threads, without stopping the owner.
//!
//! # Vocabulary
//!
//! - The *owner* has the [`Worker`]: it pushes and pops. *Thieves* have [`Stealer`]s: they steal, one element or a
//!   *batch*.
//! - Indices count up for ever, and wrap. The elements are those from `top` up to, and without, `bottom`. Index *i*
//!   lives in slot *i* modulo the capacity of the *buffer*.
//! - The owner pushes at `bottom`. Thieves take at `top`. The owner of a *LIFO* deque pops at `bottom`, that of a
//!   *FIFO* deque at `top`.
//! - An element is one word: see [`Pointer`].
//!
//! ```text
//!          top                  bottom
//!           │                     │
//!   ·   ·   ■   ■   ■   ■   ■   ■   ·   ·
//!           └─ steal, FIFO pop    └─ push
//!                               └─ LIFO pop
//! ```
//!
//! # The protocol
//!
//! Chase and Lev, *Dynamic circular work-stealing deque* (SPAA 2005), with the orderings of Lê, Pop, Cohen and Zappa
//! Nardelli, *Correct and efficient work-stealing for weak memory models* (PPoPP 2013); but every store of `bottom`
//! is itself a release, where the paper has fences: the model checker and the thread sanitizer can follow that.
//!
//! ```text
//! push       write the slot; bottom = b + 1
//! LIFO pop   bottom = b - 1; full fence; read top
//!            more than one was left: it is ours. One: race, top from t to t + 1; bottom = b. None: bottom = b
//! FIFO pop   race, top from t to t + 1; read the slot
//! steal      read top; pin, full fence; read bottom; read the buffer and the slot; race, top from t to t + 1
//! batch      FIFO: the same with n slots, top from t to t + n. LIFO: steals, one after the other, under one pin
//! grow       copy the elements to a larger buffer; publish it; retire the old one
//! ```
//!
//! *Who gets an element.* Every element but those popped at `bottom` is given out by an exchange on `top`, which only
//! grows: an exchange from *t* to *t + n* that succeeds proves that nobody has taken one at or above *t* (D7).
//!
//! *Why LIFO pop may skip the race* (D4). Say the owner lowers `bottom` to *b*, fences, reads *t* < *b*, and takes
//! *b*. A thief that could also take *b* must have read `top` as *b*, fenced, and read `bottom` as above *b*. If its
//! fence is after the owner's, it sees `bottom` lowered, and goes. If it is before, the owner's read of `top` is
//! after the thief's, and can't give less than *b*.
//!
//! *Why a FIFO batch is one exchange* (D8). The thief has seen `bottom` at or above *t + n*. The owner of a FIFO
//! deque never lowers `bottom`, and whoever takes any of the *n* elements, owner or thief, must first move `top` from
//! *t*. So while `top` is *t*, all *n* are there, and the slots hold them: the exchange that finds `top` still at *t*
//! takes them all. Where the owner pops at `bottom` the argument fails at once: it takes *t + n - 1* without touching
//! `top`. So a LIFO batch is single steals.
//!
//! *Why a slot that was read is the right one* (D2, D3, D5). A thief that wins the race for *t* has read a buffer at
//! least as new as the `bottom` it saw, so the element at *t* was in it. A published buffer's slot *t* changes only
//! when the owner pushes *t* + capacity, which it does only after it has seen `top` above *t*; then the race for *t*
//! is lost. A buffer that has been replaced is not written any more.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! | --- | --- | --- | --- | --- |
//! | D1 | `Empty` is said only if the deque was empty at some moment of the call | every exchange on `top` (release) | reading `top` (acquire) | `d1_*` |
//! | D2 | a slot, and its buffer, are written before `bottom` passes it | every store of `bottom` (release) | reading `bottom` (acquire) | `d2_*` |
//! | D3 | a slot is written anew only after its element was taken and read | take (release) | push (acquired `top`) | `d3_*` |
//! | D4 | the owner and a thief never both take the last element | full fence in LIFO pop | full fence in steal | `d4_*` |
//! | D5 | a buffer's elements are copied before it is published | grow, shrink (release) | steal (acquire) | `d5_*` |
//! | D6 | a buffer is not freed while a thief may look into it | retired through EBR, under a pin | steal, pinned before it reads the buffer | `d6_*` |
//! | D7 | each element is given out once | one exchange on `top` for each index | everybody | `d7_*`, all models count |
//! | D8 | a batch is taken whole or not at all (FIFO) | the owner too takes at `top` | batch steal | `d8_*` |
//! | D9 | what nobody took is dropped once, with the last handle | the shared part's destructor | memory | `d9_*` |
//!
//! Two orderings no model can show to be needed, and both are free on x86:
//!
//! - D3's acquire. Without it a thief could read from a slot what the owner writes there *after* it has seen the
//!   thief's exchange: a load that sees the future. The language allows it; no checker tries it.
//! - D2's release where a LIFO pop lowers `bottom`. A thief may read that value before the owner's fence has taken
//!   effect, with nothing else that would bring it the slots below. The checker does not come between a store and the
//!   fence after it.
//!
//! # Example
//!
//! Where a worker looks for its next task.
//!
//! ```
//! use tiny_coro_deque::{Steal, Stealer, Worker};
//!
//! fn find<T: tiny_coro_deque::Pointer>(own: &Worker<T>, others: &[Stealer<T>]) -> Option<T> {
//!     own.pop().or_else(|| {
//!         std::iter::repeat_with(|| others.iter().map(|other| other.steal_batch_and_pop(own)).collect::<Steal<T>>())
//!             .find(|attempt| !attempt.is_retry())?
//!             .success()
//!     })
//! }
//!
//! let (busy, idle) = (Worker::fifo(), Worker::fifo());
//! (0..8).for_each(|number| busy.push(Box::new(number)));
//! assert_eq!(find(&idle, &[busy.stealer()]), Some(Box::new(0)));
//! assert_eq!((busy.len(), idle.len()), (4, 3));
//! ```
//!
//! # Backends
//!
//! The feature `crossbeam-deque` makes [`Worker`] and [`Stealer`] those of that crate behind the same methods;
//! [`chase_lev`] stays what it is. Where a LIFO deque takes part in a batch, the order of the elements differs.
//!
//! # Limits and non-goals
//!
//! - One thread pushes. A queue into which everybody pushes is something else: a scheduler's injector.
//! - Elements are one word. There is no peeking, and no removal from the middle.
//! - A thief that is suspended in the midst of stealing while `top` goes once round its word would mistake the new
//!   index for the old. With 64 bits that takes centuries; with 32, a very bad day.
//! - The buffer grows at a push, in one go, and shrinks only after a long lull. Its memory is the only bound.

mod backend;
pub mod chase_lev;
#[cfg(feature = "crossbeam-deque")]
pub mod crossbeam;
mod pointer;
mod steal;

pub use backend::{Stealer, Worker};
pub use pointer::Pointer;
pub use steal::Steal;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
