//! Tokens to sources: a slab whose indices carry a generation.

use crate::readiness::Readiness;
use crate::slot::Slot;
use tiny_coro_poller::Token;
use tiny_coro_prim::sync::Arc;

/// What the reactor and a [`Source`](crate::Source) share.
#[derive(Debug)]
pub(crate) struct IoState {
    pub(crate) readiness: Readiness,
    pub(crate) reader: Slot,
    pub(crate) writer: Slot,
}

impl IoState {
    pub(crate) fn new() -> Self {
        Self { readiness: Readiness::new(), reader: Slot::new(), writer: Slot::new() }
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
