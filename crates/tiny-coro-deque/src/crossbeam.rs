//! The deque of `crossbeam-deque` behind this crate's names.
//!
//! It tells neither its capacity nor how often it grew, and counts a batch only by what the destination has more of:
//! those answers are lower bounds here.

use crossbeam_deque as theirs;

use crate::{Pointer, Steal};

/// The owner's end of a deque.
#[derive(Debug)]
pub struct Worker<T: Pointer>(theirs::Worker<T>);

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl<T: Pointer> Worker<T> {
    pub fn lifo() -> Self {
        Self(theirs::Worker::new_lifo())
    }
    pub fn fifo() -> Self {
        Self(theirs::Worker::new_fifo())
    }
    pub fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.stealer())
    }
    pub fn push(&self, element: T) {
        self.0.push(element);
    }
    pub fn pop(&self) -> Option<T> {
        self.0.pop()
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn capacity(&self) -> usize {
        self.0.len()
    }
    pub fn growths(&self) -> u64 {
        0
    }
}

/// A thief's end of a deque.
#[derive(Debug)]
pub struct Stealer<T: Pointer>(theirs::Stealer<T>);

#[expect(missing_docs, reason = "the same as those of the default backend")]
impl<T: Pointer> Stealer<T> {
    pub const MAX_BATCH: usize = 32;

    pub fn steal(&self) -> Steal<T> {
        from(self.0.steal())
    }
    pub fn steal_batch(&self, dest: &Worker<T>) -> Steal<()> {
        self.steal_batch_with_limit(dest, Self::MAX_BATCH).map(drop)
    }
    pub fn steal_batch_with_limit(&self, dest: &Worker<T>, limit: usize) -> Steal<usize> {
        let before = dest.len();
        from(self.0.steal_batch_with_limit(&dest.0, limit)).map(|()| dest.len().saturating_sub(before))
    }
    pub fn steal_batch_and_pop(&self, dest: &Worker<T>) -> Steal<T> {
        self.steal_batch_with_limit_and_pop(dest, Self::MAX_BATCH).map(|(element, _)| element)
    }
    pub fn steal_batch_with_limit_and_pop(&self, dest: &Worker<T>, limit: usize) -> Steal<(T, usize)> {
        let before = dest.len();
        from(self.0.steal_batch_with_limit_and_pop(&dest.0, limit))
            .map(|element| (element, dest.len().saturating_sub(before) + 1))
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn growths(&self) -> u64 {
        0
    }
}

impl<T: Pointer> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

fn from<T>(theirs: theirs::Steal<T>) -> Steal<T> {
    match theirs {
        theirs::Steal::Empty => Steal::Empty,
        theirs::Steal::Success(value) => Steal::Success(value),
        theirs::Steal::Retry => Steal::Retry,
    }
}
