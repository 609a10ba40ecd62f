//! What a collector keeps of each handle: its epoch, its bag, its counters.

use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;

use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicBool, Ordering};
use tiny_coro_prim::cell::UnsafeCell;

use super::bag::{Bag, Ring};
use super::collector::{Collector, Shared};
use super::counters::Counters;
use super::deferred::Deferred;
use super::epoch::{Epoch, PinWord};

/// Outermost pins between two attempts to help although no new epoch and no retirement asks for it, less one: a mask.
const PINS_PER_HELP: u32 = 256 - 1;
/// The same for a participant over its limits. Not each: if somebody is suspended while pinned, they are all in vain.
const PINS_PER_HELP_PRESSED: u32 = 16 - 1;

/// One entry of the registry: what a thread shows the others, and what is its own.
///
/// Entries are claimed, released and claimed again by other threads; they are freed with the collector.
pub(super) struct Participant {
    shown: CachePadded<Shown>,
    claimed: AtomicBool,
    pub(super) counters: Counters,
    /// Who has claimed the entry: for reports. The standard library's lock even in a model, as nothing hangs on it.
    thread: Mutex<Option<Thread>>,
    /// Touched by the thread that has claimed the entry, and by no other (invariant E4).
    own: Own,
}

/// What every advance reads, and nothing else: one cache line an entry.
struct Shown {
    /// Written at every outermost pin and unpin.
    word: PinWord,
    /// The entry registered before this one. Written before the entry is published, never after.
    next: *const Participant,
}

/// The owner's part. Every field is a cell: a deferred function may come back here through `pin` and `defer`.
struct Own {
    /// Keeps the collector alive while the entry is claimed.
    keep: UnsafeCell<Option<Collector>>,
    shared: Cell<*const Shared>,
    /// What keeps the entry claimed besides guards: the `LocalHandle`, and guards that are suspended.
    handles: Cell<usize>,
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
    pub(super) fn new_claimed() -> Self {
        Self {
            shown: CachePadded::new(Shown { word: PinWord::new(), next: ptr::null() }),
            claimed: AtomicBool::new(true),
            counters: Counters::default(),
            thread: Mutex::new(None),
            own: Own {
                keep: UnsafeCell::new(None),
                shared: Cell::new(ptr::null()),
                handles: Cell::new(0),
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
        }
    }

    /// Returns the entry registered before this one.
    #[inline]
    pub(super) fn next(&self) -> *const Participant {
        self.shown.next
    }

    /// Sets the entry registered before this one, which is not published yet.
    pub(super) fn set_next(&mut self, next: *const Participant) {
        self.shown.next = next;
    }

    /// Returns whether somebody has the entry, as a hint.
    pub(super) fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }

    /// Takes the entry if nobody has it.
    pub(super) fn try_claim(&self) -> bool {
        // ORDERING E4: acquire. The former owner's use of `own` happens before ours: pairs with the release in
        // `release`.
        !self.is_claimed() && self.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Sets the entry up for its new owner, who has just claimed it and holds the handle.
    pub(super) fn adopt(&self, collector: Collector, thread: Option<Thread>) {
        self.set_thread(thread);
        self.own.shared.set(collector.shared());
        self.own.help_at.set(collector.limits().next_help(0, 0, false));
        self.own.handles.set(1);
        // SAFETY: the claimant alone touches `own` (E4), and the closure calls nobody.
        self.own.keep.with_mut(|keep| unsafe { *keep = Some(collector) });
    }

    fn set_thread(&self, thread: Option<Thread>) {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = thread;
    }

    /// Returns the thread that has the entry, if it is known.
    pub(super) fn thread(&self) -> Option<Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the collector. Called by the owner.
    #[inline]
    pub(super) fn shared(&self) -> &Shared {
        // SAFETY: set by `adopt` to what the collector in `keep` shares, and that stays until `release`, after which
        // nobody calls this.
        unsafe { &*self.own.shared.get() }
    }

    /// Returns the handle on the collector that this entry keeps. Called by the owner, who lets go of the reference
    /// before it lets go of the entry.
    pub(super) fn collector(&self) -> &Collector {
        // SAFETY: the claimant alone touches `own` (E4); `release` alone takes the collector out, after the last use
        // of the entry.
        let keep = self.own.keep.with(|keep| unsafe { (*keep).as_ref() });
        keep.expect("an entry in use keeps its collector")
    }

    #[inline]
    pub(super) fn is_pinned(&self) -> bool {
        self.own.depth.get() != 0
    }

    /// Returns whether there is exactly one guard.
    pub(super) fn is_outermost(&self) -> bool {
        self.own.depth.get() == 1
    }

    /// Counts one guard more; the first one pins. Returns whether the owner should look after its garbage.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        let depth = self.own.depth.get();
        self.own.depth.set(depth.checked_add(1).expect("too many guards"));
        depth == 0 && self.pin()
    }

    /// Pins in the current epoch, whether pinned before or not.
    #[inline]
    pub(super) fn pin(&self) -> bool {
        let epoch = self.shared().epoch.load();
        self.shown.word.publish(epoch);
        let pins = self.own.pins.get().wrapping_add(1);
        self.own.pins.set(pins);
        self.own.epoch.replace(epoch) != epoch || pins & self.own.pins_per_help.get() == 0
    }

