//! One database: the shards and the order in which they are locked.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

use super::{Deadline, Shard, Slot};

/// As many as a `u64` has bits: the shards that a command needs are a bit set.
const SHARDS: usize = 64;

/// Called when a shard gets its first key that expires.
pub(super) type Hook = Arc<dyn Fn() + Send + Sync>;

/// On cache lines of its own, so that two workers in neighbouring shards don't slow each other down.
#[repr(align(128))]
struct Aligned(Mutex<Shard>);

/// The keys of one database.
pub(crate) struct Database {
    shards: Box<[Aligned]>,
    hasher: RandomState,
    hook: Hook,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

impl Database {
    pub(super) fn new(hasher: RandomState, hook: Hook) -> Self {
        let shards = (0..SHARDS).map(|_| Aligned(Mutex::new(Shard::default()))).collect();
        Database { shards, hasher, hook }
    }

    /// Locks the shard of `key` and gives access to the key's place in it.
    pub(crate) fn lock<'a>(&'a self, key: &'a [u8], now: Deadline) -> Slot<'a, MutexGuard<'a, Shard>> {
        let hash = self.hasher.hash_one(key);
        Slot::new(self.shards[shard_of(hash)].0.lock(), hash, key, now, &*self.hook)
    }

    /// Locks the shards of all `keys`, in ascending order.
    pub(crate) fn lock_many<'k>(&self, keys: impl Iterator<Item = &'k [u8]>, now: Deadline) -> Locked<'_> {
        let wanted = keys.fold(0_u64, |set, key| set | 1 << shard_of(self.hasher.hash_one(key)));
        let mut guards = [const { None }; SHARDS];
        let mut rest = wanted;
        while rest != 0 {
            let shard = rest.trailing_zeros() as usize;
            guards[shard] = Some(self.shards[shard].0.lock());
            rest &= rest - 1;
        }
        Locked { database: self, guards, now }
    }

    /// Locks every shard, in ascending order.
    pub(crate) fn lock_all(&self) -> Vec<MutexGuard<'_, Shard>> {
        self.shards.iter().map(|shard| shard.0.lock()).collect()
    }

    /// How many keys there are at one moment, expired ones that nobody has looked at included.
    pub(crate) fn len(&self) -> usize {
        self.lock_all().iter().map(|shard| shard.len()).sum()
    }

    /// How many of them have a deadline.
    pub(crate) fn expiring(&self) -> usize {
        self.lock_all().iter().map(|shard| shard.expiring()).sum()
    }

    /// Empties this database at one moment.
    pub(crate) fn clear(&self) {
        let mut locked = self.lock_all();
        let removed: Vec<_> = locked.iter_mut().map(|shard| std::mem::take(&mut **shard)).collect();
        drop(locked);
        drop(removed);
    }

    pub(super) fn sweep(&self, now: Deadline) -> Option<Deadline> {
        self.shards.iter().filter_map(|shard| shard.0.lock().sweep(now)).min()
    }
}

/// The shards that a command with many keys works on.
pub(crate) struct Locked<'a> {
    database: &'a Database,
    guards: [Option<MutexGuard<'a, Shard>>; SHARDS],
    now: Deadline,
}

impl Locked<'_> {
    /// The place of `key`.
    ///
    /// # Panics
    ///
    /// If `key` isn't among those that were locked.
    pub(crate) fn slot<'k>(&'k mut self, key: &'k [u8]) -> Slot<'k, &'k mut Shard> {
        let hash = self.database.hasher.hash_one(key);
        let shard = self.guards[shard_of(hash)].as_mut().expect("every key's shard was locked");
        Slot::new(shard, hash, key, self.now, &*self.database.hook)
    }
}

/// The table inside the shard uses the lowest and the seven highest bits; these are between them.
fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}
