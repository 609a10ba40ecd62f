//! The tasks that wait to be woken, so that the end of their runtime can drop each of them.
//!
//! A slot holds a task, and with it a reference that is counted for the list, or nothing. Inserting is for one thread at a time, in
//! practice the list's worker; leaving takes no lock, because a task may complete anywhere: it is one swap of its own slot. So a
//! task that waits on one worker and ends on another makes them share one line of slots, and no lock.
//!
//! The slots lie in buckets, each as large as all before it together, which never move:
//!
//! ```text
//!    bucket    0     1       2                            of 4, 4, 8, 16, … slots, for the picture
//!            ┌─────┬──────┬──────────┐
//!    slots   │T·TT │ T··T │ TTTT··T· │
//!            └─────┴──────┴─────▲────┘
//!                               cursor: the next free slot from here on takes the next task, round and round
//! ```
//!
//! At the end of a round the list knows how many slots it found taken. If that was half of them, it adds a bucket; so an insertion
//! looks at two slots, taken over many. If nearly all were free, the next rounds leave out the last bucket, until it is empty and goes.

use super::header::{Header, TaskRef};
use std::fmt;
use std::ptr::{NonNull, null_mut};
use tiny_coro_prim::CachePadded;
use tiny_coro_prim::atomic::{AtomicPtr, Ordering};
use tiny_coro_prim::cell::UnsafeCell;
use tiny_coro_prim::sync::Mutex;

/// The slots of the first bucket, and of the second.
const FIRST: usize = if cfg!(tiny_coro_loom) { 1 } else { 64 };
/// With all of them there are as many slots as a task's header has numbers for.
const BUCKETS: usize = if cfg!(tiny_coro_loom) { 6 } else { 33 - FIRST.ilog2() as usize };
/// Buckets that are kept for tasks to come, however few there are, and their slots.
const BUCKETS_KEPT: usize = if cfg!(tiny_coro_loom) { 1 } else { 5 };
const KEPT: usize = slots(BUCKETS_KEPT);

struct Slot {
    task: AtomicPtr<Header>,
    /// The slot's memory, for the models to see that nobody uses a bucket that goes.
    memory: UnsafeCell<()>,
}

/// The tasks that have waited and not completed, in no order, one list per worker so that workers share no lock (invariant T6).
pub(crate) struct WaitingTasks {
    inserting: CachePadded<Mutex<Inserting>>,
    /// Null above the ones that there are. A bucket goes when all its slots are free, under the lock.
    buckets: [AtomicPtr<Slot>; BUCKETS],
}

/// How many slots one call may look at in vain to free a bucket. Besides, each insertion allows two looks, to whichever call comes to use
/// them. So all looks together are in proportion to the insertions and the calls, though the cursor goes round and a worker calls before
/// each sleep.
const LOOKS: usize = 1024;

/// What inserting needs to know. Under the lock, as every change of a bucket and every store of a task into a slot.
#[derive(Debug, Default)]
struct Inserting {
    /// How many buckets there are.
    buckets: usize,
    /// The slots that a round goes through: those of all buckets, or of all but the last.
    round: usize,
    /// Where the search for a free slot goes on.
    cursor: usize,
    /// How many slots of this round were free, and how many taken.
    free: usize,
    taken: usize,
    /// No slot from here on is taken.
    above: usize,
    /// What insertions have allowed and no call has used yet.
    looks: usize,
    closed: bool,
}

/// How many slots the first `buckets` have together.
const fn slots(buckets: usize) -> usize {
    if buckets == 0 { 0 } else { FIRST << (buckets - 1) }
}

impl Inserting {
    fn begin_round(&mut self, cursor: usize) {
        (self.cursor, self.free, self.taken) = (cursor, 0, 0);
    }
}

impl WaitingTasks {
    pub(crate) fn new() -> Self {
        Self {
            inserting: CachePadded::new(Mutex::default()),
            buckets: std::array::from_fn(|_| AtomicPtr::new(null_mut())),
        }
    }

