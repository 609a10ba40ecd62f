//! The place of one key in a locked shard: what commands work with.

use std::ops::DerefMut;

use super::{Deadline, Kind, Shard, Value, WrongType};

/// A key in its locked shard, there or not.
pub(crate) struct Slot<'a, S> {
    shard: S,
    hash: u64,
    key: &'a [u8],
    now: Deadline,
    first_deadline: &'a (dyn Fn() + Send + Sync),
}

impl<'a, S: DerefMut<Target = Shard>> Slot<'a, S> {
    pub(super) fn new(
        shard: S,
        hash: u64,
        key: &'a [u8],
        now: Deadline,
        first_deadline: &'a (dyn Fn() + Send + Sync),
    ) -> Self {
        Slot { shard, hash, key, now, first_deadline }
    }

    /// The value, of whatever kind.
    pub(crate) fn value(&mut self) -> Option<&mut Value> {
        self.shard.find(self.hash, self.key, self.now).map(|entry| &mut entry.value)
    }

    /// The value as a `K`, or `None` when there is no such key.
    pub(crate) fn get<K: Kind>(&mut self) -> Result<Option<&mut K>, WrongType> {
        self.value().map(|value| K::of(value).ok_or(WrongType)).transpose()
    }

    /// The value as a `K`, made empty when there is no such key.
    pub(crate) fn get_or_create<K: Kind>(&mut self) -> Result<&mut K, WrongType> {
        let entry = self.shard.find_or_insert(self.hash, self.key, self.now, K::empty);
        K::of(&mut entry.value).ok_or(WrongType)
    }

    /// Sets the value and the deadline, whatever was there before.
    pub(crate) fn set(&mut self, value: Value, deadline: Deadline) {
        if self.shard.set(self.hash, self.key, value, deadline) {
            (self.first_deadline)();
        }
    }

    /// Removes the key and tells whether it was there.
    pub(crate) fn remove(&mut self) -> bool {
        self.value().is_some() && self.shard.remove(self.hash, self.key).is_some()
    }

    /// When the key expires ([`NEVER`](super::NEVER) for one that doesn't), or `None` when there is no such key.
    pub(crate) fn deadline(&mut self) -> Option<Deadline> {
        self.shard.find(self.hash, self.key, self.now).map(|entry| entry.deadline)
    }

    /// Lets the key, if it is there, expire at `deadline` or [`NEVER`](super::NEVER).
    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        if self.shard.set_deadline(self.hash, self.key, deadline) {
            (self.first_deadline)();
        }
    }
}
