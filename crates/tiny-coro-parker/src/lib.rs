//! Lets one thread sleep until another wakes it: a parker with one permit.
//!
//! A worker that has nothing to do must sleep, and whoever brings work must wake it, however the two race: the work may come
//! before the worker sleeps, while it falls asleep, while it sleeps, or as it gives up waiting. Get one of the four wrong and a
//! thread sleeps beside its work for ever, once in a million times. A *permit* makes all of them one case: the waker leaves it,
//! the sleeper takes it, and it does not matter who comes first.
//!
//! # Vocabulary
//!
//! - **Permit**: the right to go on once. It is there or not; two are one.
//! - **Owner**: the thread that has the [`Parker`]. **Granter**: a thread that has an [`Unparker`].
//! - **Park**: take the permit, asleep until it comes. **Unpark**: leave the permit, and wake the owner if it sleeps.
//! - **Backend**: where the owner sleeps. See [`backend`].
//!
//! # State
//!
//! One word of 32 bits says everything, and is also what the owner sleeps on.
//!
//! ```text
//!                       grant
//!       EMPTY ────────────────────────▶ NOTIFIED ──┐
//!        (0)  ◀────────────────────────   (1)    ◀─┘ grant
//!        │ ▲   announce, take, retract:     ▲
//!        │ │   the permit is taken          │
//!        │ │                                │
//!  announce│ retract: the deadline          │ grant, and wake the owner
//!        │ │ has passed                     │
//!        ▼ │                                │
//!       PARKED ─────────────────────────────┘
//!        (−1)  ⟲ sleep
//! ```
//!
//! # Protocol
//!
//! The owner, to park:
//!
//! 1. **announce**: subtract one. If that makes EMPTY of NOTIFIED, the permit is taken, and that was all.
//! 2. **sleep**, for as long as the word is PARKED. The backend looks at the word and falls asleep in one step.
//! 3. **take**: if the word is NOTIFIED, swap EMPTY in, and return. If not, the sleep was ended by a signal, or by a wake that
//!    was meant for an earlier one: go to 2.
//! 4. **retract**, when the deadline has passed: swap EMPTY in. If that was NOTIFIED, the permit came at the last moment, and is
//!    taken all the same.
//!
//! A granter, to unpark:
//!
//! 1. **grant**: swap NOTIFIED in, whatever is there.
//! 2. **wake** the owner, if that was PARKED.
//!
//! # Why no wake is lost
//!
//! All transitions are read-modify-writes of one word, so they happen in one order, each on what the one before has left.
//!
//! *A permit is taken once (K1).* Take a grant *G* and the owner's next transition *O* after it. Between them are only grants,
//! which leave NOTIFIED, so *O* finds NOTIFIED, and every transition that finds it takes it: announce, take and retract alike.
//! The next one finds EMPTY or PARKED until there is a new grant.
//!
//! *A sleeper is woken (K4).* Let *A* be the announcement of the sleep, *L* the look of the sleep at the word, and *G* the first
//! grant after *A*. It finds PARKED, so a wake *W* follows it. If the sleep comes before *W*, *W* ends it. If it comes after
//! *W*, so does its look, because look and sleep are one step; *G* came before *W*, so *L* sees NOTIFIED, and there is no
//! sleep. In a futex the kernel makes one step of the two, in a mutex and a condition variable the mutex does.
//!
//! *A wake is only a wake.* *W* may come after the owner has found the permit on its own, and end a later sleep. That sleep's
//! take finds no permit and the owner sleeps again. It is also why an [`Unparker`] keeps the word alive: *W* uses its address.
//!
//! *What was written is seen (K3).* A grant releases, and the owner acquires. Of several grants before one take, each is a swap
//! on what the last has left, so all belong to one release sequence: the owner sees the writes of every granter. This is why
//! grant swaps even where a permit is there already.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! |---|---|---|---|---|
//! | K1 | a permit is taken exactly once, or stays for the next park; a time-out loses none | each transition is one read-modify-write | `park*` return only with a permit, or `false` without | `permit_before_park`, `double_unpark_is_one_permit`, `time_out_against_unpark`, `late_wake_is_not_a_permit` |
//! | K2 | only the owner takes a permit or enters PARKED | `Parker: !Sync` | `announce` and `take` need no loop | – (the type) |
//! | K3 | what was written before an unpark is seen after the park that takes the permit | release in `grant`, acquire in `take`, `announce`, `retract` | anything handed over by unparking | `publishes_on_every_path`, `publishes_for_all_unparkers`, `spinning_before_sleeping` |
//! | K4 | an owner in PARKED either is asleep, or will see that the word has changed before it is | the backend looks and falls asleep in one step | no wake is lost | `permit_while_falling_asleep`, `late_wake_beside_a_second_permit`, `ping_pong` |
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
//!     parker.park(); // returns when there is a permit, and never without one
//!     assert_eq!(answer.load(Ordering::Relaxed), 42);
//! });
//! ```
//!
//! # Cost
//!
//! On a 2-core x86-64 virtual machine with Linux 6, whose atomic operations take 2 ns:
//!
//! | what | about | system calls |
//! |---|---|---|
//! | `unpark` of an owner that is awake | 2 ns: a swap | none |
//! | `park` with a permit | 2 ns: a subtraction | none |
//! | `park_timeout` of zero without a permit | less than 1 ns: a load | none |
//! | `unpark` of a sleeper, until that runs | 2.5 µs, as everything that wakes a thread | one wake, one wait |
//! | round trip of two threads | 5 µs, as `std::thread::park` | one wake and one wait a side, at most |
//! | `Parker`, `Unparker` | 16 and 8 bytes, and 24 that they share | – |
//!
//! # Which one to take
//!
//! - [`std::thread::park`] needs no value, but all code on a thread shares one permit, and it may return for no reason. Here the
//!   permit has an owner: no stranger's `unpark` is mistaken for yours, and `park` returns only with it.
//! - A mutex and a condition variable of your own are three places to make the mistakes above. [`backend::Std`] is the
//!   same thing, tested.
//! - With a deadline, `park_timeout` and `park_until` say whether they got the permit, and are never early: a signal or a
//!   spurious wake-up ends neither.
//! - `unpark` on a futex takes no lock, so that a signal handler may call it, also one that interrupts the owner. (The last
//!   `Unparker` frees memory: do not drop it there.)
//!
//! # Limits and non-goals
//!
//! One sleeper per parker: many that wait for one event want a condition variable, or one parker each. It hands over no data: a
//! channel does. It blocks the thread: inside a coroutine, await something. It looks before it sleeps only if told to, because
//! only its user knows whether that pays: see [`Parker::with_spin`].
//!
//! A futex is used on 64-bit Linux and Android. Elsewhere, and with the feature `fallback`, it is [`backend::Std`]: what other
//! systems have in place of the futex is private to them (macOS), or is what the standard library's mutex and condition variable
//! are made of there already (Windows, FreeBSD, OpenBSD). The feature `parking_lot` chooses [`backend::ParkingLot`].

