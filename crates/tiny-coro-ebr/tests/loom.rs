//! Models of the protocols: every interleaving with a bounded number of preemptions. Each names the invariant it holds.
//!
//! What is retired is `Tracked`: the model checker sees its reads and its destruction, and reports the two unordered,
//! or that it was never destroyed.
#![cfg(tiny_coro_loom)]

use std::sync::Arc as Uncounted;
use std::sync::atomic::AtomicUsize as Counter;
use std::sync::atomic::Ordering::Relaxed;

use loom::alloc::Track;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicPtr, Ordering};
use loom::thread;
use tiny_coro_ebr::{Collector, Guard, Limits, LocalHandle};

struct Tracked {
    value: UnsafeCell<usize>,
    _leaks: Track<()>,
    dropped: Uncounted<Counter>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        // SAFETY: the claim under test: nobody else looks.
        self.value.with_mut(|value| unsafe { *value = usize::MAX });
        self.dropped.fetch_add(1, Relaxed);
    }
}

/// A pointer that readers follow under a guard, and writers replace.
struct Shelf {
    current: AtomicPtr<Tracked>,
    dropped: Uncounted<Counter>,
}

impl Shelf {
    fn new() -> Arc<Self> {
        let shelf = Self { current: AtomicPtr::new(std::ptr::null_mut()), dropped: Uncounted::new(Counter::new(0)) };
        shelf.current.store(shelf.make(0), Ordering::Release);
        Arc::new(shelf)
    }

    fn make(&self, value: usize) -> *mut Tracked {
        Box::into_raw(Box::new(Tracked {
            value: UnsafeCell::new(value),
            _leaks: Track::new(()),
            dropped: self.dropped.clone(),
        }))
    }

    fn get<'g>(&self, _guard: &'g Guard) -> &'g Tracked {
        // SAFETY: the claim under test: under a guard the value stays.
        unsafe { &*self.current.load(Ordering::Acquire) }
    }

    fn read(&self, guard: &Guard) -> usize {
        look(self.get(guard))
    }

    fn replace(&self, value: usize, guard: &Guard) {
        let old = self.current.swap(self.make(value), Ordering::AcqRel);
        // SAFETY: the swap took it out of sight, under the guard, and gave it to us alone.
        unsafe { guard.defer_destroy(old) };
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Relaxed)
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // SAFETY: nobody else has the shelf, nor the value that is still on it.
        drop(unsafe { Box::from_raw(self.current.load(Ordering::Relaxed)) });
    }
}

/// Leads threads through a script without ordering their memory: the model checker does not see it.
struct Stage(Counter);

impl Stage {
    fn new() -> Uncounted<Self> {
        Uncounted::new(Self(Counter::new(usize::MAX)))
    }

    fn set(&self, stage: usize) {
        self.0.store(stage, Relaxed);
    }

    /// Gives way twice, then returns whether the script has come so far: if not, this run is not the one that is
    /// looked for.
    fn wait(&self, stage: usize) -> bool {
        (0..2).any(|_| {
            thread::yield_now();
            self.0.load(Relaxed) == stage
        })
    }
}

fn look(tracked: &Tracked) -> usize {
    // SAFETY: the claim under test: nobody writes while somebody who is pinned may look.
    let value = tracked.value.with(|value| unsafe { *value });
    assert_ne!(value, usize::MAX);
    value
}

fn flush(handle: &LocalHandle, rounds: usize) {
    (0..rounds).for_each(|_| handle.pin().flush());
}

/// E1: the fence of a pin against the fence of an advance.
#[test]
fn e1_pin_against_advance() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let reader = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                shelf.read(&handle.pin());
            }
        });
        let handle = collector.register();
        shelf.replace(1, &handle.pin());
        flush(&handle, 3);
        reader.join().unwrap();
    });
}

/// E1, with a reader that is already registered and an epoch that moves under it: one advance after the tag is too few.
#[test]
fn e1_reader_one_epoch_ahead() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let reader = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                handle.pin().flush();
                shelf.read(&handle.pin());
            }
        });
        let handle = collector.register();
        let guard = handle.pin();
        shelf.replace(1, &guard);
        drop(guard);
        flush(&handle, 2);
        reader.join().unwrap();
    });
}

