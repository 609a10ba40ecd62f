//! What a collector keeps of each handle: its epoch, its bag, its counters.

use std::cell::Cell;
use std::fmt;
use std::ptr;

use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicBool, Ordering};
use tiny_coro_prim::cell::UnsafeCell;
use tiny_coro_prim::sync::Arc;

use crate::bag::Ring;
use crate::collector::Shared;
use crate::deferred::Deferred;
use crate::epoch::{Epoch, PinWord};
use crate::statistics::Counters;

/// Outermost pins between two attempts to help although no new epoch and no retirement asks for it, less one: a mask.
const PINS_PER_HELP: u32 = 256 - 1;
/// The same for a participant over its limits. Not each: if somebody is suspended while pinned, they are all in vain.
const PINS_PER_HELP_PRESSED: u32 = 16 - 1;

/// One entry of the registry: what a thread shows the others, and what is its own.
///
/// Entries are claimed, released and claimed again by other threads; they are freed with the collector.
pub(crate) struct Participant {
    /// Read by every advance, written at every outermost pin and unpin.
    word: CachePadded<PinWord>,
    claimed: AtomicBool,
    pub(crate) counters: Counters,
    /// Touched by the thread that has claimed the entry, and by no other (invariant E4).
    own: Own,
    /// The entry registered before this one. Written before the entry is published, never after.
    pub(crate) next: *const Participant,
}

/// The owner's part. Every field is a cell: a deferred function may come back here through `pin` and `defer`.
struct Own {
    /// Keeps the collector alive while the entry is claimed.
    keep: UnsafeCell<Option<Arc<Shared>>>,
    shared: Cell<*const Shared>,
    /// Whether a `LocalHandle` stands for the entry.
    handle: Cell<bool>,
    /// Guards alive.
    depth: Cell<usize>,
    /// The epoch of the pin, and of the last pin when there is none.
    epoch: Cell<Epoch>,
    pins: Cell<u32>,
    pins_per_help: Cell<u32>,
    /// Garbage in the ring.
    objects: Cell<usize>,
    bytes: Cell<usize>,
    /// Retiring the object that reaches one of these asks for help.
    help_at: Cell<(usize, usize)>,
    /// Over a limit at the last look: help at every pin in a new epoch.
    pressed: Cell<bool>,
    /// A deferred function of this thread is being called: none is called from within.
    reclaiming: Cell<bool>,
    ring: UnsafeCell<Ring>,
}

// SAFETY: `word`, `claimed` and `counters` are atomics; `next` never changes once the entry can be seen. `own` is
// touched by the claimant alone, and claims follow one another through E4.
unsafe impl Send for Participant {}
// SAFETY: as above.
unsafe impl Sync for Participant {}

impl Participant {
    /// Makes an entry that is already claimed.
    pub(crate) fn new_claimed() -> Self {
        Self {
            word: CachePadded::new(PinWord::new()),
            claimed: AtomicBool::new(true),
            counters: Counters::default(),
            own: Own {
                keep: UnsafeCell::new(None),
                shared: Cell::new(ptr::null()),
                handle: Cell::new(false),
                depth: Cell::new(0),
                epoch: Cell::new(Epoch::START),
                pins: Cell::new(0),
                pins_per_help: Cell::new(PINS_PER_HELP),
                objects: Cell::new(0),
                bytes: Cell::new(0),
                help_at: Cell::new((0, 0)),
                pressed: Cell::new(false),
                reclaiming: Cell::new(false),
                ring: UnsafeCell::new(Ring::new()),
            },
            next: ptr::null(),
        }
    }

