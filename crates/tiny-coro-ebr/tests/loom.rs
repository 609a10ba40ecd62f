//! Models of the protocols: every interleaving with a bounded number of preemptions. Each names the invariant it holds.
//! Most run at bound 5, those with more steps at the environment's bound.
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
use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use loom::thread;
use tiny_coro_ebr::native::{self, Collector, Guard, LocalHandle};
use tiny_coro_ebr::{Atomic, Limits, Owned, Shared};

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

/// Runs a model whose schedules are few enough for five preemptions.
fn model_at_5(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(5);
    builder.check(model);
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
                // Like every retirement here it helps: and no fence comes before that.
                guard.defer(|| ());
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
    model_at_5(|| {
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
    model_at_5(|| {
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
    model_at_5(|| {
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
        let report = collector.stalled();
        assert_eq!((report.len(), report[0].epochs_behind), (1, 1));
        assert!(report[0].attempts > 0);
        drop(guard);
        assert!(collector.stalled().is_empty());
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
    model_at_5(|| {
        let shelf = Shelf::new();
        let writer = thread::spawn({
            let shelf = shelf.clone();
            move || shelf.replace(1, &native::pin())
        });
        shelf.read(&native::pin_fenced());
        writer.join().unwrap();
        (0..3).for_each(|_| native::pin().flush());
    });
}

/// E2 and E1: a suspended guard holds nothing back, what was read before it was suspended is over, and what is read
/// after it is back is protected.
#[test]
fn e2_repin_after() {
    loom::model(|| {
        let (collector, shelf) = (Collector::new(), Shelf::new());
        let reader = thread::spawn({
            let (collector, shelf) = (collector.clone(), shelf.clone());
            move || {
                let mut guard = collector.register().pin();
                shelf.read(&guard);
                guard.repin_after(thread::yield_now);
                shelf.read(&guard);
            }
        });
        let handle = collector.register();
        shelf.replace(1, &handle.pin());
        flush(&handle, 3);
        reader.join().unwrap();
    });
}

/// E9: `pin_fenced` is a full fence, outermost or not: of two threads that store, pin and look, one sees the other.
#[test]
fn e9_pin_fenced_at_any_depth() {
    model_at_5(|| {
        let flags = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let store_and_look = |flags: &[AtomicUsize; 2], own: usize| {
            flags[own].store(1, Relaxed);
            let _guard = native::pin_fenced();
            flags[1 - own].load(Relaxed)
        };
        let other = thread::spawn({
            let flags = flags.clone();
            move || {
                let _outer = native::pin();
                store_and_look(&flags, 1)
            }
        });
        let seen = store_and_look(&flags, 0);
        assert!(seen + other.join().unwrap() > 0);
    });
}

/// A stack of [`Atomic`]s, as small as it gets.
struct Stack {
    head: Atomic<Node>,
}

struct Node {
    value: Tracked,
    next: Atomic<Node>,
}

impl Stack {
    fn push(&self, value: usize, dropped: &Uncounted<Counter>, guard: &Guard) {
        let value = Tracked { value: UnsafeCell::new(value), _leaks: Track::new(()), dropped: dropped.clone() };
        let mut node = Owned::new(Node { value, next: Atomic::null() });
        loop {
            let next = self.head.load(Relaxed, guard);
            node.next.store(next, Relaxed);
            match self.head.compare_exchange(next, node, Ordering::Release, Relaxed, guard) {
                Ok(_) => break,
                Err(error) => node = error.new,
            }
        }
    }

    fn pop(&self, guard: &Guard) -> Option<usize> {
        loop {
            let head = self.head.load(Ordering::Acquire, guard);
            // SAFETY: the claim under test: under a guard the node stays.
            let node = unsafe { head.as_ref()? };
            let value = look(&node.value);
            let next = node.next.load(Relaxed, guard);
            if self.head.compare_exchange(head, next, Ordering::AcqRel, Relaxed, guard).is_ok() {
                // SAFETY: the exchange unlinked it, under the guard, and gave it to us alone.
                unsafe { guard.defer_destroy(head) };
                return Some(value);
            }
        }
    }
}

/// E1 and E5, through [`Atomic`]: two threads take from a stack; neither reads a node that has gone, each goes once.
#[test]
fn e1_atomic_stack() {
    loom::model(|| {
        let (collector, dropped) = (Collector::new(), Uncounted::new(Counter::new(0)));
        let stack = Arc::new(Stack { head: Atomic::null() });
        let handle = collector.register();
        let other = thread::spawn({
            let (collector, stack, dropped) = (collector.clone(), stack.clone(), dropped.clone());
            move || {
                let handle = collector.register();
                stack.push(1, &dropped, &handle.pin());
                let taken = stack.pop(&handle.pin());
                handle.pin().flush();
                taken
            }
        });
        stack.push(2, &dropped, &handle.pin());
        let mine = stack.pop(&handle.pin());
        flush(&handle, 2);
        assert_eq!(mine.unwrap() + other.join().unwrap().unwrap(), 3);
        flush(&handle, 3);
        assert_eq!(dropped.load(Relaxed), 2);
    });
}

/// A tag is set in place by one of two threads, and that one retires.
#[test]
fn e5_atomic_tag() {
    model_at_5(|| {
        let (collector, dropped) = (Collector::new(), Uncounted::new(Counter::new(0)));
        let value = Tracked { value: UnsafeCell::new(7), _leaks: Track::new(()), dropped: dropped.clone() };
        let atomic = Arc::new(Atomic::new(value));
        let mark = |atomic: &Atomic<Tracked>, handle: &LocalHandle| {
            let guard = &handle.pin();
            let found = atomic.fetch_or(1, Ordering::AcqRel, guard);
            // SAFETY: the claim under test: whoever comes second is pinned, and the first one retires it.
            assert!(unsafe { found.as_ref() }.is_none_or(|found| look(found) == 7));
            if found.tag() == 0 {
                atomic.store(Shared::null().with_tag(1), Ordering::Release);
                // SAFETY: the mark gave it to us alone, and it has been unlinked under the guard.
                unsafe { guard.defer_destroy(found) };
            }
        };
        let handle = collector.register();
        let other = thread::spawn({
            let (collector, atomic) = (collector.clone(), atomic.clone());
            move || mark(&atomic, &collector.register())
        });
        mark(&atomic, &handle);
        other.join().unwrap();
        flush(&handle, 3);
        assert_eq!(dropped.load(Relaxed), 1);
    });
}
