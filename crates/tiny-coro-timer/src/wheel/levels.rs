//! The levels of the wheel: lists of timers, finer the nearer they are to the horizon.

use alloc::vec::Vec;
use core::mem;
use core::ops::RangeInclusive;

use crate::slab::{NONE, Slab};

/// How many bits of a deadline choose a slot of a level.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;

/// What the wheel keeps with a timer. The slab's link is the next timer of the list, or the position in the front.
#[derive(Debug, Default)]
pub(super) struct Timer {
    pub(super) deadline: u64,
    pub(super) sequence: u32,
    /// In a list: the timer before it.
    previous: u32,
}

/// One slot of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    level: usize,
    index: usize,
}

impl Place {
    /// Where a deadline after the horizon belongs: at the highest digit in which they differ (W3).
    #[inline]
    fn of(deadline: u64, horizon: u64) -> Self {
        let level = ((deadline ^ horizon | 1).ilog2() / BITS) as usize;
        Self { level, index: digit(deadline, level) }
    }

    /// The deadlines that belong here.
    fn range(self, horizon: u64) -> RangeInclusive<u64> {
        let shift = self.level as u32 * BITS;
        let start = (horizon >> shift & !(SLOTS as u64 - 1) | self.index as u64) << shift;
        start..=start | ((1 << shift) - 1)
    }
}

#[inline]
fn digit(deadline: u64, level: usize) -> usize {
    (deadline >> (level as u32 * BITS)) as usize % SLOTS
}

/// The slots of one digit, below one choice of all higher digits.
#[derive(Debug)]
struct Level {
    /// A bit for each slot that isn't empty (W4).
    occupied: u64,
    /// A bit for each slot that is divided by the next digit.
    divided: u64,
    /// The first timer of the list; or, of a divided slot, where its level is in the store.
    slots: [u32; SLOTS],
}

impl Level {
    const EMPTY: Self = Self { occupied: 0, divided: 0, slots: [NONE; SLOTS] };

    #[inline]
    fn is_divided(&self, index: usize) -> bool {
        self.divided >> index & 1 == 1
    }

    /// Adds a timer to the list of an undivided slot; true if it is the first.
    #[inline]
    fn push<T>(&mut self, slab: &mut Slab<Timer, T>, index: usize, slot: u32) -> bool {
        let next = mem::replace(&mut self.slots[index], slot);
        let timer = slab.at_mut(slot);
        timer.link = next;
        timer.node.previous = NONE;
        if next == NONE {
            self.occupied |= 1 << index;
        } else {
            slab.at_mut(next).node.previous = slot;
        }
        next == NONE
    }

    /// Makes `head` the first of an undivided slot; true if the level is empty now.
    #[inline]
    fn set(&mut self, index: usize, head: u32) -> bool {
        self.slots[index] = head;
        if head != NONE {
            return false;
        }
        self.occupied &= !(1 << index);
        self.occupied == 0
    }

    fn divide(&mut self, index: usize, finer: u32) {
        self.slots[index] = finer;
        self.occupied |= 1 << index;
        self.divided |= 1 << index;
    }

    /// Empties a slot, whatever it holds.
    fn take(&mut self, index: usize) -> u32 {
        self.occupied &= !(1 << index);
        self.divided &= !(1 << index);
        mem::replace(&mut self.slots[index], NONE)
    }
}

/// A list of timers for each place, and levels that have been set aside.
#[derive(Debug)]
pub(super) struct Levels {
    /// A bit for each level of `path` that isn't empty (W4).
    used: u32,
    /// The levels around the horizon, from the lowest digit to the highest.
    path: [Level; LEVELS],
    /// The levels of divided slots, and vacant ones.
    store: Vec<Level>,
    /// The first vacant level of the store, whose first slot names the next.
    vacant: u32,
}

impl Levels {
    pub(super) const fn new() -> Self {
        Self { used: 0, path: [Level::EMPTY; LEVELS], store: Vec::new(), vacant: NONE }
    }

    /// Whether a timer in a list, with deadline `old`, would be in the same one with deadline `new`.
    ///
    /// It may say no where a divided slot would have to be looked into.
    #[inline]
    pub(super) fn is_same_list(&self, old: u64, new: u64, horizon: u64) -> bool {
        let place = Place::of(old, horizon);
        let agree = (old ^ new) >> (place.level as u32 * BITS) == 0;
        agree && !self.path[place.level].is_divided(place.index)
    }

    #[inline]
    pub(super) fn insert<T>(&mut self, slab: &mut Slab<Timer, T>, slot: u32, horizon: u64) {
        let deadline = slab.at(slot).node.deadline;
        let place = Place::of(deadline, horizon);
        let level = &mut self.path[place.level];
        if level.is_divided(place.index) {
            let (level, index) = self.descend(place, deadline);
            level.push(slab, index, slot);
        } else if level.push(slab, place.index, slot) {
            self.used |= 1 << place.level;
        }
    }

