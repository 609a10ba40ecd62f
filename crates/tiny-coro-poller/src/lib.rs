//! Tells which file descriptors are ready: epoll, kqueue or `mio` behind one contract.
//!
//! A server has thousands of sockets and a few threads. It cannot block on one of them; it asks the OS to say which of them
//! can be read or written now. This crate is that question, and no more: it knows neither tasks nor futures nor timers.
//!
//! # Readiness, not completion
//!
//! There are two ways to do I/O without blocking. With *completion* (io_uring, Windows' IOCP) one hands the kernel a buffer
//! and hears when it is full: one call less, but the buffer belongs to the kernel until then, also when nobody wants the
//! answer any more. With *readiness* one hears that a read will not block, and then reads oneself: an idle connection needs
//! no buffer, and to lose interest costs nothing. Readiness is what this crate is about. It is a hint, never a promise:
//! whoever is told must still expect `WouldBlock`.
//!
//! # Vocabulary
//!
//! - **Registration**: a descriptor that the poller watches, with a token, an interest and a mode.
//! - [`Token`]: 64 bits of the caller's that come back with each event: an index and a generation.
//! - [`Interest`]: the directions to watch. [`Mode`]: how often a condition that lasts is reported.
//! - [`Event`]: one report of readiness. [`Events`]: the buffer of one wait.
//! - [`Waker`]: makes a wait return from another thread.
//!
//! # Level, edge, one-shot
//!
//! Five bytes arrive, then three; the reader takes four bytes at a time. `▲` is a wait that reports the descriptor, `·` one
//! that does not:
//!
//! ```text
//!              5 arrive     read 4       3 arrive     read 4       read, WouldBlock
//! unread   0  ────┬── 5 ──────┬── 1 ────────┬── 4 ──────┬── 0 ─────────┬── 0
//! Level    ·      ▲     ▲     ▲             ▲           ·              ·        as long as it holds
//! Edge     ·      ▲     ·     ·             ▲           ·              ·        when something arrives
//! Oneshot  ·      ▲     ·     ·             ·           ·              ·        once, until `modify`
//! ```
//!
//! *Level* forgives: what is left is reported again, at the price of a report for every wait, to every thread that waits.
//! *Edge* is the cheapest: register once in the life of a socket, and then no more calls; but who stops before `WouldBlock`
//! may never hear of the byte that is left, nor of the end. (A read that does not fill its buffer has drained a stream, too,
//! but has not seen its end: who stops there has to heed [`Event::is_read_hang_up`].)
//! *One-shot* is for threads that share a poller: the event is one thread's until it says `modify`.
//!
//! ```text
//!              add                    event (Oneshot)
//! unregistered ───▶ armed ─────────────────────────────▶ disarmed
//!      ▲              │ ▲ ◀── event (Level, Edge)           │
//!      │    delete,   │ └───────────── modify ──────────────┤
//!      └──────────────┴─────────────────────────────────────┘
//!        descriptor closed
//! ```
//!
//! # Why tokens have a generation
//!
//! A wait brings a batch. While its first event is handled, the connection of its second may be closed and its descriptor
//! number, and its place in the caller's table, given to a new one: the second event is then about somebody who is gone. A
//! table that counts each place's uses, and a token that says which use it means, turn that from a bug into a comparison.
//! The poller keeps no table and compares nothing (P2); what it does is to keep its own wake-ups out of the caller's tokens
//! (P1).
//!
//! # Waking a wait
//!
//! A flag, and a signal that the OS can wait for (an `eventfd`, a user event of the kqueue):
//!
//! 1. *Wake*: swap the flag to up. If it was down, send the signal. If it was up, a signal is on its way: done, without a
//!    system call.
//! 2. *Wait*: finds the signal among the events, takes it out, and lowers the flag before it returns with [`Events::woken`].
//!
//! Why no wake is lost: all swaps of the one flag are in one order. Let `W` be a wake's swap. If it found the flag down, it
//! sent a signal, which some wait consumes. If it found it up, let `S` be the last wake before it that found it down, whose
//! signal was sent or is about to be; no lowering stands between `S` and `W`. So the lowering `L` that belongs to the
//! signal of `S` comes after `W`, and the wait that does `L` has not returned yet: it stands for `W`, too. And since `L`
//! acquires what every swap before it released, that thread sees all that was done before `W`. Two signals can't be on
//! their way at once, because between two wakes that find the flag down there is a lowering, which has consumed the first
//! one's signal.
//!
//! # Backends
//!
//! | | epoll | kqueue | `mio` |
//! |---|---|---|---|
//! | when | Linux, Android | Apple's systems, FreeBSD, DragonFly BSD | feature `mio` |
//! | registration | one `epoll_ctl` | one or two filters, one `kevent` | one `register`, and an entry in a table |
//! | level | default | default | registered once more after each report |
//! | edge | `EPOLLET` | `EV_CLEAR` | default |
//! | one-shot | `EPOLLONESHOT`: both directions at once | `EV_DISPATCH`: each direction on its own | taken out after the report |
//! | token | `data.u64` | `udata` | in the table |
//! | timeout | `epoll_pwait2`: nanoseconds; before Linux 5.11 milliseconds | nanoseconds | as `mio` has it: milliseconds on Linux |
//! | waker | edge-triggered `eventfd`, never read | `EVFILT_USER` | `mio::Waker` |
//! | threads that wait | beside each other | beside each other | take turns |
//!
//! One suite of tests runs on each. The kqueue backend is type-checked for macOS and FreeBSD (`cargo xtask verify cross`) and
//! written from the manual pages and kernel sources; its authors have not run it.
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | checked by |
//! |---|---|---|---|---|
//! | P1 | a wake-up of the poller's own never comes out as an event | the reserved index, refused by `add` and `modify`; `wait` takes its event out | the caller's table | `regressions` |
//! | P2 | a token comes back bit for bit as it was given last | the kernel (`mio`: the table) | stale events are told by their generation | `conformance`, `properties` |
//! | P3 | while the wake flag is up, exactly one signal is on its way or not yet consumed; the wait that consumes it sees all that was written before the wakes it stands for | `WakeFlag` | a wake before, during or after a wait is not lost | 6 loom models |
//! | P4 | an error of the OS is returned, with operation and descriptor | [`RegistrationError`] | no registration is missing in silence | `faults` |
//! | P5 | a timeout is rounded up, never down | the backends | no spinning in the last fraction before a deadline | `regressions`, `faults` |
//! | P6 | at rest there are no system calls: the waker's descriptor is never read | edge-triggered `eventfd`, `EV_CLEAR` | idle processes | `conformance` |
//!
//! # Cost
//!
//! About, on x86-64 Linux 6, per call; the kernel's part is nearly all of it:
//!
//! | | epoll | `mio` adapter |
//! |---|---|---|
//! | `add`, `delete` | 0.9 µs, 0.6 µs | the same |
//! | `modify` | 0.3 µs | the same |
//! | `wait` that finds nothing | 0.16 µs | 0.3 µs |
//! | each event of a full batch | 0.3 µs in the kernel, 2 ns here | level and one-shot: 0.4 µs more |
//! | a timeout | 0.2 µs | nothing |
//! | `wake` and the wait it ends | 0.8 µs | 0.9 µs |
//! | `wake` when one is on its way | 2 ns | the same |
//!
//! Bytes: none of ours per registration (`mio`: about 50), about 160 of the kernel's; 12 per place in [`Events`] (64 on
//! FreeBSD, 32 on Apple's systems, 16 with `mio`); two descriptors per poller on Linux, one with kqueue, three with `mio`.
//!
//! # Example
//!
//! ```
//! use std::io::Write;
//! use std::os::unix::net::UnixStream;
//! use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};
//!
//! let (mut here, there) = UnixStream::pair()?;
//! let poller = Poller::new()?;
//! poller.add(&there, Token::new(0, 1), Interest::READABLE, Mode::Edge)?;
//!
//! here.write_all(b"ping")?;
//! let mut events = Events::with_capacity(64);
//! poller.wait(&mut events, None)?;
//! for event in &events {
//!     assert_eq!(event.token(), Token::new(0, 1));
//!     assert!(event.is_readable() && !event.is_hang_up());
//! }
//! poller.delete(&there)?;
//! # std::io::Result::Ok(())
//! ```
//!
//! # When not to use it
//!
//! For a handful of descriptors a thread each, or `poll(2)`, is simpler. Regular files are always "ready" and block all the
//! same: use threads. Many processes that accept from one listening socket want `SO_REUSEPORT` or `EPOLLEXCLUSIVE`, which
//! is not offered here. Windows: use `mio` or `polling` themselves. Hundreds of thousands of small operations a second on
//! few descriptors: look at io_uring.
//!
//! # Limits and non-goals
//!
//! kqueue and `mio` on 64-bit systems only, since they keep 64 bits in a pointer. No out-of-band data, no
//! processes, signals or timers as event sources (their descriptors are: `pidfd`, `signalfd`, `timerfd`). After `fork`, an
//! epoll poller is shared with the child, and a kqueue is not inherited: make a new one in the child.

mod error;
mod event;
mod interest;
#[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]
mod model;
mod poller;
mod sys;
mod token;
mod wake_flag;
mod waker;

pub use error::RegistrationError;
pub use event::{Event, Events, Iter};
pub use interest::{Interest, Mode};
pub use poller::Poller;
pub use token::Token;
pub use waker::Waker;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
