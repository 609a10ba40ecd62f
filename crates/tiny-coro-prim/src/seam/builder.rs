//! A checker's thread builder, which can refuse as an operating system does.

use super::atomic::{AtomicUsize, Ordering};
use super::checker::lazy_static;
use super::thread::{JoinHandle, spawn};
use std::io;

lazy_static! {
    /// How many threads may still be started in this run.
    static ref ROOM: AtomicUsize = AtomicUsize::new(usize::MAX);
}

/// From now on, in this run of the model, [`Builder`] starts `threads` threads, and refuses every further one.
pub fn allow_threads(threads: usize) {
    ROOM.store(threads, Ordering::Relaxed);
}

/// Starts threads that the checker knows. Name and stack are the operating system's business.
#[derive(Debug, Default)]
pub struct Builder;

impl Builder {
    /// A builder.
    pub fn new() -> Self {
        Self
    }

    /// Names no thread.
    pub fn name(self, _name: String) -> Self {
        self
    }

    /// Every stack is the checker's.
    pub fn stack_size(self, _bytes: usize) -> Self {
        self
    }

    /// Starts a thread, unless the model has said that there are no more.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, after [`allow_threads`].
    pub fn spawn<T: Send + 'static>(self, body: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
        let one_less = |room: usize| if room == usize::MAX { Some(room) } else { room.checked_sub(1) };
        match ROOM.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
            Ok(_) => Ok(spawn(body)),
            Err(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}
