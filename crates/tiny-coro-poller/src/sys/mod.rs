//! What a backend supplies, and which one this build has.
//!
//! - `Selector::new() -> io::Result<Selector>`, `Debug`, `AsFd`, `Send + Sync`, closed on exec.
//! - `Selector::{add, modify}(&self, BorrowedFd, Token, Interest, Mode)`, `Selector::delete(&self, BorrowedFd)`: the OS's
//!   error as it is; after a failed `add` nothing stays registered. `modify` arms anew.
//! - `Selector::signal(&self, Token) -> io::Result<Signal>`: called once. `Signal::send(&self)` makes a wait report an
//!   event with that token, once a send (P3); it works, without effect, after the selector is gone.
//! - `Selector::wait(&self, &mut EventBuffer, Option<Duration>)`: fills the cleared buffer; timeouts rounded up (P5), clamped
//!   where the OS has a limit; `Interrupted` is passed on.
//! - `EventBuffer`: the shared one of `buffer`, over the backend's [`RawEvent`](buffer::RawEvent).

mod buffer;

#[cfg(feature = "mio")]
mod mio;
#[cfg(feature = "mio")]
pub(crate) use mio::{EventBuffer, Selector, Signal};

#[cfg(all(not(feature = "mio"), any(target_os = "linux", target_os = "android")))]
mod epoll;
#[cfg(all(not(feature = "mio"), any(target_os = "linux", target_os = "android")))]
pub(crate) use epoll::{EventBuffer, Selector, Signal};

#[cfg(all(not(feature = "mio"), any(target_vendor = "apple", target_os = "freebsd", target_os = "dragonfly")))]
mod kqueue;
#[cfg(all(not(feature = "mio"), any(target_vendor = "apple", target_os = "freebsd", target_os = "dragonfly")))]
pub(crate) use kqueue::{EventBuffer, Selector, Signal};

#[cfg(not(any(
    feature = "mio",
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly"
)))]
compile_error!(
    "tiny-coro-poller has backends for Linux, Android, Apple's systems, FreeBSD and DragonFly BSD; for another Unix, try the feature `mio`"
);

/// Turns the C library's -1 into the error it left in `errno`.
#[cfg(not(feature = "mio"))]
fn check(result: libc::c_int) -> std::io::Result<libc::c_int> {
    if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}
