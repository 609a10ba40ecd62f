//! One shard: a hash table, and the deadlines in it in order of time.

use std::collections::BTreeSet;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;

use super::{Deadline, NEVER, Text, Value};

/// A key with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Entry {
    hash: u64,
    pub(super) deadline: Deadline,
    key: Text,
    pub(super) value: Value,
}

/// A part of a database, which its owner wraps in a lock.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    table: HashTable<Entry>,
    /// The deadline and hash of each key that has a deadline. Should two keys of one shard ever agree in both, one
    /// of them has to wait until somebody asks for it.
    deadlines: BTreeSet<(Deadline, u64)>,
}

impl Shard {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn expiring(&self) -> usize {
        self.deadlines.len()
    }

    /// The keys that have not expired.
    pub(crate) fn keys(&self, now: Deadline) -> impl Iterator<Item = &[u8]> {
        self.table.iter().filter(move |entry| entry.deadline > now).map(|entry| &*entry.key)
    }

    /// Finds `key`, and removes it instead when its time has come.
    pub(super) fn find(&mut self, hash: u64, key: &[u8], now: Deadline) -> Option<&mut Entry> {
        let found = self.table.find_entry(hash, |entry| entry.hash == hash && *entry.key == *key).ok()?;
        let deadline = found.get().deadline;
        if deadline > now {
            return Some(found.into_mut());
        }
        found.remove();
        self.deadlines.remove(&(deadline, hash));
        None
    }

    /// Finds `key`, or puts it there with the value that `make` gives.
    pub(super) fn find_or_insert(
        &mut self,
        hash: u64,
        key: &[u8],
        now: Deadline,
        make: impl FnOnce() -> Value,
    ) -> &mut Entry {
        match self.table.entry(hash, |entry| entry.hash == hash && *entry.key == *key, |entry| entry.hash) {
            TableEntry::Occupied(found) => {
                let entry = found.into_mut();
                if entry.deadline <= now {
                    self.deadlines.remove(&(entry.deadline, hash));
                    entry.deadline = NEVER;
                    entry.value = make();
                }
                entry
            }
            TableEntry::Vacant(place) => {
                place.insert(Entry { hash, deadline: NEVER, key: key.into(), value: make() }).into_mut()
            }
        }
    }

    /// Sets the value and the deadline of `key`, and tells whether this is now the shard's only deadline.
    pub(super) fn set(&mut self, hash: u64, key: &[u8], value: Value, deadline: Deadline) -> bool {
        match self.table.entry(hash, |entry| entry.hash == hash && *entry.key == *key, |entry| entry.hash) {
            TableEntry::Occupied(found) => {
                let entry = found.into_mut();
                entry.value = value;
                let old = std::mem::replace(&mut entry.deadline, deadline);
                move_deadline(&mut self.deadlines, hash, old, deadline)
            }
            TableEntry::Vacant(place) => {
                place.insert(Entry { hash, deadline, key: key.into(), value });
                move_deadline(&mut self.deadlines, hash, NEVER, deadline)
            }
        }
    }

    pub(super) fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let found = self.table.find_entry(hash, |entry| entry.hash == hash && *entry.key == *key).ok()?;
        let (entry, _) = found.remove();
        if entry.deadline != NEVER {
            self.deadlines.remove(&(entry.deadline, hash));
        }
        Some(entry)
    }

    /// Gives `key` a new deadline and tells whether this is now the shard's only one.
    pub(super) fn set_deadline(&mut self, hash: u64, key: &[u8], deadline: Deadline) -> bool {
        let Some(entry) = self.table.find_mut(hash, |entry| entry.hash == hash && *entry.key == *key) else {
            return false;
        };
        let old = std::mem::replace(&mut entry.deadline, deadline);
        move_deadline(&mut self.deadlines, hash, old, deadline)
    }

    /// Removes the keys whose time has come and tells when the next one's will.
    pub(super) fn sweep(&mut self, now: Deadline) -> Option<Deadline> {
        while let Some(&(deadline, hash)) = self.deadlines.first() {
            if deadline > now {
                return Some(deadline);
            }
            self.deadlines.pop_first();
            if let Ok(found) = self.table.find_entry(hash, |entry| entry.hash == hash && entry.deadline == deadline) {
                found.remove();
            }
        }
        None
    }
}

/// Tells whether `new` is now the only deadline.
fn move_deadline(deadlines: &mut BTreeSet<(Deadline, u64)>, hash: u64, old: Deadline, new: Deadline) -> bool {
    if old == new {
        return false;
    }
    if old != NEVER {
        deadlines.remove(&(old, hash));
    }
    new != NEVER && deadlines.insert((new, hash)) && deadlines.len() == 1
}
