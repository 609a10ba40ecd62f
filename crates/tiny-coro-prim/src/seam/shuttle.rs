//! Shuttle's side of the seam: random schedules of larger programs, in which every access has its turn and memory is
//! sequentially consistent.

/// Atomic types and fences: all of `shuttle::sync::atomic`, and [`full_fence`](atomic::full_fence).
pub mod atomic {
    pub use crate::fence::full_fence;
    pub use shuttle::sync::atomic::*;
}

/// Interior mutability. Shuttle does not look at its accesses: loom does.
pub mod cell {
    pub use crate::seam::plain::UnsafeCell;
}

/// Shared ownership and locks for short critical sections.
pub mod sync {
    pub use crate::seam::lock::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};
    pub use shuttle::sync::Arc;
}

/// Threads and thread-locals.
pub mod thread {
    pub use crate::seam::builder::Builder;
    pub use shuttle::thread::*;
    pub use shuttle::thread_local;
}

/// Hints to the processor.
pub mod hint {
    pub use shuttle::hint::spin_loop;
}

/// The checker itself, for stand-ins of what lies outside the seam: the same names whichever checker it is.
pub mod checker {
    pub use crate::seam::builder::allow_threads;
    pub use shuttle::{lazy_static, sync};

    /// What a sleep does whose deadline comes at once: another thread has its turn. A scheduler that goes by priorities would not
    /// leave a thread that sleeps again and again on its own.
    pub fn let_time_pass() {
        shuttle::thread::yield_now();
    }
}
