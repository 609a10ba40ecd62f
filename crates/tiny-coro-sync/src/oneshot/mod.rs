//! A channel for one value: one allocation, no lock.
//!
//! The answer to a request, the result of a task. [`Sender::send`] consumes the sender and never waits; the
//! [`Receiver`] is a future.
//!
//! # Protocol
//!
//! Two halves share one allocation with a state word, a cell for the value and a cell for a waker of each half. Each
//! cell has one owner at any time, and the word says which. A half *ends* when it is used up or dropped, and it
//! *leaves* when it touches the memory for the last time. The last to leave frees it: no reference count is needed.
//!
//! ```text
//!  sender                                          receiver
//!  write the value                                 write its waker, set RECEIVER_WAITS ── refused if COMPLETE: look again
//!  set COMPLETE, VALUE ── refused if CLOSED        …
//!   ├ RECEIVER_WAITS was clear: that was all,      woken, or by chance: sees VALUE, takes the value
//!   │  SENDER_GONE was set in the same step        set CLOSED
//!   └ it was set, and is now clear:                 ├ SENDER_GONE is set: free
//!      take the waker, set SENDER_GONE, wake        └ else RECEIVER_GONE in the same step
//! ```
//!
//! So a send that nobody waits for yet is one atomic operation, one that wakes is two; a receive that has to wait is one, the
//! receiver's end none or one. The sender takes the waker *out* before it leaves, and wakes it afterwards: the receiver
//! may see the value by chance, be done and be freed meanwhile, and the wake still has what it wakes. The same steps with
//! the roles exchanged serve [`Sender::closed`].
//!
//! # Invariants
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | O1 | the value's cell is the sender's until VALUE is set, then the receiver's; VALUE never follows CLOSED | `complete` (release) | `load` (acquire) before the value is taken | `send_against_recv`, `send_against_close` |
//! | O2 | a waker's cell is its half's while its WAITS bit is clear, unless the *other's* end cleared it: then the other's | `publish_waker` (release), `retract_waker` | `finish`, `close` (acquire) before a waker is taken | `waker_replaced`, `closed_against_drop` |
//! | O3 | the memory lives until both GONE bits are set; whoever sets, or finds, the second one frees it | `finish`, `leave` (both ways) | every access | `send_against_drop` |
//!
//! *No wake is lost.* The receiver sets RECEIVER_WAITS by an exchange that fails if COMPLETE is set; the sender sets COMPLETE by
//! an exchange that reads RECEIVER_WAITS. Both act on one word, so one is first: either the sender sees the waker, or the
//! receiver sees the end. *The memory is freed once.* Each half sets its GONE bit in exactly one exchange, after its last
//! access; of the two exchanges one is second and sees the other's bit.

mod halves;
mod state;

pub use crate::channel::{RecvError, TryRecvError};
pub use halves::{Receiver, Sender, channel};
