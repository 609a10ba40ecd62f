//! Work-stealing queues: a Chase-Lev deque that grows, shrinks and reclaims through epochs, and an injector beside it.
//!
//! # The problem
//!
//! Each worker thread of a scheduler has a queue of its own: what it spawns it pushes there and pops from there,
//! millions of times a second, so that must cost next to nothing. Now and then a worker runs dry, and takes from another
//! one's queue: that must be possible at any time, from any number of threads, without stopping the owner. And work
//! that comes from outside, from threads that are nobody's worker, needs a place too.
//!
//! # What is here
//!
//! ```text
//!                         push ┌──────────┐ pop
//!            the owner ───────▶│  Worker  │──────▶ the owner
//!                              └────┬─────┘
//!                                   └── Stealer ──▶ a thief: steal, steal_batch
//!
//!                         push ┌──────────┐ steal, steal_batch
//!              anybody ───────▶│ Injector │──────▶ anybody
//!                              └──────────┘
//! ```
//!
//! An attempt to steal comes to a [`Steal`]: something, nothing, or *try again*, when somebody else was faster. No push, pop
//! or attempt to steal waits for another thread.
//!
//! # The deque
//!
//! - The *owner* has the [`Worker`]: it pushes and pops. *Thieves* have [`Stealer`]s: they steal, one element or a
//!   *batch*.
//! - Indices count up for ever, and wrap. The elements are those from `top` up to, and without, `bottom`. Index *i*
//!   lives in slot *i* modulo the capacity of the *buffer*.
//! - The owner pushes at `bottom`. Thieves take at `top`. The owner of a *LIFO* deque pops at `bottom`, that of a
//!   *FIFO* deque at `top`.
//!
//! ```text
//!          top                  bottom
//!           │                     │
//!   ·   ·   ■   ■   ■   ■   ■   ■   ·   ·
//!           └─ steal, FIFO pop    └─ push
//!                               └─ LIFO pop
//! ```
//!
//! The protocol is that of Chase and Lev, *Dynamic circular work-stealing deque* (SPAA 2005), with the orderings of Lê,
//! Pop, Cohen and Zappa Nardelli, *Correct and efficient work-stealing for weak memory models* (PPoPP 2013); but every
//! store of `bottom` is itself a release, where the paper has fences: the model checker and the thread sanitizer can
//! follow that.
//!
//! ```text
//! push       write the slot; bottom = b + 1
//! LIFO pop   if top was seen at b: none. bottom = b - 1; full fence; read top
//!            more than one was left: it is ours. One: race, top from t to t + 1; bottom = b. None: bottom = b
//! FIFO pop   if top was seen at b: none. Add one to top, which was t; read the slot. If t was b: put it back, there was none
//! steal      read top; pin, full fence; read bottom; read the buffer and the slot; race, top from t to t + 1
//!            lost: unpin, and stay away for a moment
//! batch      FIFO: the same with n slots, top from t to t + n. LIFO: steals, one after the other, under one pin
//! grow       copy the elements to a larger buffer; publish it; retire the old one
//! ```
//!
//! *Who gets an element.* Every element but those popped at `bottom` is given out by a read-modify-write of `top`. An exchange from *t* to
//! *t + n* that succeeds proves that nobody has taken one at or above *t*, and the addition of a FIFO pop takes what is at `top` then
//! (D7). `top` only grows, but where a thief takes the last element before such an addition: then it is one above `bottom`, until the owner
//! puts it back, before it pushes. Whoever sees that finds the deque empty, as it is, and does not touch `top`; who read `top` then and `bottom`
//! only after the owner has pushed again races for an index that is there, and wins if it is next.
//!
//! *Why the owner knows when there is nothing* (D10). It alone raises `bottom`, and no `top` that it keeps in mind is above `top`: what
//! it sees after its own addition it keeps only if that is not put back. So while the one it has in mind is `bottom`, so is `top`. A
//! scheduler's worker asks its empty queue often, and touches no shared memory for it; and one that has elements need not first fetch
//! `top` from a thief's processor to read it, and then again to write it.
//!
//! *Why LIFO pop may skip the race* (D4). The owner does **O1** lower `bottom` to *b*, **O2** fence, **O3** read `top`
//! as *t* < *b*; it takes *b* and tells nobody. A thief that could take *b* too has done **T1** read `top` as *b*, **T2**
//! fence, **T3** read `bottom` as above *b*. Fences have one order. If O2 is before T2, T3 sees what O1 wrote, and the
//! thief goes: against what T3 read. If T2 is before O2, O3 sees no less than T1 did, which is *b*: against what O3 read.
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
//! *Why a torn read is harmless.* A slot is a row of words, each a relaxed atomic, as many as an element fills: a thief
//! may read some words of one element and some of the next. By the argument above it then loses the race, and the words
//! never become a `T`. Other deques read the slot as a plain value while the owner may be writing it, a data race that
//! compilers happen to forgive and sanitizers do not. For an element of one word, a `Box`, an `Arc`, a `usize`, it is
//! one `mov` each way, and no box is made for any other.
//!
//! # The injector
//!
//! A queue of *blocks*, each a run of slots that are used once. Pushers claim a slot by adding one to the tail's index,
//! thieves by adding to the block's `taken`. So an element passes through three hands: an index is claimed, the slot is
//! filled, the slot is claimed for taking.
//!
//! ```text
//!   head                                              tail: index, block
//!    │                                                  │
//!    ▼                                                  ▼
//!   ┌───────────────┐  next   ┌───────────────┐  next  ┌───────────────┐
//!   │ · · · · ■ ■ ■ │ ──────▶ │ ■ ■ ■ ■ ■ ■ ■ │ ─────▶ │ ■ ■ ◌ ■ · · · │
//!   └───────────────┘         └───────────────┘        └───────────────┘
//!           └─ taken                                         │   └─ index
//!                                                            └─ claimed by a pusher that is not there yet
//! ```
//!
//! ```text
//! push     claim: read index, then block; index from i to i + 1
//!          fill: write the slot; EMPTY to FULL. If it is POISONED: take the element back, let go of the block, start again
//! steal    pin; read head and taken; if the slot there is FULL or POISONED: race, taken from t to t + 1
//!          FULL: read the slot. POISONED: start again
//!          if it is EMPTY: index says nobody has claimed it: Empty. Else, after a moment: keep the block for its pusher,
//!          EMPTY to POISONED, and as above
//! extend   the index is one without a slot: pin; link an empty block, move the tail's block on, then its index
//! advance  all slots are taken and there is a next block: do what is left of extend, move head on, let go of the block
//! ```
//!
//! *Why nobody waits.* A pusher that loses its processor between claim and fill would hold up every thief behind it, in
//! the one slot that is next. Here a thief that has looked for about a microsecond *poisons* the slot and goes on; the
//! pusher finds that out when it comes back, and pushes again. Likewise whoever finds a block full, or empty and
//! followed by another, does the work that is due itself, and does not wait for who began it.
//!
//! *Who owns an element* (I2). A claim for pushing is an exchange on `index`, one for taking an exchange on `taken`, so
//! there is one pusher and one thief to a slot. The slot's state passes the element from one to the other once: EMPTY
//! and POISONED, it is the pusher's; FULL, the thief's. Thieves claim only slots that are *decided*, no longer EMPTY, so
//! what they have claimed can't change under them.
//!
//! *Why a pusher needs no pin* (I5). It touches a block between its claim and its fill. Until the fill the slot is not
//! decided, so `taken` can't pass it, so `head` can't leave the block. If instead a thief poisons it, the thief has first
//! added one to the block's *keepers*; the pusher takes it off when it has its element back. Who takes off the last one
//! retires the block, through EBR for the sake of thieves that are still looking at its states. A thief that comes to
//! poison when the last keeper has gone is told so, and tries again elsewhere.
//!
//! *Why a block may be used again* (I8). Retired, it waits until every pin that may have seen it has ended, and then goes
//! to the *spares*, unless they have 32 blocks or 64 KiB already, from where the next `link` takes it and makes it as if new.
//! It may stand at the same address as before in the tail, or in the head, but nobody is left who remembers that: those who exchange a pointer
//! to a block are pinned since before they read it, and a pusher that is not exchanges an index, which never comes back.
//! One thread pushes and another steals as a rule, and without the spares each block would be allocated by the one and freed
//! by the other, which allocators are slow at.
//!
//! *Why the tail's two words agree* (I4). `block` moves only while `index` is one without a slot, and before `index`
//! leaves it. A pusher reads `index` first, `block` second, and then exchanges `index`: if that succeeds, `index` did not
//! move in between, so neither did `block`.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! | --- | --- | --- | --- | --- |
//! | D1 | `Empty` is said only if the deque was empty at some moment of the call | every exchange on `top` (release) | reading `top` (acquire) | `d1_*` |
//! | D2 | a slot, and its buffer, are written before `bottom` passes it | every store of `bottom` (release) | reading `bottom` (acquire) | `d2_*` |
//! | D3 | a slot is written anew only after its element was taken and read | take (release) | push (acquired `top`), every reader of more than a word | `d3_*` |
//! | D4 | the owner and a thief never both take the last element | full fence in LIFO pop | full fence in steal | `d4_*` |
//! | D5 | a buffer's elements are copied before it is published | grow, shrink (release) | steal (acquire) | `d5_*` |
//! | D6 | a buffer is not freed while a thief may look into it | retired through EBR, under a pin | steal, pinned before it reads the buffer | `d6_*` |
//! | D7 | each element is given out once | one read-modify-write of `top` for each index | everybody | `d7_*`, all models count |
//! | D8 | a batch is taken whole or not at all (FIFO) | the owner too takes at `top` | batch steal | `d8_*` |
//! | D9 | what nobody took is dropped once, with the last handle | the shared part's destructor | memory | `d9_*` |
//! | D10 | no element is below a `top` that the owner keeps in mind, and who got one from there has read it | it keeps only what it acquired, and nothing that is put back | pop's `None`, push | `d7_*`, `d3_*` |
//! | I1 | an injected element is written before its slot is FULL | fill (release) | state (acquire) | `i1_*` |
//! | I2 | a slot has one pusher and one thief, and one of them at a time | exchanges on `index`, `taken`, the state | fill, take | `i2_*` |
//! | I3 | `Empty` is said only if every push that had come back was taken | claim (release) | reading `taken` (acquire) | `i3_*` |
//! | I4 | a block is whole before it is seen, and is that of the index read before it | link, leave, pass, advance (release) | reading those words (acquire) | `i4_*` |
//! | I5 | a block is retired once, when neither end leads to it and no pusher is due in it | leave before advance, keepers | claim, extend, steal | `i5_*` |
//! | I6 | a batch from an injector lands in the order in which it was pushed | slots claimed in one run | schedulers' fairness | `i6_*` |
//! | I7 | what nobody took is dropped once, with the injector | its destructor | memory | `i7_*` |
//! | I8 | nobody is in a block that is used again, nor sees its former life | retired through EBR, spares (release, acquire) | reset | `i8_*`, `i4_two_pushers_extend` |
//!
//! Every ordering weakened by one step, and every fence deleted, makes a model fail, but for two, and one use of a third, that say where they stand
//! why none can see them.
//!
//! # Cost
//!
//! On a 2-core x86-64 virtual machine, uncontended but where another thread is named, an element being one word; in brackets
//! `crossbeam-deque` 0.8 in the same run as its row. The machine's atomic operations take some 5 ns; where they take 2, a push and a pop
//! were measured at 3.4 ns, a push and a steal at 5.7.
//!
//! | operation | about | |
//! | --- | --- | --- |
//! | push and pop, LIFO | 8.3 ns (9.8) | a full fence, at the pop |
//! | push and pop, FIFO | 7.8 ns (11.7) | one addition |
//! | push and steal | 15.7 ns (16.0) | a pin, one exchange |
//! | elements of three words | FIFO 8.9 ns (18), steal 16.5 ns (21.5) | two more words each way |
//! | an element beside a thief that steals without rest | LIFO 45 ns (43), FIFO 47 ns (66) | a cache line that goes back and forth: some 110 ns a steal |
//! | injector, push and steal by turns | 23.7 ns (27) | four exchanges, one of them the thief's pin |
//! | injector, a thousand pushed, then stolen | 23.2 ns (23.7) each | the same |
//! | injector, the same by batches | 18.7 ns (23.3) each | two exchanges, and a share of the batch's |
//! | injector, one thread pushes, another steals | 16.0 ns (22.3) an element | the same, side by side |
//!
//! | what | bytes |
//! | --- | --- |
//! | a deque, idle | 1 KiB for words: three pairs of cache lines, the first for the counts of handles, 64 slots of as many words as an element has |
//! | a stealer | 16, and no allocation |
//! | an injector, idle | 2.6 KiB for words: two pairs of cache lines, one block of 127 slots, the list of spares; after a burst up to 64 KiB of blocks more |
//! | a slot of an injector | the element, and a byte that alignment makes as large as it is aligned |
//!
//! # Example
//!
//! Where a worker looks for its next task.
//!
//! ```
//! use tiny_coro_deque::{Injector, Steal, Stealer, Worker};
//!
//! fn find<T>(own: &Worker<T>, injector: &Injector<T>, others: &[Stealer<T>]) -> Option<T> {
//!     own.pop().or_else(|| {
//!         std::iter::repeat_with(|| {
//!             // A share of what came from outside, or else half of what another worker has.
//!             let injected = injector.steal_batch_and_pop(own);
//!             injected.or_else(|| others.iter().map(|other| other.steal_batch_and_pop(own)).collect())
//!         })
//!         .find(|attempt: &Steal<T>| !attempt.is_retry())?
//!         .success()
//!     })
//! }
//!
//! let (busy, idle, injector) = (Worker::fifo(), Worker::fifo(), Injector::new());
//! (0..8).for_each(|number| busy.push(number));
//! assert_eq!(find(&idle, &injector, &[busy.stealer()]), Some(0));
//! assert_eq!((busy.len(), idle.len()), (4, 3));
//! injector.push(100);
//! assert_eq!((0..4).filter_map(|_| find(&idle, &injector, &[])).collect::<Vec<_>>(), [1, 2, 3, 100]);
//! ```
//!
//! # Backends
//!
//! The feature `crossbeam-deque` makes [`Worker`], [`Stealer`] and [`Injector`] those of that crate behind the same
//! methods; [`chase_lev`] stays what it is. Both pass the same suite. What is called `_counted` has no counterpart
//! there: the adapter looks how the destination grew.
//!
//! # When not to use it, and limits
//!
//! - One thread pushes to a deque. Where everybody pushes and nobody has a queue of its own, the injector alone will do;
//!   where receivers also wait, take a channel: nothing here wakes anybody. Who sleeps after `Empty` needs a protocol of
//!   its own: announce the sleep, full fence, look once more; and who pushes: push, full fence, look for sleepers.
//! - There is no peeking, no removal from the middle, and no bound but memory. A deque's buffer grows at a push, in one
//!   go, and shrinks only after a long lull, or when its owner says [`shrink_to`](chase_lev::Worker::shrink_to).
//! - Elements are moved as bits. Large ones are better boxed: a slot is as large as an element, and a thief that loses
//!   the race has read all of it for nothing.
//! - A pointer inside a `repr(packed)` element that lies across two words of its slot loses its provenance on the way.
//!   On processors other than x86, Arm, RISC-V, LoongArch and s390x, and under Miri, each element of a deque is boxed.
//! - A thief that is suspended in the midst of stealing while `top` goes once round its word would mistake the new
//!   index for the old, and likewise a pusher and the injector's index. With 64 bits that takes centuries; with 32, a
//!   very bad day.

mod backend;
pub mod chase_lev;
#[cfg(feature = "crossbeam-deque")]
pub mod crossbeam;
mod element;
mod injector;
mod steal;

pub use backend::{Injector, Stealer, Worker};
pub use steal::Steal;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
