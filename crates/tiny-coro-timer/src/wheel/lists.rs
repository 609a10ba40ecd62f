//! The lists of the wheel: unrolled, so that going through one waits for memory once in fourteen timers.
//!
//! A list is a chain of chunks, each one cache line, of which only the first may be partly filled. A timer knows its place in its
//! chunk; one that is taken out leaves that to the last of the first chunk. So adding and taking out touch the first chunk and the
//! timers concerned, whatever the length of the list; and the timers of a chunk, which lie anywhere in the slab, are
//! fetched at the same time, where a list with a link in each timer would fetch one after the other.

#[cfg(test)]
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use crate::slab::NONE;

/// How many timers fill a cache line, with their number and the way to the next chunk.
const CHUNK: usize = 14;
/// The low bits of a [`Position`]; the least that tell `CHUNK` places apart.
const BITS: u32 = 4;

/// A part of a list.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Chunk {
    timers: [u32; CHUNK],
    len: u32,
    /// The rest of the list; of a vacant chunk, the next vacant one.
    next: u32,
}

impl Chunk {
    /// The timers' slots in the slab.
    pub(super) fn timers(&self) -> &[u32] {
        &self.timers[..self.len as usize]
    }

    /// Calls `read` with each timer.
    #[inline]
    pub(super) fn map<T: Copy + Default>(&self, mut read: impl FnMut(u32) -> T) -> [T; CHUNK] {
        let mut values = [T::default(); CHUNK];
        self.timers().iter().zip(&mut values).for_each(|(timer, value)| *value = read(*timer));
        values
    }

    pub(super) fn next(&self) -> u32 {
        self.next
    }
}

/// All chunks of a queue. A list is named by its first chunk, an empty one is [`NONE`].
#[derive(Debug)]
pub(super) struct Lists {
    chunks: Vec<Chunk>,
    vacant: u32,
}

/// Where a timer is: the chunk's number and the place in it. The slab's link of each timer in a list (T2).
pub(super) type Position = u32;

impl Lists {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), vacant: NONE }
    }

    /// Room for `timers` in `lists` lists.
    pub(super) fn with_capacity(timers: usize, lists: usize) -> Self {
        Self { chunks: Vec::with_capacity(timers / CHUNK + timers.min(lists)), vacant: NONE }
    }

    /// Adds a timer to `list`, and returns the list and the timer's place.
    #[inline]
    pub(super) fn push(&mut self, list: u32, timer: u32) -> (u32, Position) {
        match self.chunks.get_mut(list as usize) {
            Some(first) if (first.len as usize) < CHUNK => {
                let place = first.len;
                first.timers[place as usize] = timer;
                first.len += 1;
                (list, list << BITS | place)
            }
            _ => {
                let first = self.allocate(timer, list);
                (first, first << BITS)
            }
        }
    }

    /// A chunk with one timer, before the rest of its list.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked: there is room for as many chunks as a position can name"
    )]
    fn allocate(&mut self, timer: u32, next: u32) -> u32 {
        let mut timers = [NONE; CHUNK];
        timers[0] = timer;
        let chunk = Chunk { timers, len: 1, next };
        let at = self.vacant;
        if let Some(vacant) = self.chunks.get_mut(at as usize) {
            self.vacant = vacant.next;
            *vacant = chunk;
            return at;
        }
        assert!(self.chunks.len() < 1 << (u32::BITS - BITS), "a timer queue has room for 2^28 parts of lists");
        self.chunks.push(chunk);
        self.chunks.len() as u32 - 1
    }

    /// Takes the last timer out of the first chunk of a list that isn't empty, and returns what is left of the list, and that timer.
    #[inline]
    pub(super) fn pop(&mut self, list: u32) -> (u32, u32) {
        let first = &mut self.chunks[list as usize];
        first.len -= 1;
        let timer = first.timers[first.len as usize];
        if first.len > 0 {
            return (list, timer);
        }
        (mem::replace(&mut first.next, mem::replace(&mut self.vacant, list)), timer)
    }

    /// Puts a timer into the place of another one.
    #[inline]
    pub(super) fn put(&mut self, position: Position, timer: u32) {
        self.chunks[(position >> BITS) as usize].timers[position as usize % (1 << BITS)] = timer;
    }

    /// Takes the first chunk off a list.
    pub(super) fn take_chunk(&mut self, list: u32) -> Option<Chunk> {
        let first = self.chunks.get_mut(list as usize)?;
        let taken = *first;
        first.next = mem::replace(&mut self.vacant, list);
        Some(taken)
    }

    /// Whether the list has a chunk at most.
    pub(super) fn is_short(&self, list: u32) -> bool {
        self.chunks.get(list as usize).is_none_or(|first| first.next == NONE)
    }
}

#[cfg(test)]
impl Lists {
    /// Calls `check` with each timer of a list and its place; fails unless all chunks but the first are full. Returns how many chunks
    /// those are.
    pub(super) fn audit(&self, list: u32, mut check: impl FnMut(u32, Position)) -> usize {
        let (mut at, mut chunks) = (list, 0);
        while at != NONE {
            let chunk = &self.chunks[at as usize];
            assert!(chunk.len as usize == CHUNK || at == list && chunk.len > 0);
            (0..).zip(chunk.timers()).for_each(|(place, timer)| check(*timer, at << BITS | place));
            at = chunk.next;
            chunks += 1;
        }
        chunks
    }

    /// How many chunks are in lists; fails unless the others are vacant.
    pub(super) fn used(&self) -> usize {
        let mut vacant = vec![false; self.chunks.len()];
        let mut at = self.vacant;
        while at != NONE {
            assert!(!mem::replace(&mut vacant[at as usize], true), "vacant twice");
            at = self.chunks[at as usize].next;
        }
        vacant.iter().filter(|vacant| !**vacant).count()
    }
}
