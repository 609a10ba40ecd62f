//! What to watch, and how often to report it.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// Which directions of a file descriptor to watch: reading, writing or both, never neither.
///
/// Errors and hang-ups are always reported, whatever the interest.
///
/// # Examples
///
/// ```
/// use tiny_coro_poller::Interest;
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// assert_eq!(both, Interest::BOTH);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interest(u8);

impl Interest {
    /// Watch for reading. The peer's half-close ([`Event::is_read_hang_up`](crate::Event::is_read_hang_up)) comes with it.
    pub const READABLE: Self = Self(1);
    /// Watch for writing.
    pub const WRITABLE: Self = Self(2);
    /// Watch for both; for constants, where `|` cannot be used.
    pub const BOTH: Self = Self(3);

    /// Whether reading is watched.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.0 & Self::READABLE.0 != 0
    }

    /// Whether writing is watched.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.0 & Self::WRITABLE.0 != 0
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_readable(), self.is_writable()) {
            (true, true) => "READABLE | WRITABLE",
            (true, false) => "READABLE",
            (false, _) => "WRITABLE",
        })
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// How often a condition that lasts is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// By every [`wait`](crate::Poller::wait), as long as the condition holds.
    Level,
    /// When something happens: once after registering if the condition already holds, then whenever new data, new
    /// space or a close arrives. The user must read or write until `WouldBlock` before it can count on the next event.
    Edge,
    /// Once; then the registration stays, disarmed, until [`modify`](crate::Poller::modify) arms it again. With both
    /// directions watched, kqueue disarms only the one it reported, epoll disarms both.
    Oneshot,
}
