//! The buffer of one wait, filled by the OS in its own format and read in ours.

use crate::event::Flags;
use crate::{Event, Token};

/// An event as the backend has it.
pub(crate) trait RawEvent: Copy {
    /// The token given at registration.
    fn token(&self) -> Token;

    /// What it says.
    fn flags(&self) -> Flags;
}

/// A buffer of raw events, allocated once. They are translated when they are read: many a caller looks at each only once.
pub(crate) struct EventBuffer<R> {
    events: Vec<R>,
}

impl<R: RawEvent> EventBuffer<R> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { events: Vec::with_capacity(capacity) }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.events.capacity()
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Event> {
        let raw = self.events.get(index)?;
        Some(Event::new(raw.token(), raw.flags()))
    }

    /// Takes out the event with that token, if there is one.
    pub(crate) fn remove(&mut self, token: Token) -> bool {
        let position = self.events.iter().position(|event| event.token() == token);
        position.map(|position| self.events.remove(position)).is_some()
    }

    /// Appends an event, for a backend that has them from elsewhere.
    #[cfg(feature = "mio")]
    pub(super) fn push(&mut self, event: R) {
        self.events.push(event);
    }

    /// Runs `wait`, which is given room for events and how many fit, and fills the buffer with what it wrote.
    ///
    /// # Safety
    ///
    /// `wait` returns how many events it has written, from the beginning of the room and no more than fit; or -1, with the
    /// error in `errno`.
    #[cfg(not(feature = "mio"))]
    pub(super) unsafe fn fill(&mut self, wait: impl FnOnce(*mut R, libc::c_int) -> libc::c_int) -> std::io::Result<()> {
        // No kernel takes more than `INT_MAX` bytes' worth.
        let limit = libc::c_int::MAX / size_of::<R>() as libc::c_int;
        let space = libc::c_int::try_from(self.events.capacity()).unwrap_or(limit).min(limit);
        self.events.clear();
        let filled = super::check(wait(self.events.as_mut_ptr(), space))?;
        // SAFETY: `filled` is at most the capacity, and so many events are written, as the caller promises.
        unsafe { self.events.set_len(usize::try_from(filled).unwrap_or(0)) };
        Ok(())
    }
}
