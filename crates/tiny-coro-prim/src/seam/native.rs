//! The normal side of the seam.

/// Atomic types and fences: all of `std::sync::atomic`, and [`full_fence`](atomic::full_fence).
pub mod atomic {
    pub use crate::fence::full_fence;
    pub use std::sync::atomic::*;
}

/// Interior mutability whose accesses the model checker can see.
pub mod cell {
    pub use crate::seam::plain::UnsafeCell;
}

/// Shared ownership and locks for short critical sections.
pub mod sync {
    pub use parking_lot::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};
    pub use std::sync::Arc;
}

/// Threads and thread-locals.
pub mod thread {
    pub use std::thread::*;
    pub use std::thread_local;
}

/// Hints to the processor.
pub mod hint {
    pub use std::hint::spin_loop;
}
