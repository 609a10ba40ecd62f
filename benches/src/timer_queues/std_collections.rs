//! What people build from the standard library.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::mem;

use super::TimerQueue;

/// A `BTreeMap` by deadline and number, as async-io, which is smol's, has it.
#[derive(Debug)]
pub struct BTree {
    entries: BTreeMap<(u64, u64), u32>,
    /// Tells entries of the same deadline apart.
    next: u64,
}

impl TimerQueue for BTree {
    type Key = (u64, u64);

    fn new() -> Self {
        BTree { entries: BTreeMap::new(), next: 0 }
    }

    fn insert(&mut self, deadline: u64, value: u32) -> Self::Key {
        let key = (deadline, self.next);
        self.next += 1;
        self.entries.insert(key, value);
        key
    }

    fn cancel(&mut self, key: Self::Key) {
        self.entries.remove(&key);
    }

    fn expire(&mut self, now: u64, fired: impl FnMut(u32)) {
        if self.entries.first_key_value().is_none_or(|((deadline, _), _)| *deadline > now) {
            return;
        }
        let later = self.entries.split_off(&(now + 1, 0));
        mem::replace(&mut self.entries, later).into_values().for_each(fired);
    }
}

/// A `BinaryHeap` whose cancelled entries stay as tombstones until their deadline.
#[derive(Debug)]
pub struct Tombstones {
    /// Deadline and slot.
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// The value of each slot, unless it was cancelled. A slot is free once it has left the heap.
    slots: Vec<Option<u32>>,
    free: Vec<u32>,
}

impl TimerQueue for Tombstones {
    type Key = u32;

    fn new() -> Self {
        Tombstones { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new() }
    }

    fn insert(&mut self, deadline: u64, value: u32) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize] = Some(value);
        self.heap.push(Reverse((deadline, slot)));
        slot
    }

    fn cancel(&mut self, slot: u32) {
        self.slots[slot as usize] = None;
    }

    fn expire(&mut self, now: u64, mut fired: impl FnMut(u32)) {
        while let Some(&Reverse((deadline, slot))) = self.heap.peek()
            && deadline <= now
        {
            self.heap.pop();
            self.free.push(slot);
            if let Some(value) = self.slots[slot as usize].take() {
                fired(value);
            }
        }
    }
}
