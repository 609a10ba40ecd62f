//! The one cfg ladder of this crate: which lock protects a channel's state.
//!
//! The contract: `lock()` returns a guard that is the only access. The model checker gets its own lock, whose waiters it
//! knows to be blocked; of spinning threads it would have to try every round. The spin lock has a model to itself.

#[cfg(not(tiny_coro_loom))]
pub(crate) use crate::spin::{SpinGuard as ShortGuard, SpinLock as ShortLock};
#[cfg(tiny_coro_loom)]
pub(crate) use tiny_coro_prim::sync::{Mutex as ShortLock, MutexGuard as ShortGuard};
