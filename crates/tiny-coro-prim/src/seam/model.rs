//! The model checker's side of the seam.

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
    pub use loom::sync::{Arc, MutexGuard};

    /// Loom's mutex behind `parking_lot`'s signatures: no poisoning.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        /// Wraps `value`.
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        /// Waits for the lock.
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a model does not panic under a lock")
        }

        /// Takes the lock if it is free.
        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }

        /// Returns the content of a mutex nobody else has.
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().expect("a model does not panic under a lock")
        }

        /// Returns the content.
        pub fn into_inner(self) -> T {
            self.0.into_inner().expect("a model does not panic under a lock")
        }
    }
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
