//! Whether a descriptor is in blocking mode: what a debug build checks.

use std::os::fd::{AsRawFd, BorrowedFd};

/// Returns false when the operating system will not say.
#[expect(unsafe_code, reason = "the standard library sets the mode of its own types, and reads that of none")]
pub(crate) fn is_blocking(fd: BorrowedFd<'_>) -> bool {
    // SAFETY: the descriptor is open, as `BorrowedFd` says, and the command takes no pointer.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    flags != -1 && flags & libc::O_NONBLOCK == 0
}