    #[inline]
    pub(super) fn remove<T>(&mut self, slab: &mut Slab<Timer, T>, slot: u32, horizon: u64) {
        let timer = slab.at(slot);
        let (deadline, previous, next) = (timer.node.deadline, timer.node.previous, timer.link);
        if next != NONE {
            slab.at_mut(next).node.previous = previous;
        }
        if previous != NONE {
            slab.at_mut(previous).link = next;
            return;
        }
        let place = Place::of(deadline, horizon);
        let level = &mut self.path[place.level];
        if level.is_divided(place.index) {
            let (level, index) = self.descend(place, deadline);
            level.set(index, next);
        } else if level.set(place.index, next) {
            self.used &= !(1 << place.level);
        }
    }

    /// The list of a deadline that belongs to a divided slot.
    #[cold]
    fn descend(&mut self, place: Place, deadline: u64) -> (&mut Level, usize) {
        let mut finer = self.path[place.level].slots[place.index] as usize;
        for level in (0..place.level).rev() {
            let index = digit(deadline, level);
            if !self.store[finer].is_divided(index) {
                return (&mut self.store[finer], index);
            }
            finer = self.store[finer].slots[index] as usize;
        }
        unreachable!("no slot of the lowest level is divided");
    }

    /// Writes down whether a level of the path is in use (W4).
    #[inline]
    fn note(&mut self, level: usize) {
        if self.path[level].occupied == 0 {
            self.used &= !(1 << level);
        } else {
            self.used |= 1 << level;
        }
    }

    /// Takes out the list of the earliest deadlines, and returns it with the range in which they are.
    ///
    /// The caller moves the horizon to the start or the end of that range, which makes up for what happens to
    /// divided slots on the way: the horizon enters them, and their level becomes one of the path.
    pub(super) fn take_first(&mut self, horizon: &mut u64) -> Option<(RangeInclusive<u64>, u32)> {
        loop {
            let level = self.used.trailing_zeros() as usize;
            let index = self.path.get(level)?.occupied.trailing_zeros() as usize;
            let (is_divided, range) = (self.path[level].is_divided(index), Place { level, index }.range(*horizon));
            let taken = self.path[level].take(index);
            self.note(level);
            if !is_divided {
                return Some((range, taken));
            }
            *horizon = *range.start();
            self.path[level - 1] = mem::replace(&mut self.store[taken as usize], Level::EMPTY);
            self.store[taken as usize].slots[0] = mem::replace(&mut self.vacant, taken);
            // It may be empty: nobody has looked since its timers were cancelled.
            self.note(level - 1);
        }
    }

    /// Sets aside the levels whose timers belong elsewhere when the horizon moves back from `old` to `new`.
    ///
    /// All of them lie in one slot, that of the old horizon in the highest digit that changes: they become its division.
    pub(super) fn set_aside(&mut self, old: u64, new: u64) {
        let place = Place::of(old, new);
        let mut finer = NONE;
        for level in self.used.trailing_zeros() as usize..place.level {
            let mut aside = mem::replace(&mut self.path[level], Level::EMPTY);
            if finer != NONE {
                aside.divide(digit(old, level), finer);
            }
            finer = self.put_away(aside);
            self.note(level);
        }
        if finer != NONE {
            self.path[place.level].divide(place.index, finer);
            self.note(place.level);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "there are fewer levels in the store than there were timers")]
    fn put_away(&mut self, level: Level) -> u32 {
        let at = self.vacant;
        if let Some(vacant) = self.store.get_mut(at as usize) {
            self.vacant = vacant.slots[0];
            *vacant = level;
            return at;
        }
        self.store.push(level);
        self.store.len() as u32 - 1
    }
}

#[cfg(test)]
impl Levels {
    /// Fails unless W1, W3 and W4 hold, and the links of each list are those of a list; returns the number of timers.
    pub(super) fn audit<T>(&self, slab: &Slab<Timer, T>, horizon: u64) -> usize {
        let mut count = 0;
        for (level, slots) in self.path.iter().enumerate() {
            assert_eq!(self.used >> level & 1 == 1, slots.occupied != 0, "W4");
            let start = Place { level, index: 0 }.range(horizon);
            count += self.audit_level(slab, slots, level, *start.start(), horizon);
        }
        let divided: u32 = self.path.iter().chain(&self.store).map(|level| level.divided.count_ones()).sum();
        let (mut known, mut vacant) = (divided as usize, self.vacant);
        while vacant != NONE {
            known += 1;
            vacant = self.store[vacant as usize].slots[0];
        }
        assert_eq!(known, self.store.len(), "none is lost");
        count
    }

    fn audit_level<T>(&self, slab: &Slab<Timer, T>, slots: &Level, level: usize, start: u64, horizon: u64) -> usize {
        let mut count = 0;
        for (index, head) in slots.slots.iter().enumerate() {
            assert_eq!(slots.occupied >> index & 1 == 1, *head != NONE, "W4");
            let range = Place { level, index }.range(start);
            if slots.is_divided(index) {
                count += self.audit_level(slab, &self.store[*head as usize], level - 1, *range.start(), horizon);
                continue;
            }
            let (mut previous, mut slot) = (NONE, *head);
            while slot != NONE {
                let timer = slab.at(slot);
                assert_eq!(timer.node.previous, previous);
                assert!(timer.node.deadline > horizon, "W1");
                assert!(range.contains(&timer.node.deadline), "W3");
                count += 1;
                previous = slot;
                slot = timer.link;
            }
        }
        count
    }

    /// How many levels are in the store, vacant ones included.
    pub(super) fn stored(&self) -> usize {
        self.store.len()
    }
}