    /// Adds a task, with a reference counted for this list. Gives it back once the list is closed.
    pub(crate) fn insert(&self, task: TaskRef) -> Result<(), TaskRef> {
        let mut inserting = self.inserting.lock();
        if inserting.closed {
            return Err(task);
        }
        let place = self.find_free(&mut inserting);
        // SAFETY: the caller's reference keeps the task alive, and it is in no list, so its place is the caller's. The number fits: see
        // `BUCKETS`.
        unsafe { task.as_raw().as_ref().place.with_mut(|it| *it = place as u32) };
        // Relaxed: whoever takes the task out has its place from this thread, by the task's state, or has the lock.
        self.slot(place).task.store(task.into_raw().as_ptr(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes a task out. Returns true if it was in the list: its reference is now the caller's.
    ///
    /// # Safety
    ///
    /// `task` was inserted into this list, and the caller has set its RUNNING, for the first time since it completes.
    pub(crate) unsafe fn remove(&self, task: NonNull<Header>) -> bool {
        // SAFETY: a task that was inserted keeps its place, and RUNNING makes it the caller's to read.
        let place = unsafe { task.as_ref().place.with(|place| *place) } as usize;
        let slot = self.slot(place);
        slot.memory.with(|_| {});
        // ORDERING T6: release. Pairs with the acquires in `find_free` and `remove_free_buckets`: this is over before the slot's bucket goes.
        let found = slot.task.swap(null_mut(), Ordering::Release);
        debug_assert!(found.is_null() || found == task.as_ptr(), "a slot is one task's until that leaves");
        // One that the end of the runtime has taken is not there: nobody inserts any more.
        !found.is_null()
    }

    /// Refuses further tasks and takes one out, if any is left.
    pub(crate) fn close_and_pop(&self) -> Option<TaskRef> {
        let mut inserting = self.inserting.lock();
        if !inserting.closed {
            inserting.closed = true;
            inserting.cursor = 0;
        }
        while inserting.cursor < slots(inserting.buckets) {
            // Relaxed: of the swaps here and in `remove` one finds the task, which was inserted under the lock.
            let task = self.slot(inserting.cursor).task.swap(null_mut(), Ordering::Relaxed);
            inserting.cursor += 1;
            if let Some(task) = NonNull::new(task) {
                // SAFETY: the list's reference, which passes to the caller.
                return Some(unsafe { TaskRef::from_raw(task) });
            }
        }
        None
    }

    /// Gives back what a burst of tasks has left. For a worker that has nothing better to do.
    pub(crate) fn shrink(&self) {
        // Relaxed: a hint, which spares a worker that goes to sleep the lock.
        if !self.buckets[BUCKETS_KEPT].load(Ordering::Relaxed).is_null() {
            self.remove_free_buckets(&mut self.inserting.lock());
        }
    }

    fn remove_free_buckets(&self, inserting: &mut Inserting) {
        let mut more = LOOKS;
        while slots(inserting.buckets) > KEPT && !inserting.closed {
            let last = slots(inserting.buckets - 1);
            // ORDERING T6: acquire. Pairs with the release in `remove`: the thread that left the slot free is through with it.
            while inserting.above > last && self.slot(inserting.above - 1).task.load(Ordering::Acquire).is_null() {
                let left = if inserting.looks > 0 { &mut inserting.looks } else { &mut more };
                if *left == 0 {
                    return; // the next call goes on from here
                }
                *left -= 1;
                inserting.above -= 1;
            }
            if inserting.above > last {
                return;
            }
            self.remove_bucket(inserting);
        }
    }

    /// The place of a free slot. The round goes on behind it.
    fn find_free(&self, inserting: &mut Inserting) -> usize {
        loop {
            if inserting.cursor == inserting.round {
                self.end_round(inserting);
            }
            let place = inserting.cursor;
            inserting.cursor += 1;
            // ORDERING T6: acquire. As in `remove_free_buckets`, which this hands on to, by the lock: what is stored here ends the release
            // sequence of the one who left.
            if self.slot(place).task.load(Ordering::Acquire).is_null() {
                inserting.free += 1;
                inserting.looks = inserting.looks.saturating_add(2);
                inserting.above = inserting.above.max(inserting.cursor);
                return place;
            }
            inserting.taken += 1;
        }
    }

    fn end_round(&self, inserting: &mut Inserting) {
        let (round, all) = (inserting.round, slots(inserting.buckets));
        let is_crowded = 2 * inserting.taken >= round;
        let is_nearly_empty = round > KEPT && inserting.free > round / 8 * 7;
        inserting.begin_round(0);
        if is_crowded && round < all {
            inserting.round = all;
        } else if is_crowded {
            self.add_bucket(inserting);
            inserting.begin_round(all);
            inserting.round = slots(inserting.buckets);
        } else if is_nearly_empty {
            inserting.round = slots(inserting.buckets - 1);
            self.remove_free_buckets(inserting);
        }
    }

    fn add_bucket(&self, inserting: &mut Inserting) {
        if inserting.buckets == BUCKETS {
            std::process::abort(); // two thousand million tasks at once, which take 250 GB at least
        }
        let slots = new_slots(slots(inserting.buckets + 1) - slots(inserting.buckets));
        // Relaxed: a task that looks for its slot has its place from the thread that inserted it, which has seen this.
        self.buckets[inserting.buckets].store(Box::into_raw(slots).cast(), Ordering::Relaxed);
        inserting.buckets += 1;
    }

    /// All slots of the last bucket are free, and nobody looks at them any more.
    fn remove_bucket(&self, inserting: &mut Inserting) {
        let (all, left) = (slots(inserting.buckets), slots(inserting.buckets - 1));
        inserting.buckets -= 1;
        let bucket = self.buckets[inserting.buckets].swap(null_mut(), Ordering::Relaxed);
        // SAFETY: from `add_bucket`, with this length; the caller says that nobody else uses it.
        let bucket = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(bucket, all - left)) };
        bucket.iter().for_each(|slot| slot.memory.with_mut(|_| {}));
        inserting.round = inserting.round.min(left);
        if inserting.cursor > left {
            inserting.begin_round(0);
        }
    }

    fn slot(&self, place: usize) -> &Slot {
        let bucket = (place / FIRST).checked_ilog2().map_or(0, |log| log as usize + 1);
        let bucket_start = slots(bucket);
        // Relaxed: see `add_bucket`.
        let first = self.buckets[bucket].load(Ordering::Relaxed);
        // SAFETY: the caller holds the lock, and the place is below the number of slots; or a task that was inserted there has not left yet,
        // so its bucket stays.
        unsafe { &*first.add(place - bucket_start) }
    }
}

/// So many free slots. Those of a large bucket cost no memory until they are used.
#[cfg(not(tiny_coro_loom))]
fn new_slots(count: usize) -> Box<[Slot]> {
    // SAFETY: zeros are a slot with a null pointer.
    unsafe { Box::new_zeroed_slice(count).assume_init() }
}

#[cfg(tiny_coro_loom)]
fn new_slots(count: usize) -> Box<[Slot]> {
    (0..count).map(|_| Slot { task: AtomicPtr::new(null_mut()), memory: UnsafeCell::new(()) }).collect()
}

/// The end of the runtime has taken out all tasks.
impl Drop for WaitingTasks {
    fn drop(&mut self) {
        let mut inserting = std::mem::take(&mut *self.inserting.lock());
        while inserting.buckets > 0 {
            self.remove_bucket(&mut inserting);
        }
    }
}

impl fmt::Debug for WaitingTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingTasks").field("inserting", &self.inserting).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(tiny_coro_loom)))]
mod tests {
    use super::*;
    use crate::task::{Cause, Incoming, Schedule, allocate};
    use proptest::prelude::*;
    use std::panic::Location;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// A task in a list, as far as the list is concerned.
    struct NoScheduler;