mod parker;
mod permit;
mod spin;
mod sys;
mod unparker;

pub use parker::{Parker, pair};
pub use unparker::Unparker;

pub mod backend {
    //! Where a parked thread sleeps: the backends, and what one has to supply.
    //!
    //! | backend | sleeps on | memory beyond the permit's word | default |
    //! |---|---|---|---|
    //! | `Futex` | the word itself | none | 64-bit Linux and Android |
    //! | `Std` | the standard library's mutex and condition variable | theirs | elsewhere, or with the feature `fallback` |
    //! | `ParkingLot` | `parking_lot`'s | theirs | with the feature `parking_lot` |
    //! | yours | a [`Monitor`], or whatever keeps the contract of [`Backend`] | – | never: [`Parker::with_backend`] |
    //!
    //! All of them are built, whatever the features say: those choose [`Native`], which [`Parker::new`] takes.
    //!
    //! [`Parker::new`]: crate::Parker::new
    //! [`Parker::with_backend`]: crate::Parker::with_backend

    #[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64", not(tiny_coro_loom)))]
    pub use crate::sys::futex::Futex;
    pub use crate::sys::{Backend, Native, Slept, monitor::Monitor};
    #[cfg(not(tiny_coro_loom))]
    pub use crate::sys::{parking_lot::ParkingLot, standard::Std};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
