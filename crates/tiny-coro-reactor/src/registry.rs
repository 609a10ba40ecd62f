//! Tokens to sources: a slab whose indices carry a generation.

use crate::readiness::{Direction, Readiness, Ready};
use crate::waiters::Waiters;
use std::os::fd::RawFd;
use std::task::Waker;
use tiny_coro_poller::{Interest, Token};
use tiny_coro_prim::sync::Arc;

/// What the reactor and a [`Source`](crate::Source) share.
#[derive(Debug)]
pub(crate) struct IoState {
    pub(crate) readiness: Readiness,
    pub(crate) reader: Waiters,
    pub(crate) writer: Waiters,
    /// The descriptor's number, for people to read.
    pub(crate) fd: RawFd,
    /// The directions that the operating system was asked to watch.
    pub(crate) interest: Interest,
}

impl IoState {
    pub(crate) fn new(fd: RawFd, interest: Interest) -> Self {
        Self { readiness: Readiness::new(), reader: Waiters::new(), writer: Waiters::new(), fd, interest }
    }

    pub(crate) fn waiters(&self, direction: Direction) -> &Waiters {
        match direction {
            Direction::Read => &self.reader,
            Direction::Write => &self.writer,
        }
    }

    /// Leaves the waker of a polling task, and says what `direction` is ready for if that came in between. Not counted
    /// against the [budget](crate::budget): the caller has looked before.
    pub(crate) fn wait(&self, direction: Direction, waker: &Waker) -> Option<Ready> {
        self.waiters(direction).register(waker);
        // ORDERING R3: the waiters' mutex. Register, then look again: `publish` sets the readiness, then takes the wakers.
        self.readiness.get(direction)
    }

    /// Takes note of what has happened, and moves the wakers of those who wait for it to `woken`.
    pub(crate) fn publish(&self, what: Ready, woken: &mut Vec<Waker>) {
        // ORDERING R3: the waiters' mutex. Readiness first, then the wakers: who waits leaves its waker, then looks again.
        self.readiness.set(what);
        if what.is_readable() {
            self.reader.take(woken);
        }
        if what.is_writable() {
            self.writer.take(woken);
        }
    }

    /// Marks the source as gone, and moves the wakers of all who wait to `woken`.
    pub(crate) fn leave(&self, woken: &mut Vec<Waker>) {
        self.publish(Ready::GONE, woken);
    }
}

#[derive(Debug)]
struct Entry {
    generation: u32,
    state: Option<Arc<IoState>>,
}

/// The slab. An entry's generation grows whenever it is freed, so an event that was already on its way when its
/// source left finds nothing (invariant R4).
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

impl Registry {
    /// Adds a source. Returns `None` when 2³² − 1 of them are registered.
    pub(crate) fn insert(&mut self, state: Arc<IoState>) -> Option<Token> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.entries.len()).ok().filter(|&index| index < u32::MAX)?;
                self.entries.push(Entry { generation: 0, state: None });
                index
            }
        };
        let entry = &mut self.entries[index as usize];
        entry.state = Some(state);
        Some(Token::new(index, entry.generation))
    }

    /// Returns the source behind `token`, unless it has left.
    pub(crate) fn get(&self, token: Token) -> Option<&Arc<IoState>> {
        let entry = self.entries.get(token.index() as usize)?;
        if entry.generation == token.generation() { entry.state.as_ref() } else { None }
    }

    /// Frees the entry of `token`; later events for it find nothing.
    pub(crate) fn remove(&mut self, token: Token) -> Option<Arc<IoState>> {
        let entry = self.entries.get_mut(token.index() as usize)?;
        if entry.generation != token.generation() {
            return None;
        }
        let state = entry.state.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(token.index());
        Some(state)
    }

    /// Every registered source.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<IoState>> {
        self.entries.iter().filter_map(|entry| entry.state.as_ref())
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}
