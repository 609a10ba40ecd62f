//! The data: sixteen databases, each cut into 64 shards by the hash of the key.
//!
//! A command locks the shard of its key, works, and unlocks: a shard's lock is never held across an await. A command
//! with many keys locks all of their shards, lowest first, before it touches one: it is atomic for everyone else, and
//! two of them can't wait for each other.
//!
//! | ID | always true | kept by |
//! |---|---|---|
//! | K1 | an expired key is never seen, whether or not the sweeper has come by | `Shard::find`, `find_or_insert` |
//! | K2 | shards are locked in ascending order, databases likewise | `Database::lock_many` and `lock_all`, `Store::clear` |
//! | K3 | a container that becomes empty is removed with its key | the command that took the last item |
//! | K4 | a key with a deadline is in its shard's `deadlines`, and the sweeper has been told | `Slot::set`, `set_deadline` |

mod database;
mod shard;
mod slot;
mod value;
mod zset;

use std::fmt;

use foldhash::fast::RandomState;

pub(crate) use database::Database;
pub(crate) use shard::Shard;
pub(crate) use slot::Slot;
pub(crate) use value::{Fields, Kind, List, Members, Text, Value, WrongType};
pub(crate) use zset::SortedSet;

/// How many databases `SELECT` can choose from.
pub(crate) const DATABASES: usize = 16;

/// A deadline in milliseconds of Unix time.
pub(crate) type Deadline = u64;

/// The deadline of a key that doesn't expire.
pub(crate) const NEVER: Deadline = Deadline::MAX;

/// All databases.
pub(crate) struct Store {
    databases: Vec<Database>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("databases", &self.databases.len()).finish_non_exhaustive()
    }
}

impl Store {
    /// Makes an empty store. `first_deadline` is called, under a shard's lock, when a shard gets its first key that
    /// expires: it must be quick, and it is to see that [`sweep`](Self::sweep) is called from then on.
    pub(crate) fn new(first_deadline: impl Fn() + Send + Sync + 'static) -> Self {
        let hasher = RandomState::default();
        let hook: database::Hook = std::sync::Arc::new(first_deadline);
        Store { databases: (0..DATABASES).map(|_| Database::new(hasher.clone(), hook.clone())).collect() }
    }

    /// The database with this number; `None` past the last.
    pub(crate) fn database(&self, number: usize) -> Option<&Database> {
        self.databases.get(number)
    }

    /// Every database with its number.
    pub(crate) fn databases(&self) -> impl Iterator<Item = (usize, &Database)> {
        self.databases.iter().enumerate()
    }

    /// Empties every database at one moment.
    pub(crate) fn clear(&self) {
        let mut locked: Vec<_> = self.databases.iter().map(Database::lock_all).collect();
        let removed: Vec<_> = locked.iter_mut().flatten().map(|shard| std::mem::take(&mut **shard)).collect();
        drop(locked);
        // A million values are freed without a lock held.
        drop(removed);
    }

    /// Removes what has expired and tells when the next key will, or `None` when no key has a deadline.
    pub(crate) fn sweep(&self, now: Deadline) -> Option<Deadline> {
        self.databases.iter().filter_map(|database| database.sweep(now)).min()
    }
}
