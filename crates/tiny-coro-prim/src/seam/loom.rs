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
    pub use crate::seam::lock::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};
    pub use loom::sync::Arc;
}

/// Threads and thread-locals.
pub mod thread {
    pub use crate::model_thread_local as thread_local;
    pub use crate::seam::builder::Builder;
    pub use loom::thread::*;
}

/// Hints to the processor.
pub mod hint {
    pub use loom::hint::spin_loop;
}

/// The checker itself, for stand-ins of what lies outside the seam: the same names whichever checker it is.
pub mod checker {
    pub use crate::seam::builder::allow_threads;
    pub use loom::{lazy_static, sync, thread_local};

    /// What a sleep does whose deadline comes at once: nothing here. Every schedule is tried anyway, and where a thread yields, loom
    /// runs the others to their ends before it goes on, so that no wake would race with the deadline.
    pub fn let_time_pass() {}
}

/// Loom's own, whose syntax is older than the `const` block: here that is an expression like any other.
#[doc(hidden)]
#[macro_export]
macro_rules! model_thread_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $initial:expr);* $(;)?) => {
        $($crate::checker::thread_local! {
            $(#[$attribute])* $visibility static $name: $type = $initial;
        })*
    };
}