    /// Returns whether somebody has the entry, as a hint.
    pub(crate) fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }

    /// Takes the entry if nobody has it.
    pub(crate) fn try_claim(&self) -> bool {
        // ORDERING E4: acquire. The former owner's use of `own` happens before ours: pairs with the release in
        // `release`.
        !self.is_claimed() && self.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Sets the entry up for its new owner, who has just claimed it and holds the handle.
    pub(crate) fn adopt(&self, shared: Arc<Shared>) {
        self.own.shared.set(Arc::as_ptr(&shared));
        self.own.help_at.set(shared.limits.get().next_help(0, 0, false));
        self.own.handle.set(true);
        // SAFETY: the claimant alone touches `own` (E4), and the closure calls nobody.
        self.own.keep.with_mut(|keep| unsafe { *keep = Some(shared) });
    }

    /// Returns the collector. Called by the owner.
    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: set by `adopt` to the content of the `Arc` that `keep` holds until `release`, after which nobody
        // calls this.
        unsafe { &*self.own.shared.get() }
    }

    /// Returns the handle on the collector that this entry keeps.
    pub(crate) fn collector(&self) -> Arc<Shared> {
        // SAFETY: the claimant alone touches `own` (E4), and the closure calls nobody who does.
        let keep = self.own.keep.with(|keep| unsafe { (*keep).clone() });
        keep.expect("an entry in use keeps its collector")
    }

    #[inline]
    pub(crate) fn is_pinned(&self) -> bool {
        self.own.depth.get() != 0
    }

    /// Returns whether there is exactly one guard.
    pub(crate) fn is_outermost(&self) -> bool {
        self.own.depth.get() == 1
    }

    /// Counts one guard more; the first one pins. Returns whether the owner should look after its garbage.
    #[inline]
    pub(crate) fn enter(&self) -> bool {
        let depth = self.own.depth.get();
        self.own.depth.set(depth.checked_add(1).expect("too many guards"));
        depth == 0 && self.pin()
    }

    /// Pins in the current epoch, whether pinned before or not.
    #[inline]
    pub(crate) fn pin(&self) -> bool {
        let epoch = self.shared().epoch.load();
        self.word.publish(epoch);
        let pins = self.own.pins.get().wrapping_add(1);
        self.own.pins.set(pins);
        self.own.epoch.replace(epoch) != epoch || pins & self.own.pins_per_help.get() == 0
    }

    /// Counts one guard less; the last one unpins. Whoever gets the collector back must drop it, and not touch the
    /// entry again.
    #[inline]
    #[must_use]
    pub(crate) fn leave(&self) -> Option<Arc<Shared>> {
        let depth = self.own.depth.get() - 1;
        self.own.depth.set(depth);
        if depth != 0 {
            return None;
        }
        self.word.retract();
        if self.own.handle.get() { None } else { self.release() }
    }

    /// Gives up the handle. As with [`leave`](Self::leave).
    #[must_use]
    pub(crate) fn drop_handle(&self) -> Option<Arc<Shared>> {
        self.own.handle.set(false);
        if self.is_pinned() { None } else { self.release() }
    }

    /// Hands the garbage over and the entry back.
    #[cold]
    fn release(&self) -> Option<Arc<Shared>> {
        self.hand_over();
        self.press(false);
        // SAFETY: the claimant alone touches `own` (E4), and the closure calls nobody.
        let keep = self.own.keep.with_mut(|keep| unsafe { (*keep).take() });
        // ORDERING E4: release. Hands `own` to the acquire exchange in `try_claim`.
        self.claimed.store(false, Ordering::Release);
        keep
    }

    /// Gives all garbage of this thread to the collector, for anybody to reclaim.
    pub(crate) fn hand_over(&self) {
        // SAFETY: the claimant alone touches `own` (E4); `adopt_orphans` takes a lock and calls nobody else.
        self.own.ring.with_mut(|ring| unsafe { self.shared().orphans.adopt((*ring).take_all()) });
        self.own.objects.set(0);
        self.own.bytes.set(0);
    }

    /// Puts garbage into the bag of the epoch in which its last reader can be pinned: the one after ours, as the
    /// counter can be one ahead of us and no further. The caller is pinned.
    #[inline]
    pub(crate) fn retire(&self, item: Deferred, bytes: usize) {
        debug_assert!(self.is_pinned());
        let tag = self.own.epoch.get().next();
        // SAFETY: the claimant alone touches `own` (E4), and `push` calls nobody.
        let old = self.own.ring.with_mut(|ring| unsafe { (*ring).push(tag, item, bytes) });
        self.counters.retire(bytes);
        let objects = self.own.objects.get() + 1;
        let total = self.own.bytes.get() + bytes;
        self.own.objects.set(objects);
        self.own.bytes.set(total);
        if let Some(old) = old {
            self.count_out(&old);
            self.shared().orphans.adopt([old]);
        }
        let (objects_at, bytes_at) = self.own.help_at.get();
        if objects >= objects_at || total >= bytes_at {
            self.help();
        }
    }

    /// Reclaims what the new epoch allows, and helps if it is time. The caller is pinned.
    #[cold]
    pub(crate) fn look_after(&self) {
        let waits = self.own.objects.get() != 0 || !self.shared().orphans.seem_empty();
        if waits && (self.own.pressed.get() || self.own.pins.get() & PINS_PER_HELP == 0) {
            self.help();
        } else {
            self.reclaim();
        }
    }

    /// Tries to advance the epoch, reclaims what it can, and sets when to help next. The caller is pinned.
    #[cold]
    pub(crate) fn help(&self) {
        let shared = self.shared();
        let advanced = shared.try_advance(self.own.epoch.get());
        self.reclaim();
        let (limits, objects, bytes) = (shared.limits.get(), self.own.objects.get(), self.own.bytes.get());
        let pressed = limits.exceeded_by(objects, bytes);
        self.press(pressed);
        self.own.help_at.set(limits.next_help(objects, bytes, advanced));
        if pressed && !advanced {
            self.counters.stall();
        }
    }

    fn press(&self, pressed: bool) {
        self.own.pressed.set(pressed);
        self.own.pins_per_help.set(if pressed { PINS_PER_HELP_PRESSED } else { PINS_PER_HELP });
    }

    /// Calls the functions of our bags and of the orphans that are out of every reader's reach.
    fn reclaim(&self) {
        if self.own.objects.get() == 0 && self.shared().orphans.seem_empty() || self.own.reclaiming.replace(true) {
            return;
        }
        // In a model a deferred function may unwind.
        let _reset = Reset(&self.own.reclaiming);
        let now = self.shared().epoch.load();
        // SAFETY: the claimant alone touches `own` (E4), and the closures call nobody: the bag is out of the ring
        // before its functions run.
        while let Some(mut bag) = self.own.ring.with_mut(|ring| unsafe { (*ring).take_expired(now) }) {
            self.count_out(&bag);
            self.counters.reclaim(bag.reclaim());
            // SAFETY: as above.
            self.own.ring.with_mut(|ring| unsafe { (*ring).recycle(bag) });
        }
        for mut bag in self.shared().orphans.take_expired(now) {
            self.counters.reclaim(bag.reclaim());
        }
    }

    fn count_out(&self, bag: &crate::bag::Bag) {
        self.own.objects.set(self.own.objects.get() - bag.len());
        self.own.bytes.set(self.own.bytes.get() - bag.bytes());
    }

    /// Returns whether this participant keeps the epoch from leaving `now`.
    #[inline]
    pub(crate) fn blocks(&self, now: Epoch) -> bool {
        self.word.blocks(now)
    }
}

/// Clears a flag when it goes out of scope.
struct Reset<'a>(&'a Cell<bool>);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl fmt::Debug for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participant")
            .field("word", &self.word)
            .field("claimed", &self.is_claimed())
            .finish_non_exhaustive()
    }
}
