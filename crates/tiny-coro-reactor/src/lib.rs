//! The reactor: operating-system readiness and deadlines become wakes of futures.
//!
//! # The problem
//!
//! A future that reads a socket must be polled again when there is something to read, and not before; one that sleeps, when
//! its time has come. Somebody has to remember who waits for what, ask the operating system (once, for all of them), and
//! wake those whose wait is over. That is a reactor. This one has no thread and knows no scheduler: whoever has nothing better to do
//! calls [`Reactor::turn`], which waits in the poller and wakes what became ready. It works under any executor. Where
//! the thread that polls is also the one that turns, the wakers have to end its turn, by [`Reactor::notify`]: others than the reactor wake, too.
//!
//! ```text
//!    Source ─┐   one registration each        ┌──────────── Reactor ────────────┐
//!    Source ─┼──────────────────────────────▶ │ registry   token ─▶ readiness,  │      ┌────────┐
//!    Source ─┘                                │                    waiters      │ turn │ poller │
//!                                             │ shard 0 ┐                       │─────▶│ epoll, │
//!    Sleep ────── the shard of its thread ──▶ │ shard 1 ├ deadline ─▶ waker     │      │ kqueue │
//!                                             │ shard 2 ┘                       │      └────────┘
//!                                             └─────────────────────────────────┘
//! ```
//!
//! # Vocabulary
//!
//! * *source*: a registered descriptor ([`Source`], [`AsyncFd`]). One edge-triggered registration in its life.
//! * *readiness*: the cached answer "an operation will not block". Set by events, cleared by who finds it untrue.
//! * *tick*: the number of events a source has had. Clearing names the tick that it has seen.
//! * *waiter*: who has left a waker with a source. Any number of futures, and one hand-written poll for each direction.
//! * *shard*: the timers of one thread; *bound*: a word of it that is never later than its first deadline.
//! * *turn*: one wait in the poller, and the right to it ([`Turn`]): one thread at a time.
//!
//! # Readiness: the waiter and the event
//!
//! With edge-triggered events the operating system says *once* that a descriptor became readable. So the reactor writes it down,
//! and nobody asks again until an operation has answered `WouldBlock`. All of a source is one word:
//!
//! ```text
//!    bits 8…             7 6 5   4      3          2          1          0
//!   ┌───────────────────┬─────┬──────┬──────────┬──────────┬──────────┬──────────┐
//!   │ tick (events seen)│  0  │ GONE │ W_CLOSED │ R_CLOSED │ WRITABLE │ READABLE │
//!   └───────────────────┴─────┴──────┴──────────┴──────────┴──────────┴──────────┘
//! ```
//!
//! Two races decide whether this is right. The first: somebody waits while the event comes.
//!
//! ```text
//!   waiter                                    turning thread
//!   1. readiness set?  ── yes ─▶ Ready        a. set the readiness, tick + 1
//!   2. leave the waker among the waiters      b. take all wakers
//!   3. readiness set?  ── yes ─▶ Ready        c. wake them, when the turn is given up
//!      no ─▶ Pending
//! ```
//!
//! *No event is lost* (R3). A mutex orders 2 against b. If b is first, a happened before 3, which sees it. If 2 is first, b finds
//! the waker. A future that is dropped takes its waker away again, and nobody else's: all are woken, none hands on.
//!
//! The second: somebody reads the last byte, then new data comes, and only then the reader says that there is none.
//!
//! ```text
//!   reader                                    turning thread
//!   1. read the word: readable, tick 7
//!   2. the operation says WouldBlock
//!                                             a. new data: set the readiness, tick 8
//!   3. clear, if the tick is still 7 ─▶ it is not: the readiness stays, the reader tries again
//! ```
//!
//! *No event is hidden* (R2). Step 3 is a compare-and-exchange on the whole word, tick and all. If it succeeds, no event came after 1,
//! so none came after 2, and the operating system will report the next one.
//!
//! # Timers: the one who sets them and the one who sleeps
//!
//! Servers set a time-out for every request and cancel nearly all of them, so setting and cancelling must cost nothing that
//! grows with the number of threads. Each thread says which shard is its own ([`Reactor::enter_shard`]); a [`Sleep`] belongs to the
//! shard of the thread that made it, remembers it, and is cancelled there. The shard's lock is then never fought for, and
//! neither is the reference count that a sleep takes on its shard.
//!
//! ```text
//!             bound   lock { timers }              Alarm
//!   shard 0 │  40   │ 40 ─ 55 ─ 90 │              ┌──────────────────┐
//!   shard 1 │  25   │ 60 ─ 61      │ (25 was      │ sleeps until: 40 │  0: awake
//!   shard 2 │ never │              │  cancelled)  └──────────────────┘
//! ```
//!
//! The thread that turns the reactor sleeps until the first deadline of all shards. It finds it by reading their bounds, without a lock.
//! Cancelling leaves the bound as it is, which makes it too low: harmless, and in the usual life of a time-out (set, cancelled, the next one
//! a little later) the bound is written about once in a time-out's length. Before it sleeps, the thread asks the one shard that decides
//! for its exact first deadline, as shard 1 above, so that it does not wake for nothing.
//!
//! What if a thread sets an earlier deadline in that moment? Each writes its own word, then reads the other's:
//!
//! ```text
//!   who sets a timer (only if it lowers the bound)    who goes to sleep
//!   1. lower the bound                                a. announce: sleeps until the limit (or for ever)
//!   2. fence(SeqCst)                                  b. fence(SeqCst)
//!   3. read the announcement:                         c. read the bounds; the lowest is when to wake
//!      earlier than that ─▶ notify the poller         d. announce that instead, and sleep
//! ```
//!
//! *No deadline is slept through* (R6). The two fences are totally ordered. If 2 comes before b, then c reads the lowered bound.
//! If b comes before 2, then 3 reads what a wrote, or something newer: the instant of d, which is early enough unless 3 notifies;
//! that the sleeper is awake, or a later announcement, and then the next b, which comes after 2, takes the first case. *And a timer
//! that did not lower the bound?* The bound was at or below its deadline already: c reads that, or a later bound that d's thread or
//! another raised under the shard's lock, which saw the timer if it was there; and if it came after, it did lower the raised bound (R5).
//!
//! *And many timers?* With a timer every microsecond, a thread that sleeps until each of them pays a system call, two looks at the clock and
//! the steps above for each. So after timers have fired it does not wake up for another one before the *slack* is over
//! ([`Reactor::set_timer_slack`], 50 µs), and then takes all that have come due. A timer that comes later than that after the last is on time. Who sets a timer counts with the
//! same slack at step 3, so it does not notify for nothing; both read it as a hint, which makes a timer late by the slack at most.
//!
//! *And whose thread fires a timer?* What it wakes has last run on the thread that set it, and lies in that processor's cache. So a thread that
//! has other things to do and only asks in passing ([`Turn::poll`]) takes the timers of its own shard, and of others only what is overdue by
//! the slack: their threads may be in a long computation, or asleep. One that has slept takes all. One that does not have the turn
//! can take its own all the same ([`Reactor::expire_shard`]).
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | R1 | a readiness bit is set after what it reports has happened | `Readiness::set` (release) | `Readiness::get` (acquire) | `wait_or_see`, `clearing_passes_on_what_was_published` |
//! | R2 | clearing never hides an event that the clearer has not seen, nor a direction that it does not name | the tick | edge triggering | `clear_against_event`, `directions_are_apart`, `late_reader_waits_again` |
//! | R3 | an event finds the wakers left before it, and is seen by the second look of those left after it; every waiter is woken | the waiters' mutex, the order of the steps | whoever waits | `wait_or_see`, `waiter_replaced`, `every_waiter_is_woken`, `moved_future_wakes_its_new_task`, `leaving_waiter_takes_nothing`, `deregistration_reaches_every_waiter` |
//! | R4 | an event that was under way when its source left reaches nobody | the generation in the token | reuse of descriptors | – (a test) |
//! | R5 | a shard's bound is never later than its first deadline | every store to it is under the shard's lock | reading it without, to go to sleep, and to see that a timer is over | `bound_is_never_above_a_deadline`, `bound_above_a_deadline_means_over`, `low_bound_hides_no_deadline` |
//! | R6 | who sleeps wakes by the first deadline, also one that comes later, or by the slack after the last timers that fired | the fences in `Alarm::go_to_sleep` and `Alarm::must_ring` | [`Sleep`] | `insert_against_going_to_sleep`, `insert_against_going_to_sleep_with_slack`, `reset_against_going_to_sleep`, `two_shards_against_going_to_sleep`, `second_sleep_sees_what_the_first_was_not_rung_for` |
//! | R7 | a timer's waker leaves the queue once: fired, replaced, cancelled or shut down | the shard's lock; the key of a timer that is over names nothing | [`Sleep`] | `fire_against_cancel`, `fire_against_new_waker`, `fire_against_reset`, `fire_against_drop`, `shutdown_against_insert` |
//! | R8 | a paused clock that jumps leaves no wake behind that was sent by work it was held for | `Clock::release` (release), `Clock::is_held` (acquire) before the look at the events | [`Reactor::hold_clock`] | `released_work_has_sent_its_wakes` |
//!
//! # What it costs
//!
//! About, on one core of an x86-64 virtual machine at some 3 GHz:
//!
//! | what | time | what for |
//! |---|---|---|
//! | a poll of a source that is ready | 1 ns | one load |
//! | a poll that waits, where the task's waker is there already | 6 ns | one uncontended lock |
//! | registering and deregistering a descriptor | 1.7 µs | two system calls |
//! | setting and cancelling a time-out | 65 ns | 23 of them for the clock, the rest for two uncontended locks and two reference counts; a fence only where the bound is lowered |
//! | a further poll of a sleep | 5 ns | one uncontended lock |
//! | a turn that does not wait | 200 ns | one system call; no lock of a shard unless a deadline has passed |
//!
//! A source takes 96 bytes in the reactor, and 56 more for each direction once a future has awaited it. A [`Sleep`] takes 24 bytes, and
//! what [`tiny_coro_timer::TimerQueue`] takes while it waits. A shard takes about 400 bytes. There is no allocation in waiting, apart
//! from the first future of a direction, and none in a turn, apart from the list of wakers, which the caller of [`Turn::wait`] keeps.
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
//! Tests of programs that sleep need not: [`Reactor::pause`] stops the reactor's clock, and from then on it jumps from deadline to deadline.
//!
//! # When not to use it
//!
//! With a handful of descriptors and a thread for each of them, blocking reads are simpler and as fast. Regular files are always ready
//! for the operating system, which refuses to watch them: read them on a thread that may block. Where each operation is to be handed
//! to the kernel whole (`io_uring`, overlapped I/O), readiness is the wrong question.
//!
//! # Limits
//!
//! A turn takes at most [`EVENTS_PER_TURN`] events. There are at most 2³² - 1 sources. Times are in nanoseconds and end 584 years after the
//! reactor's creation. Timers of different shards that are due in the same turn fire in no particular order. The slack
//! is one second at most. No out-of-band data.

#![deny(unsafe_code)]

mod alarm;
mod async_fd;
mod clock;
mod context;
#[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]
mod model;
mod nonblocking;
mod paused;
mod queue;
mod reactor;
mod readiness;
mod ready_guard;
mod registry;
mod shutdown;
mod sleep;
mod source;
mod timers;
mod turn;
mod wait;
mod waiters;
mod wake;

pub use async_fd::{AsyncFd, TryNewError};
pub use context::{EnterGuard, now};
pub use paused::ClockHold;
pub use reactor::{EVENTS_PER_TURN, Reactor};
pub use readiness::{Direction, Ready};
pub use ready_guard::{ReadyGuard, TryIoError};
pub use shutdown::Waiting;
pub use sleep::{Sleep, sleep, sleep_until};
pub use source::Source;
pub use timers::{DEFAULT_TIMER_SLACK, MAX_TIMER_SLACK};
pub use tiny_coro_poller::Interest;
pub use tiny_coro_prim::budget;
pub use turn::Turn;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
