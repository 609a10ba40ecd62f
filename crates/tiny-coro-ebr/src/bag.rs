//! The garbage of one participant, in the order in which it was retired.

use std::mem;

use crate::deferred::Deferred;
use crate::epoch::Epoch;

/// Garbage with one tag: the last epoch in which somebody who can reach it may be pinned.
#[derive(Debug)]
pub(crate) struct Bag {
    tag: Epoch,
    bytes: usize,
    items: Vec<Deferred>,
}

/// What reclaiming a bag came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reclaimed {
    pub(crate) objects: usize,
    pub(crate) bytes: usize,
    pub(crate) panics: usize,
}

impl Bag {
    const fn empty() -> Self {
        Self { tag: Epoch::START, bytes: 0, items: Vec::new() }
    }

    pub(crate) fn has_expired(&self, now: Epoch) -> bool {
        self.tag.has_expired(now)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Calls every function in the bag and leaves it empty. A panic stops neither the others nor the caller.
    pub(crate) fn reclaim(&mut self) -> Reclaimed {
        let mut sum = Reclaimed { objects: self.items.len(), bytes: mem::take(&mut self.bytes), panics: 0 };
        let mut items = self.items.drain(..);
        while !contain(|| items.by_ref().for_each(Deferred::call)) {
            sum.panics += 1;
        }
        sum
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
pub(crate) struct Ring([Bag; Ring::LEN]);

impl Ring {
    const LEN: usize = 4;
    /// The room an emptied bag keeps for the next time round.
    const KEEP: usize = 1024;

    pub(crate) const fn new() -> Self {
        Self([const { Bag::empty() }; Self::LEN])
    }

    /// Adds garbage. Returns the slot's old bag if it was still full: it has expired.
    #[inline]
    #[must_use]
    pub(crate) fn push(&mut self, tag: Epoch, item: Deferred, bytes: usize) -> Option<Bag> {
        let bag = &mut self.0[tag.slot(Self::LEN)];
        let mut old = None;
        if bag.tag != tag {
            if !bag.items.is_empty() {
                debug_assert!(bag.has_expired(tag), "four slots hold every epoch that can be alive");
                old = Some(mem::replace(bag, Bag::empty()));
            }
            bag.tag = tag;
        }
        bag.bytes += bytes;
        bag.items.push(item);
        old
    }

    /// Takes out a bag whose garbage is out of everybody's reach at `now`.
    pub(crate) fn take_expired(&mut self, now: Epoch) -> Option<Bag> {
        let bag = self.0.iter_mut().find(|bag| !bag.items.is_empty() && bag.has_expired(now))?;
        Some(mem::replace(bag, Bag::empty()))
    }

    /// Takes out every bag that is not empty.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Bag> + '_ {
        self.0.iter_mut().filter(|bag| !bag.items.is_empty()).map(|bag| mem::replace(bag, Bag::empty()))
    }

    /// Gives back an emptied bag's room, so that a steady state allocates nothing.
    pub(crate) fn recycle(&mut self, bag: Bag) {
        debug_assert!(bag.items.is_empty());
        if bag.items.capacity() <= Self::KEEP
            && let Some(bare) = self.0.iter_mut().find(|bare| bare.items.capacity() == 0)
        {
            bare.items = bag.items;
        }
    }
}
