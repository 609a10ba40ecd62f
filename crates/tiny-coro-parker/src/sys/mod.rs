//! Where the owner sleeps: what a backend supplies, and which one this build has by default.

use std::fmt;
use std::time::Instant;

use tiny_coro_prim::atomic::AtomicU32;

#[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64", not(tiny_coro_loom)))]
pub(crate) mod futex;
#[cfg(tiny_coro_loom)]
pub(crate) mod model;
pub(crate) mod monitor;
#[cfg(not(tiny_coro_loom))]
pub(crate) mod parking_lot;
#[cfg(not(tiny_coro_loom))]
pub(crate) mod standard;

/// The backend of this build: `Futex` where there is one, [`Std`](crate::backend::Std) elsewhere,
/// unless a feature chooses another.
pub type Native = cfg_select! {
    tiny_coro_loom => { model::Model }
    feature = "parking_lot" => { parking_lot::ParkingLot }
    feature = "fallback" => { standard::Std }
    all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64") => { futex::Futex }
    _ => { standard::Std }
};

/// How a thread sleeps while a word has a value, and how another ends that.
///
/// This is the whole of what a [`Parker`](crate::Parker) asks of the system. The permit, its memory ordering and every race
/// between a wake and a sleep are the parker's; a backend orders nothing and may end a sleep for no reason. So it is safe to
/// write one: a wrong backend makes a parker hang or spin, and nothing worse. A system with a mutex and a condition variable
/// implements [`Monitor`](crate::backend::Monitor) instead.
///
/// A backend is made with its parker, and all of its methods are given that parker's one word. Only one thread sleeps.
///
/// # Examples
///
/// Never sleeps: for a core that has nothing else to run.
///
/// ```
/// use std::time::Instant;
/// use tiny_coro_parker::backend::{Backend, Slept};
/// use tiny_coro_parker::Parker;
/// use tiny_coro_prim::atomic::{AtomicU32, Ordering};
///
/// #[derive(Debug)]
/// struct Busy;
///
/// impl Backend for Busy {
///     fn sleep(&self, word: &AtomicU32, value: u32) {
///         while word.load(Ordering::Relaxed) == value {
///             std::hint::spin_loop();
///         }
///     }
///
///     fn sleep_until(&self, _: &AtomicU32, _: u32, deadline: Instant) -> Slept {
///         std::hint::spin_loop();
///         if Instant::now() < deadline { Slept::LookAgain } else { Slept::DeadlinePassed }
///     }
///
///     fn wake(&self, _: &AtomicU32) {}
/// }
///
/// let parker = Parker::with_backend(Busy);
/// let unparker = parker.unparker();
/// std::thread::spawn(move || unparker.unpark());
/// parker.park();
/// ```
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Sleeps until a [`wake`](Self::wake) that comes after `word` has left `value`; does not sleep if it has left already.
    ///
    /// A wake that comes between this look at the word and the sleep must not be missed (K4). May return for no reason.
    fn sleep(&self, word: &AtomicU32, value: u32);

    /// Does what [`sleep`](Self::sleep) does, but not for much longer than until `deadline`.
    fn sleep_until(&self, word: &AtomicU32, value: u32, deadline: Instant) -> Slept;

    /// Wakes the sleeper, if there is one. Called after `word` has left the value that it sleeps on.
    fn wake(&self, word: &AtomicU32);
}

/// Why a sleep with a deadline has ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slept {
    /// A wake, a signal, or nothing at all: the word has to be looked at again.
    LookAgain,
    /// The deadline has passed. Never said early.
    DeadlinePassed,
}