    impl Schedule for NoScheduler {
        unsafe fn submit(_: NonNull<Self>, _: TaskRef, _: Cause) {}
        fn enlist(&self, _: NonNull<Header>) -> bool {
            false
        }
        fn release(&self, _: NonNull<Header>) -> bool {
            false
        }
    }

    fn task() -> TaskRef {
        let future = async {};
        let [task, joined] = Incoming::with(future, |it| allocate(it, NoScheduler, Location::caller()));
        drop(joined);
        task
    }

    fn insert(list: &WaitingTasks) -> TaskRef {
        let task = task();
        list.insert(task.duplicate()).expect("the list is open");
        task
    }

    fn remove(list: &WaitingTasks, task: &TaskRef) -> bool {
        // SAFETY: inserted above; this thread alone has to do with the task.
        let removed = unsafe { list.remove(task.as_raw()) };
        if removed {
            // SAFETY: the list's reference, as `remove` says.
            drop(unsafe { TaskRef::from_raw(task.as_raw()) });
        }
        removed
    }

    fn slots_of(list: &WaitingTasks) -> usize {
        slots(list.inserting.lock().buckets)
    }

    proptest! {
        /// Whatever comes and goes, those that are left are found once each at the end, and the slots are in proportion.
        #[test]
        fn every_task_that_is_left_is_found_once(steps in prop::collection::vec((0..400usize, any::<u16>(), any::<bool>()), 1..60)) {
            let list = WaitingTasks::new();
            let mut tasks = Vec::new();
            let mut most = 0;
            for (count, pick, grows) in steps {
                if grows {
                    tasks.extend((0..count).map(|_| insert(&list)));
                } else {
                    for _ in 0..count.min(tasks.len()) {
                        let task = tasks.swap_remove(usize::from(pick) % tasks.len());
                        prop_assert!(remove(&list, &task));
                    }
                    list.shrink();
                }
                most = most.max(tasks.len());
                prop_assert!(slots_of(&list) <= (4 * most).max(FIRST));
            }
            let mut left: Vec<_> = std::iter::from_fn(|| list.close_and_pop()).collect();
            for task in &tasks {
                prop_assert!(!remove(&list, task), "the end has taken it");
            }
            let address = |task: &TaskRef| task.as_raw().as_ptr().addr();
            left.sort_by_key(address);
            tasks.sort_by_key(address);
            prop_assert!(left.iter().map(address).eq(tasks.iter().map(address)));
            prop_assert!(list.insert(task()).is_err());
        }
    }

