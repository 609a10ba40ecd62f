//! A checker's lock behind `parking_lot`'s signatures: no poisoning.

use super::checker::sync;

pub use super::checker::sync::MutexGuard;

/// The checker's mutex. In a model nobody panics under a lock: so none is ever poisoned.
#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
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
