//! The garbage of one participant, in the order in which it was retired.

use std::cmp::Reverse;
use std::mem;

use super::deferred::Deferred;
use super::epoch::Epoch;

/// Garbage with one tag: the last epoch in which somebody who can reach it may be pinned.
#[derive(Debug)]
pub(super) struct Bag {
    tag: Epoch,
    bytes: usize,
    /// Those before `next` have been called.
    items: Vec<Option<Deferred>>,
    next: usize,
}

/// What reclaiming came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reclaimed {
    pub(super) objects: usize,
    pub(super) bytes: usize,
    pub(super) panics: usize,
}

impl Bag {
    const fn empty() -> Self {
        Self { tag: Epoch::START, bytes: 0, items: Vec::new(), next: 0 }
    }

    pub(super) fn has_expired(&self, now: Epoch) -> bool {
        self.tag.has_expired(now)
    }

    /// Returns the number of objects that wait.
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.next
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the size of those that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Calls the first `limit` functions that wait. A panic stops neither the others nor the caller.
    pub(super) fn reclaim(&mut self, limit: usize) -> Reclaimed {
        let objects = limit.min(self.len());
        let bytes = self.share(objects);
        let end = self.next + objects;
        let mut items = self.items[self.next..end].iter_mut();
        let mut panics = 0;
        while !contain(|| items.by_ref().filter_map(Option::take).for_each(Deferred::call)) {
            panics += 1;
        }
        self.bytes -= bytes;
        self.next = end;
        if end == self.items.len() {
            self.items.clear();
            self.next = 0;
        }
        Reclaimed { objects, bytes, panics }
    }

    /// Returns the bytes of the next `objects`, as if all were of one size: only the sum is known.
    fn share(&self, objects: usize) -> usize {
        match self.len() {
            len if len == objects => self.bytes,
            len => (self.bytes as u128 * objects as u128 / len as u128) as usize,
        }
    }
}

/// Calls `run` and returns whether it came back. A panic has been reported by the panic hook; it ends here.
#[cfg(not(tiny_coro_loom))]
fn contain(run: impl FnOnce()) -> bool {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    // Unwind safety: what the function broke is its own; the bag's iterator has already moved past it.
    let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else { return true };
    // The payload's own destructor may panic: that payload is given up.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(payload);
    }
    false
}

/// In a model a panic is the verdict: it must get out.
#[cfg(tiny_coro_loom)]
fn contain(run: impl FnOnce()) -> bool {
    run();
    true
}

/// The bags of one participant, one for each epoch whose garbage can be alive, indexed by the tag.
///
/// Pinned in epoch `p` a participant fills the bag with tag `p + 1`; those of `p` and `p - 1` wait; that of `p - 2`
/// has expired. Four slots, then, and a slot whose tag is not the wanted one holds expired garbage or none.
#[derive(Debug)]
pub(super) struct Ring {
    bags: [Bag; Ring::LEN],
    /// An expired bag that has been reclaimed in part.
    rest: Bag,
}

impl Ring {
    const LEN: usize = 4;
    /// The room an emptied bag keeps for the next time round.
    const KEEP: usize = 1024;

    pub(super) const fn new() -> Self {
        Self { bags: [const { Bag::empty() }; Self::LEN], rest: Bag::empty() }
    }

    /// Adds garbage. Returns the slot's old bag if it was still full: it has expired.
    #[inline]
    #[must_use]
    pub(super) fn push(&mut self, tag: Epoch, item: Deferred, bytes: usize) -> Option<Bag> {
        let bag = &mut self.bags[tag.slot(Self::LEN)];
        let mut old = None;
        if bag.tag != tag {
            if !bag.is_empty() {
                debug_assert!(bag.has_expired(tag), "four slots hold every epoch that can be alive");
                old = Some(mem::replace(bag, Bag::empty()));
            }
            bag.tag = tag;
        }
        bag.bytes = bag.bytes.saturating_add(bytes);
        bag.items.push(Some(item));
        old
    }

    /// Takes out the oldest bag whose garbage is out of everybody's reach at `now`.
    pub(super) fn take_expired(&mut self, now: Epoch) -> Option<Bag> {
        let bag = self.full().filter(|bag| bag.has_expired(now)).max_by_key(|bag| bag.tag.behind(now))?;
        Some(mem::replace(bag, Bag::empty()))
    }

    /// Takes out every bag that is not empty, the oldest first. No tag is later than `latest`.
    pub(super) fn take_all(&mut self, latest: Epoch) -> Vec<Bag> {
        let mut all: Vec<Bag> = self.full().map(|bag| mem::replace(bag, Bag::empty())).collect();
        all.sort_by_key(|bag| Reverse(bag.tag.behind(latest)));
        all
    }

    fn full(&mut self) -> impl Iterator<Item = &mut Bag> {
        std::iter::once(&mut self.rest).chain(&mut self.bags).filter(|bag| !bag.is_empty())
    }

    /// Takes back a bag from [`take_expired`](Self::take_expired): what is left of it, or its room, so that a steady
    /// state allocates nothing.
    pub(super) fn put_back(&mut self, bag: Bag) {
        if !bag.is_empty() {
            debug_assert!(self.rest.is_empty(), "one bag is reclaimed at a time");
            self.rest = bag;
        } else if bag.items.capacity() <= Self::KEEP
            && let Some(bare) = self.bags.iter_mut().find(|bare| bare.items.capacity() == 0)
        {
            bare.items = bag.items;
        }
    }
}