/// E2: leaving a pin hands the reads on to whoever frees.
#[test]
fn e2_leave() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let reader = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                shelf.read(&handle.pin());
                let _still_pinned = handle.pin();
                thread::yield_now();
            }
        });
        let handle = collector.register();
        shelf.replace(1, &handle.pin());
        flush(&handle, 3);
        reader.join().unwrap();
    });
}

/// E2: pinning anew without leaving does so too. The stages lead both threads to where the reader is seen in its
/// second pin by the very scan that lets the garbage go.
#[test]
fn e2_repin() {
    loom::model(|| {
        let (collector, shelf, stage) = (Collector::new(), Shelf::new(), Stage::new());
        let handle = collector.register();
        let made_under = handle.pin();
        let reader = thread::spawn({
            let (collector, shelf, stage) = (collector.clone(), shelf.clone(), stage.clone());
            move || {
                let handle = collector.register();
                handle.pin().flush();
                let mut guard = handle.pin();
                shelf.read(&guard);
                stage.set(1);
                if stage.wait(2) {
                    guard.repin();
                }
            }
        });
        if stage.wait(1) {
            shelf.replace(1, &made_under);
            drop(made_under);
            flush(&handle, 1);
            let guard = handle.pin();
            stage.set(2);
            thread::yield_now();
            guard.flush();
        }
        reader.join().unwrap();
    });
}

/// E1: an inner guard neither ends the outer pin, nor moves its epoch.
#[test]
fn e1_nested_pin() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let reader = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                let outer = handle.pin();
                let seen = shelf.get(&outer);
                let mut inner = handle.pin();
                inner.repin();
                drop(inner);
                look(seen);
            }
        });
        let handle = collector.register();
        shelf.replace(1, &handle.pin());
        flush(&handle, 3);
        reader.join().unwrap();
    });
}

/// E4 and E5: a thread that leaves hands its garbage over; somebody else reclaims it, after the readers.
#[test]
fn e5_unregister_hands_over() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let writer = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || shelf.replace(1, &collector.register().pin())
        });
        let handle = collector.register();
        let guard = handle.pin();
        shelf.read(&guard);
        drop(guard);
        handle.pin().flush();
        writer.join().unwrap();
        flush(&handle, 3);
        assert_eq!(shelf.dropped(), 1);
        assert_eq!(collector.statistics().pending, 0);
    });
}

/// E4: an entry of the registry passes from one thread to the next with all that is in it.
#[test]
fn e4_entry_is_claimed_again() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let others: Vec<_> = (1..3)
            .map(|value| {
                let (collector, shelf) = (collector.clone(), shelf.clone());
                thread::spawn(move || shelf.replace(value, &collector.register().pin()))
            })
            .collect();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(collector.statistics().participants, 0);
        flush(&collector.register(), 3);
        assert_eq!(shelf.dropped(), 2);
    });
}

/// E6: an advance either sees an entry that is just being registered, whole, or comes before its first pin.
#[test]
fn e6_register_against_advance() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let handle = collector.register();
        let newcomer = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let (first, second) = (collector.register(), collector.register());
                let guard = second.pin();
                shelf.read(&guard);
                shelf.read(&first.pin());
            }
        });
        shelf.replace(1, &handle.pin());
        flush(&handle, 3);
        newcomer.join().unwrap();
    });
}

