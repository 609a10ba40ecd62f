//! Keeps deadlines in order: a timer queue without a clock and without threads.
//!
//! # The problem
//!
//! A server sets a time-out for each request, and nearly every one is cancelled before it fires: it is there for the peer
//! that has died. So a timer queue is written to at every request, and has something to say about once a second. Yet before
//! each sleep its owner asks: until when may I sleep? The answer has to be exact. Too early, and the thread wakes up for
//! nothing, which an idle server never should; too late, and a timer is late.
//!
//! This crate answers, and hands out what is due. It asks no clock: the caller says what time it is, so a test can say so
//! too. It starts no thread and takes no lock: it belongs to whoever has it `&mut`. It has no unsafe code and no
//! dependencies.
//!
//! # Vocabulary
//!
//! - **Deadline**: a `u64` of the caller's unit. The reactor uses nanoseconds since its start.
//! - **Timer**: a deadline and a value. **Key**: the name of a timer for as long as it is in the queue.
//! - **Expire**: take out what is due. A timer is due when its deadline is `now` or earlier.
//!
//! ```text
//! insert ──▶ waiting ──── expire, pop_expired ──▶ gone: the value is the caller's,
//!             │   ▲ └──── cancel, clear ────────▶       the key names nothing
//!             └───┘
//!             reset
//! ```
//!
//! There is no "current time" inside: `now` may go backwards, a deadline may lie in the past (it is due at the next call),
//! and no tick has to be visited because it went by.
//!
//! # The heap
//!
//! [`heap::TimerQueue`] keeps (deadline, sequence, slot) in an array in which no entry comes before its parent. The first
//! entry is the next timer. The values lie in a slab, at places that never move, and each notes where its entry is, so that
//! `cancel` needs no search: the last entry takes the place of the cancelled one, and then moves up or down until the order
//! holds again.
//!
//! ```text
//!                        ┌── 0: 14 ms ──┐                   slab: slot ──▶ position, value
//!        ┌──────────┬────┴─────┬────────┴─┐                 key = (slot, generation)
//!     1: 20 ms   2: 17 ms   3: 90 ms   4: 31 ms             four children a node, side by side:
//!   ┌───┬──┴┬───┐                                           half the depth of a binary heap, and
//!   5   6   7   8 …                                         a level is a cache line and a half
//! ```
//!
//! It is right because each step moves one hole along one path, and the only entry that could break the order is the one in
//! hand. And it suits time-outs better than O(log n) sounds: a new deadline is mostly the latest of all, so an insertion ends
//! at its first comparison, and three of four entries are leaves, which leave without disturbing anybody.
//!
//! # The wheel
//!
//! What a heap has sorted is mostly cancelled before the order matters. [`wheel::TimerQueue`] sorts nothing before it must.
//! It has a **horizon**. The timers up to it are the **front**: a heap as above, of a few entries. The timers after it lie in
//! lists without any order, coarser the farther they are. Read a deadline as eleven digits in base 64. Its **level** is the
//! highest digit in which it differs from the horizon, and that digit is its **slot** there:
//!
//! ```text
//!   horizon  = … 0  3 41  7 22          up to it: the front, in exact order
//!   deadline = … 0  3 41  9 60  ──▶ level 1, slot  9
//!   deadline = … 0  3 52  0 01  ──▶ level 2, slot 52
//!                   │  │  │  └ level 0: slots of 1 ns
//!                   │  │  └─── level 1: slots of 64 ns
//!                   │  └────── level 2: slots of 4 µs
//!                   └───────── level 3: slots of 262 µs     … level 5: of 1 s   … level 10: of 36 years
//!
//!         horizon
//!   front ───┤ level 0 ┊  level 1  ┊     level 2      ┊           level 3                deadline ─▶
//!   ●●● ● ●  │ ········ ▪▪▪▪▪▪▪▪▪▪▪ ■■■■■■■■■■■■■■■■■■ ██████████████████████████████
//! ```
//!
//! A bit for each slot says whether it has timers, so the first of a level is found by counting zeros. The lists are doubly
//! linked through the slab: to set or cancel a timer is to link or unlink it, without a comparison and without an allocation.
//! Eleven levels of six bits are all of `u64`: no deadline is too far, and there is no second way for those that are.
//!
//! - **insert**: up to the horizon, sift into the front. After it, find the slot by an exclusive or and a count of leading
//!   zeros, and link. **reset** is the same after unlinking; within a slot it writes the deadline, and that is all.
//! - **cancel**: take out of the front, or unlink. Where a timer is isn't stored: it follows from the deadline and the horizon.
//! - **advance**, when the front has become empty: take the first slot of the lowest level in use. If it has few timers, they
//!   are the front, and the horizon is the slot's last tick. If it has many, the horizon is the slot's first tick, its timers
//!   are dealt out to the levels below, and the search goes on there.
//! - **retreat**, when the front has become long, because many deadlines came in before a far horizon: the horizon moves back
//!   to the earliest of them, and the others are dealt out. The levels below the highest digit that changes are **set aside**
//!   as they are. Their timers lie in one slot now, which they divide: an advance that comes to it takes them up again.
//!
//! The wheel isn't turned by the clock: the horizon follows the earliest deadline, not the time. That is why
//! [`next_deadline`](wheel::TimerQueue::next_deadline) is exact and only reads. What it asks for was sorted by whoever took
//! out the timer before; and a timer that is cancelled early has mostly never been moved.
//!
//! ## An example
//!
//! Six steps, with the deadlines written as digits in base 64. All digits above are zero.
//!
//! | step | where it leads | horizon | front |
//! |---|---|---|---|
//! | insert A for 70, `1 06` | the queue is empty: the horizon is A's deadline, and A is the front | `1 06` | A |
//! | insert B for 75, `1 11` | after the horizon, and differs in the last digit: level 0, slot 11 | `1 06` | A |
//! | insert C for 200, `3 08`, and D for 210, `3 18` | both differ in the digit before: level 1, slot 3 | `1 06` | A |
//! | insert E for 60, `0 60` | not after the horizon | `1 06` | E, A |
//! | cancel B | unlinked: it differs from the horizon where it did | `1 06` | E, A |
//! | expire at 100 | E and A are due. A leaves the front empty: the first slot in use is level 1, slot 3, and short. So it is the front, and its last tick the horizon | `3 63` | C, D |
//!
//! The next deadline was 70, 70, 70, 60, 60 and is 200: each time the first of the front.
//!
//! ## Why the front has the earliest deadlines
//!
//! 1. *A lower level is earlier.* Let d be on level i and e on level j > i. Above digit j both equal the horizon; in digit j
//!    d still does, and e, which is after the horizon, is greater. So d < e. On one level the lower slot is earlier by the
//!    same argument. So the slot that an advance takes has the earliest deadlines of all lists.
//! 2. *An advance misplaces nobody.* The new horizon has the old one's digits above the slot's level, and there the slot's. A
//!    timer of a higher level differs in the digit in which it differed, so does one of a later slot, and the lower levels
//!    were empty. Only the slot's own timers change places, each to a lower level, so it ends. Where the slot is divided, the
//!    horizon enters it, its division becomes the level below, and the first slot of that is taken at once by the same
//!    argument.
//! 3. *A retreat misplaces nobody.* Let g be the highest digit in which the horizon changes, from h to something less. A
//!    timer of a level above g differs where it did; one of level g has a greater digit than h, so than the new one. All
//!    others equal the old horizon down to digit g: they belong to slot h of level g, which was empty, since the horizon was
//!    in it. There they are, divided by the digits below as they were.
//! 4. *Equal deadlines* meet in the front before the first of them fires, and it orders them by sequence. So the lists need
//!    no order.
//!
//! ## Why it is O(1)
//!
//! Only a retreat moves a timer up, and only timers of the front. After each change of the horizon the front may double
//! before it retreats, so at least half of those moved have been set or reset since: each of these pays for two ways up, and
//! for two ways down, of ten levels at most. What remains is the order within the front: O(log f), where f is at most 64 but
//! for equal deadlines. It is an amortised bound: see below.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by |
//! |---|---|---|---|
//! | T1 | no entry of a heap comes before its parent, in the order of (deadline, sequence) | `sift_up`, `sift_down` | the first entry is the next timer; equal deadlines fire in the order of insertion |
//! | T2 | the slab knows the position of each timer in the heap | `place` | `cancel` and `reset` need no search |
//! | T3 | in the queue that gave it out, a key is valid for one timer, ever | the slot's generation, which never comes round | a stale key cannot cancel a stranger |
//! | T4 | a timer has left the queue before its value is handed out | `pop_expired`, `cancel`, `clear` | a panic in the caller's code leaves a queue that works |
//! | W1 | a timer is in the front if its deadline is at the horizon or before it, and in a list if not | `enter`, `advance`, `retreat` | `leave` |
//! | W2 | the front is empty only if the queue is | `insert`, `forget`, `reset` | `next_deadline` only reads |
//! | W3 | a list is where the digits of its deadlines lead: to a slot of the level in which they first differ from the horizon, and, if it is divided, on by the next digit | `Levels::insert`, `advance`, `set_aside` | `remove` finds the list; the first slot has the earliest deadlines |
//! | W4 | a slot's bit is set if it has a timer, and a level's if it has a slot | `push`, `set`, `note` | `take_first` |
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
//! # What it costs, and which to choose
//!
//! About, in nanoseconds on one core of a 2-core x86-64 virtual machine, with 100, 10,000 and 1,000,000 timers in the queue,
//! of which the last no longer fit into the cache:
//!
//! | an operation is | heap | wheel |
//! |---|---|---|
//! | set a time-out of 30 s and cancel it at once | 9, 9, 15 | 10, 10, 17 |
//! | cancel any time-out, set another | 27, 35, 600 | 19, 17, 400 |
//! | cancel the oldest, set another | 27, 30, 100 | 15, 12, 40 |
//! | put off any time-out | 13, 17, 180 | 11, 11, 165 |
//! | a sleep of up to 50 ms, from insertion to expiry | 72, 110, 500 | 45, 45, 430 |
//! | next deadline | 1 | 1 |
//!
//! | bytes, on a 64-bit machine | heap | wheel |
//! |---|---|---|
//! | a queue without timers | 64 | 3,112 |
//! | a timer, with a [`Waker`](core::task::Waker) as its value | 48 | 40, and 24 in the front |
//! | levels set aside, while there are any | – | 272 each |
//!
//! The **wheel** is the default: time-outs are what a server has. Choose the **heap**, by the module or by the feature `heap`
//! for the plain name, where a queue has to be small or where no single operation may take long: an advance moves a whole
//! list, which is a constant per timer but not per call. With a million time-outs over 30 seconds it may move thirty
//! thousand, which takes about a millisecond; the heap never does more than ten steps. Both pass the same tests and have the
//! same methods, so a type alias is all that a change takes.
//!
//! Choose **neither** for a few deadlines of which none is cancelled: a `BinaryHeap` does. Nor for timers that many threads
//! set at once: this is one queue, and would need a lock. Nor where a millisecond's precision and a tick for each of them is
//! welcome: a plain ring of slots is simpler.
//!
//! # Limits and non-goals
//!
//! At most 2³² - 1 timers. A deadline of `u64::MAX` is due only at `u64::MAX`, which is for ever in nanoseconds. No periodic
//! timers: reset or insert again. No locks: share it behind the lock that guards what the timers are about. `no_std`, with
//! `alloc`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod backend;
mod four_heap;
pub mod heap;
mod slab;
pub mod wheel;

pub use backend::TimerQueue;
pub use slab::Key;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
