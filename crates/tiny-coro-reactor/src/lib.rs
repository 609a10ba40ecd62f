//! The reactor: operating-system readiness and deadlines become wakes of futures.
//!
//! A future that reads a socket must be polled again when there is something to read, and not before. The reactor keeps,
//! for each registered descriptor, what the operating system said last and who waits for it; for each deadline, who
//! sleeps until it. It has no thread and knows no scheduler: whoever has nothing better to do calls
//! [`Reactor::turn`], which waits in the poller and wakes what became ready.
//!
//! # Vocabulary
//!
//! * *source*: a registered descriptor ([`Source`]). One edge-triggered registration in its life, for both directions.
//! * *readiness*: the cached answer "an operation will not block". Set by events, cleared by who finds it untrue.
//! * *tick*: the number of events a source has had. Clearing names the tick it has seen.
//! * *turn*: one wait in the poller, and the right to do it ([`Turn`]): one thread at a time.
//!
//! # Protocol
//!
//! ```text
//!   waiter (poll_ready)                      turning thread (collect)
//!   1. readiness set?  ── yes ─▶ Ready       a. set the readiness, tick += 1
//!   2. leave the waker in the slot           b. take the waker out of the slot
//!   3. readiness set?  ── yes ─▶ Ready       c. wake it, after the turn is given up
//!      no ─▶ Pending
//! ```
//!
//! The slot's mutex orders 2 against b. If b comes first, then a happened before 3, and 3 sees it. If 2 comes first, b
//! finds the waker. Either way the event is not lost. After `WouldBlock` the waiter clears the readiness with a
//! compare-and-exchange that fails if the tick has moved (an event came in between), and tries again.
//!
//! | ID | always true                                                        | kept by            | relied on by      | model      |
//! |----|--------------------------------------------------------------------|--------------------|-------------------|------------|
//! | R1 | a readiness bit is set after what it reports has happened           | `record` (release) | `get` (acquire)   | `wait_or_see` |
//! | R2 | clearing never hides an event the clearer has not seen              | `clear` (tick)     | edge triggering   | `clear_against_event` |
//! | R3 | an event after step 2 finds the waker; one before it is seen by step 3 | slot's mutex, order of steps | `poll_ready` | `wait_or_see` |
//! | R4 | an event that was under way when its source left reaches nobody     | `Registry` (generation) | descriptor reuse | – |
//! | R5 | the sleeping thread wakes by the first deadline, also one that is added later | `Timers` (`sleeps_until` under its mutex) | `Sleep` | – |
//!
//! # Example
//!
//! ```
//! use std::{io::{Read, Write}, os::unix::net::UnixStream, task::{Context, Poll, Waker}};
//! use tiny_coro_reactor::{Direction, Reactor, Source};
//!
//! # fn main() -> std::io::Result<()> {
//! let reactor = Reactor::new()?;
//! let (ours, mut theirs) = UnixStream::pair()?;
//! ours.set_nonblocking(true)?;
//! let source = Source::with_reactor(ours, &reactor)?;
//!
//! let mut cx = Context::from_waker(Waker::noop());
//! let mut buffer = [0; 8];
//! let mut read = |cx: &mut Context<'_>| source.poll_io(Direction::Read, cx, |mut io| io.read(&mut buffer));
//! assert!(read(&mut cx).is_pending());
//! theirs.write_all(b"hello")?;
//! reactor.turn(None)?; // wakes the waker
//! assert!(matches!(read(&mut cx), Poll::Ready(Ok(5))));
//! # Ok(())
//! # }
//! ```
//!
//! # Limits and non-goals
//!
//! A turn takes at most [`EVENTS_PER_TURN`] events. One waiter per direction: fan-out is for a layer above. Regular files
//! are always ready for the operating system and are refused by it; read them on a thread that may block.

#![forbid(unsafe_code)]

pub mod budget;
mod context;
#[cfg(all(test, tiny_coro_loom))]
mod model;
mod reactor;
mod readiness;
mod registry;
mod sleep;
mod slot;
mod source;
mod timers;

pub use context::EnterGuard;
pub use reactor::{EVENTS_PER_TURN, Reactor, Turn};
pub use readiness::{Direction, Ready};
pub use sleep::Sleep;
pub use source::Source;
pub use tiny_coro_poller::Interest;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