/// E3: what one thread's advance has learnt of a reader, another thread relies on when it frees. Nothing else
/// connects the two.
#[test]
fn e3_one_advances_another_reclaims() {
    loom::model(|| {
        // Without room for garbage a participant helps whenever it can, and keeps its bags to itself.
        let collector = Collector::with_limits(Limits::new().with_objects(0));
        let (shelf, stage) = (Shelf::new(), Stage::new());
        let handle = collector.register();
        // The reader pins one epoch after the pin that the garbage is made under...
        let made_under = handle.pin();
        let reader = thread::spawn({
            let (collector, shelf, stage) = (collector.clone(), shelf.clone(), stage.clone());
            move || {
                let handle = collector.register();
                handle.pin().flush();
                let guard = handle.pin();
                let seen = shelf.get(&guard);
                stage.set(1);
                if stage.wait(3) {
                    look(seen);
                    drop(guard);
                    stage.set(4);
                }
            }
        });
        if stage.wait(1) {
            shelf.replace(1, &made_under);
            drop(made_under);
            drop(handle.pin());
            // ...so the last advance that the garbage needs is the one that waits for the reader, and learns of its
            // leaving.
            let guard = handle.pin();
            let advancer = thread::spawn({
                let (collector, stage) = (collector.clone(), stage.clone());
                move || {
                    let handle = collector.register();
                    let guard = handle.pin();
                    stage.set(3);
                    if stage.wait(4) {
                        guard.flush();
                        stage.set(5);
                    }
                }
            });
            if stage.wait(5) {
                // SAFETY: it destroys nothing. Like every retirement here it helps: and no fence comes before that.
                unsafe { guard.defer(|| ()) };
            }
            drop(guard);
            advancer.join().unwrap();
        }
        reader.join().unwrap();
    });
}

/// E1: two writers replace the same value, and both reclaim.
#[test]
fn e1_two_writers() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let other = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                let guard = handle.pin();
                shelf.read(&guard);
                shelf.replace(1, &guard);
                drop(guard);
                flush(&handle, 1);
            }
        });
        let handle = collector.register();
        let guard = handle.pin();
        shelf.read(&guard);
        shelf.replace(2, &guard);
        drop(guard);
        flush(&handle, 1);
        other.join().unwrap();
        flush(&handle, 3);
        assert_eq!(shelf.dropped(), 2);
    });
}

/// E5: the last of the handles, guards and collectors, whichever it is, reclaims everything, once.
#[test]
fn e5_collector_is_dropped() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let other = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                drop(collector);
                let guard = handle.pin();
                drop(handle);
                shelf.replace(1, &guard);
            }
        });
        let handle = collector.register();
        drop(collector);
        shelf.replace(2, &handle.pin());
        drop(handle);
        other.join().unwrap();
        assert_eq!(shelf.dropped(), 2);
    });
}

/// E1: as long as a reader stays, nothing it can reach goes, however often the others try.
#[test]
fn e1_stalled_reader() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let stalled = collector.register();
        let guard = stalled.pin();
        let seen = shelf.get(&guard);
        let writer = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                shelf.replace(1, &handle.pin());
                flush(&handle, 4);
            }
        });
        look(seen);
        writer.join().unwrap();
        assert_eq!((look(seen), shelf.dropped()), (0, 0));
        drop(guard);
        flush(&stalled, 3);
        assert_eq!(shelf.dropped(), 1);
    });
}

/// S10, the ancestor's defect: one thread emptied the others' lists. Here two threads retire and reclaim at once,
/// each from its own bags or from the orphans behind their lock, and every object goes once.
#[test]
fn s10_two_threads_reclaim() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let other = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let handle = collector.register();
                shelf.replace(1, &handle.pin());
                flush(&handle, 1);
            }
        });
        let handle = collector.register();
        shelf.replace(2, &handle.pin());
        flush(&handle, 2);
        other.join().unwrap();
        flush(&handle, 3);
        assert_eq!((shelf.dropped(), collector.statistics().pending), (2, 0));
    });
}

/// E5, with the global collector: threads register at their first pin, and hand over when their thread-locals go,
/// which in a model may be after the join.
#[test]
fn e5_global_collector() {
    loom::model(|| {
        let shelf = Shelf::new();
        let writer = thread::spawn({
            let shelf = shelf.clone();
            move || shelf.replace(1, &tiny_coro_ebr::pin())
        });
        shelf.read(&tiny_coro_ebr::pin_fenced());
        writer.join().unwrap();
        (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
    });
}
