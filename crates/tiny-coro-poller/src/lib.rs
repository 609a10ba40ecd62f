//! Tells which file descriptors are ready: epoll and kqueue behind one contract.
//!
//! A server has thousands of sockets and a few threads. It cannot block on one of them; it asks the OS to say which of them
//! can be read or written now. This crate is that question, and no more: it knows neither tasks nor wakers nor timers.
//!
//! # Vocabulary
//!
//! - **Registration**: a descriptor that the poller watches, with a token, an interest and a mode.
//! - [`Token`]: 64 bits of the caller's that come back with each event: an index and a generation.
//! - [`Interest`]: the directions to watch. [`Mode`]: how often a condition that lasts is reported.
//! - [`Event`]: one report of readiness. [`Events`]: the buffer of one wait.
//! - [`Waker`]: makes a wait return from another thread.
//!
//! # Protocol
//!
//! ```text
//!              add                    event (Oneshot)
//! unregistered ───▶ armed ─────────────────────────────▶ disarmed
//!      ▲              │ ▲ ◀── event (Level, Edge)           │
//!      │    delete,   │ └───────────── modify ──────────────┤
//!      └──────────────┴─────────────────────────────────────┘
//!        last descriptor closed
//!
//! wake: flag up ── first? ──▶ signal ──▶ wait consumes the signal, lowers the flag, returns with woken()
//!                  not first: a signal is on its way, and stands for this wake too
//! ```
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by |
//! |---|---|---|---|
//! | P1 | a wake-up of the poller's own never comes out as an event | the reserved index, refused by `add` and `modify`; `wait` takes its event out | the reactor's table look-up |
//! | P2 | a token comes back bit for bit as it was given last | the kernel; no table in between | stale events are told by their generation |
//! | P3 | while the wake flag is up, exactly one signal is on its way or not yet consumed; the wait that consumes it sees all that was written before the wakes it stands for | `WakeFlag` | a wake before, during or after a wait is not lost |
//! | P4 | an error of the OS is returned, with operation and descriptor | [`RegistrationError`] | no registration is missing in silence |
//! | P5 | a timeout is rounded up, never down | the backends | no spinning in the last fraction before a deadline |
//! | P6 | at rest there are no system calls: the waker's descriptor is never read | edge-triggered `eventfd`, `EV_CLEAR` | idle processes |
//!
//! # Example
//!
//! ```
//! use std::io::Write;
//! use std::os::fd::AsFd;
//! use std::os::unix::net::UnixStream;
//! use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};
//!
//! let (mut here, there) = UnixStream::pair()?;
//! let poller = Poller::new()?;
//! poller.add(there.as_fd(), Token::new(0, 1), Interest::READABLE, Mode::Edge)?;
//!
//! here.write_all(b"ping")?;
//! let mut events = Events::with_capacity(64);
//! poller.wait(&mut events, None)?;
//! for event in &events {
//!     assert_eq!(event.token(), Token::new(0, 1));
//!     assert!(event.is_readable() && !event.is_hang_up());
//! }
//! # std::io::Result::Ok(())
//! ```
//!
//! # Limits and non-goals
//!
//! Linux and Android (epoll), Apple's systems, FreeBSD and DragonFly BSD (kqueue, 64-bit only, since it keeps the token in a
//! pointer). No Windows. No out-of-band data, no processes, signals or timers as event sources. Level-triggered waits by
//! several threads report one condition to each of them.

mod error;
mod event;
mod interest;
mod poller;
mod sys;
mod token;
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
