//! Loom's side of the seam: every schedule of a small program, and every result that the memory model lets a load have.

/// Atomic types and fences: all of `loom::sync::atomic`, and [`full_fence`](atomic::full_fence).
pub mod atomic {
    pub use crate::fence::full_fence;
    pub use loom::sync::atomic::*;
}

/// Interior mutability whose accesses the model checker can see.
pub mod cell {
    pub use loom::cell::UnsafeCell;
}

/// Shared ownership and locks for short critical sections.
pub mod sync {
    pub use crate::seam::lock::{Mutex, MutexGuard};
    pub use loom::sync::Arc;
}

/// Threads and thread-locals.
pub mod thread {
    pub use loom::thread::*;
    pub use loom::thread_local;
}

/// Hints to the processor.
pub mod hint {
    pub use loom::hint::spin_loop;
}

/// The checker itself, for stand-ins of what lies outside the seam: the same names whichever checker it is.
pub mod checker {
    pub use loom::{lazy_static, sync};

    /// What a sleep does whose deadline comes at once: nothing here. Every schedule is tried anyway, and where a thread yields, loom
    /// runs the others to their ends before it goes on, so that no wake would race with the deadline.
    pub fn let_time_pass() {}
}
