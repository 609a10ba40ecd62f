//! The deque and the injector of `crossbeam-deque` behind this crate's names.
//!
//! They tell neither their capacity nor how often they grew, and count a batch only by what the destination has more
//! of: those answers are lower bounds here.

use std::fmt;

use crossbeam_deque as theirs;

use crate::Steal;

macro_rules! forward {
    ($type:ident: $($name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        #[expect(missing_docs, reason = "the same as those of the default backend")]
        impl<T> $type<T> {
            $(pub fn $name(&self, $($argument: $kind),*) $(-> $result)? { self.0.$name($($argument),*) })*
        }

        impl<T> fmt::Debug for $type<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! steals {
    ($type:ident) => {
        #[expect(missing_docs, reason = "the same as those of the default backend")]
        impl<T> $type<T> {
            pub const MAX_BATCH: usize = 32;

            pub fn steal(&self) -> Steal<T> {
                from(self.0.steal())
            }
            pub fn steal_batch(&self, dest: &Worker<T>) -> Steal<()> {
                from(self.0.steal_batch(&dest.0))
            }
            pub fn steal_batch_with_limit(&self, dest: &Worker<T>, limit: usize) -> Steal<()> {
                from(self.0.steal_batch_with_limit(&dest.0, limit))
            }
            pub fn steal_batch_and_pop(&self, dest: &Worker<T>) -> Steal<T> {
                from(self.0.steal_batch_and_pop(&dest.0))
            }
            pub fn steal_batch_with_limit_and_pop(&self, dest: &Worker<T>, limit: usize) -> Steal<T> {
                from(self.0.steal_batch_with_limit_and_pop(&dest.0, limit))
            }
            pub fn steal_batch_counted(&self, dest: &Worker<T>, limit: usize) -> Steal<usize> {
                let before = dest.len();
                self.steal_batch_with_limit(dest, limit).map(|()| dest.len().saturating_sub(before))
            }
            pub fn steal_batch_and_pop_counted(&self, dest: &Worker<T>, limit: usize) -> Steal<(T, usize)> {
                let before = dest.len();
                let stolen = self.steal_batch_with_limit_and_pop(dest, limit);
                stolen.map(|element| (element, dest.len().saturating_sub(before) + 1))
            }
        }
    };
}

/// The owner's end of a deque.
pub struct Worker<T>(theirs::Worker<T>);

forward! { Worker: push(element: T); pop() -> Option<T>; len() -> usize; is_empty() -> bool; }

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl<T> Worker<T> {
    pub fn lifo() -> Self {
        Self(theirs::Worker::new_lifo())
    }
    pub fn fifo() -> Self {
        Self(theirs::Worker::new_fifo())
    }
    pub fn lifo_with_capacity(_capacity: usize) -> Self {
        Self::lifo()
    }
    pub fn fifo_with_capacity(_capacity: usize) -> Self {
        Self::fifo()
    }
    pub fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.stealer())
    }
    pub fn capacity(&self) -> usize {
        self.0.len()
    }
    pub fn shrink_to(&self, _capacity: usize) {}
    pub fn growths(&self) -> u64 {
        0
    }
}

/// A thief's end of a deque.
pub struct Stealer<T>(theirs::Stealer<T>);

steals!(Stealer);
forward! { Stealer: len() -> usize; is_empty() -> bool; }

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl<T> Stealer<T> {
    pub fn growths(&self) -> u64 {
        0
    }
}

impl<T> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A queue into which everybody pushes, and out of which everybody steals.
pub struct Injector<T>(theirs::Injector<T>);

steals!(Injector);
forward! { Injector: push(element: T); len() -> usize; is_empty() -> bool; }

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl<T> Injector<T> {
    pub fn new() -> Self {
        Self(theirs::Injector::new())
    }
}

impl<T> Default for Injector<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn from<T>(theirs: theirs::Steal<T>) -> Steal<T> {
    match theirs {
        theirs::Steal::Empty => Steal::Empty,
        theirs::Steal::Success(value) => Steal::Success(value),
        theirs::Steal::Retry => Steal::Retry,
    }
}
