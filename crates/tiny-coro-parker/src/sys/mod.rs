//! Where the owner sleeps: what a backend supplies, and which one this build has.
//!
//! A `Bed` is made with its parker, and all of its methods are given the same word.
//!
//! - `Bed::sleep(&self, word, value)` sleeps until a `wake` that comes after `word` has left `value`, and does not fall
//!   asleep if it has left already. No wake comes unseen between that look and falling asleep (K4).
//! - `Bed::sleep_until(&self, word, value, deadline)` sleeps no longer than that. [`Slept::DeadlinePassed`] is never early.
//! - `Bed::wake(&self, word)` wakes the sleeper, if there is one.
//!
//! The sleeps may return for no reason: the caller looks at the permit again. None of them orders memory: the permit does.

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(feature = "fallback"), not(tiny_coro_loom)))]
mod futex;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(feature = "fallback"), not(tiny_coro_loom)))]
pub(crate) use futex::Bed;

#[cfg(all(any(not(all(target_os = "linux", target_pointer_width = "64")), feature = "fallback"), not(tiny_coro_loom)))]
mod fallback;
#[cfg(all(
    any(not(all(target_os = "linux", target_pointer_width = "64")), feature = "fallback"),
    not(tiny_coro_loom)
))]
pub(crate) use fallback::Bed;

#[cfg(tiny_coro_loom)]
mod model;
#[cfg(tiny_coro_loom)]
pub(crate) use model::Bed;

/// Why a sleep with a deadline has ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    /// A wake, a signal, or nothing at all.
    LookAgain,
    /// The deadline has passed.
    DeadlinePassed,
}