    /// Counts one guard less; the last one unpins. Whoever gets the collector back must drop it, and not touch the
    /// entry again.
    #[inline]
    #[must_use]
    pub(super) fn leave(&self) -> Option<Collector> {
        let depth = self.own.depth.get() - 1;
        self.own.depth.set(depth);
        if depth != 0 {
            return None;
        }
        self.shown.word.retract();
        if self.own.handles.get() != 0 { None } else { self.release() }
    }

    /// Counts one handle more: the entry stays claimed although the last guard goes.
    pub(super) fn add_handle(&self) {
        self.own.handles.set(self.own.handles.get() + 1);
    }

    /// Gives up a handle. As with [`leave`](Self::leave).
    #[must_use]
    pub(super) fn drop_handle(&self) -> Option<Collector> {
        let handles = self.own.handles.get() - 1;
        self.own.handles.set(handles);
        if handles != 0 || self.is_pinned() { None } else { self.release() }
    }

    /// Hands the garbage over and the entry back.
    #[cold]
    fn release(&self) -> Option<Collector> {
        self.hand_over();
        self.press(false);
        self.set_thread(None);
        // SAFETY: the claimant alone touches `own` (E4), and the closure calls nobody.
        let keep = self.own.keep.with_mut(|keep| unsafe { (*keep).take() });
        // ORDERING E4: release. Hands `own` to the acquire exchange in `try_claim`.
        self.claimed.store(false, Ordering::Release);
        keep
    }

    /// Gives all garbage of this thread to the collector, for anybody to reclaim.
    pub(super) fn hand_over(&self) {
        let latest = self.own.epoch.get().next();
        // SAFETY: the claimant alone touches `own` (E4), and `take_all` calls nobody.
        let bags = self.own.ring.with_mut(|ring| unsafe { (*ring).take_all(latest) });
        self.shared().orphans.adopt(bags);
        self.own.objects.set(0);
        self.own.bytes.set(0);
    }

    /// Puts garbage into the bag of the epoch in which its last reader can be pinned: the one after ours, as the
    /// counter can be one ahead of us and no further. The caller is pinned.
    #[inline]
    pub(super) fn retire(&self, item: Deferred, bytes: usize) {
        debug_assert!(self.is_pinned());
        let tag = self.own.epoch.get().next();
        // SAFETY: the claimant alone touches `own` (E4), and `push` calls nobody.
        let old = self.own.ring.with_mut(|ring| unsafe { (*ring).push(tag, item, bytes) });
        self.counters.retire(bytes);
        let objects = self.own.objects.get() + 1;
        let total = self.own.bytes.get().saturating_add(bytes);
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
    pub(super) fn look_after(&self) {
        let waits = self.own.objects.get() != 0 || !self.shared().orphans.seem_empty();
        if waits && (self.own.pressed.get() || self.own.pins.get() & PINS_PER_HELP == 0) {
            self.help();
        } else {
            self.reclaim();
        }
    }

    /// Tries to advance the epoch, reclaims what it can, and sets when to help next. The caller is pinned.
    #[cold]
    pub(super) fn help(&self) {
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
        let take = || self.own.ring.with_mut(|ring| unsafe { (*ring).take_expired(now) });
        let mut left = self.shared().limits.get().per_step();
        while left != 0
            && let Some(mut bag) = take()
        {
            self.count_out(&bag);
            left -= self.reclaim_from(&mut bag, left);
            self.own.objects.set(self.own.objects.get() + bag.len());
            self.own.bytes.set(self.own.bytes.get().saturating_add(bag.bytes()));
            // SAFETY: as above.
            self.own.ring.with_mut(|ring| unsafe { (*ring).put_back(bag) });
        }
        while left != 0
            && let Some(mut bag) = self.shared().orphans.take_expired(now)
        {
            left -= self.reclaim_from(&mut bag, left);
            self.shared().orphans.adopt((!bag.is_empty()).then_some(bag));
        }
    }

    /// Calls up to `limit` functions of an expired bag and returns how many.
    fn reclaim_from(&self, bag: &mut Bag, limit: usize) -> usize {
        let sum = bag.reclaim(limit);
        self.counters.reclaim(sum);
        sum.objects
    }

    fn count_out(&self, bag: &Bag) {
        self.own.objects.set(self.own.objects.get() - bag.len());
        self.own.bytes.set(self.own.bytes.get().saturating_sub(bag.bytes()));
    }

    /// Returns the epoch in which this participant is pinned, as a hint for reports.
    pub(super) fn pinned_in(&self) -> Option<Epoch> {
        self.shown.word.pinned_in()
    }

    /// Returns whether this participant keeps the epoch from leaving `now`.
    #[inline]
    pub(super) fn blocks(&self, now: Epoch) -> bool {
        self.shown.word.blocks(now)
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
            .field("word", &self.shown.word)
            .field("claimed", &self.is_claimed())
            .finish_non_exhaustive()
    }
}