    #[test]
    fn a_burst_gives_its_slots_back() {
        let list = WaitingTasks::new();
        let mut tasks: Vec<_> = (0..100_000).map(|_| insert(&list)).collect();
        list.shrink();
        assert!(slots_of(&list) >= 100_000);
        tasks.drain(10..).for_each(|task| assert!(remove(&list, &task)));
        list.shrink();
        assert_eq!(slots_of(&list), KEPT);
        assert_eq!(std::iter::from_fn(|| list.close_and_pop()).count(), 10);
    }

    /// The last task of a burst stays for a while, and keeps the last bucket, but new ones do not go there.
    #[test]
    fn what_comes_and_goes_leaves_the_last_bucket_alone() {
        let list = WaitingTasks::new();
        let mut tasks: Vec<_> = (0..100_000).map(|_| insert(&list)).collect();
        let last = tasks.pop().unwrap();
        tasks.iter().for_each(|task| assert!(remove(&list, task)));
        let come_and_go = || (0..400_000).for_each(|_| assert!(remove(&list, &insert(&list))));
        come_and_go();
        list.shrink();
        let with_the_last = slots_of(&list);
        assert!(with_the_last >= 100_000);
        assert!(remove(&list, &last));
        list.shrink();
        assert!(slots_of(&list) < with_the_last, "something else was put into the last bucket");
        come_and_go();
        assert_eq!(slots_of(&list), KEPT);
    }

    /// Tasks that leave on other threads while others come, and the list grows and shrinks.
    #[test]
    fn leaving_elsewhere() {
        let list = Arc::new(WaitingTasks::new());
        let over = AtomicBool::new(false);
        let (sender, tasks) = std::sync::mpsc::sync_channel::<TaskRef>(5_000);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for task in tasks {
                    assert!(remove(&list, &task));
                }
                over.store(true, Ordering::Relaxed);
            });
            for burst in 0..40 {
                (0..burst * 100).for_each(|_| sender.send(insert(&list)).unwrap());
                list.shrink();
            }
            drop(sender);
            while !over.load(Ordering::Relaxed) {
                list.shrink();
            }
        });
        (0..1_000).for_each(|_| list.shrink());
        assert_eq!(slots_of(&list), KEPT);
        assert!(list.close_and_pop().is_none());
    }
}
