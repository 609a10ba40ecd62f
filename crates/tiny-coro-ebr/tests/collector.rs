//! What the collector promises through its public API.
#![cfg(not(tiny_coro_loom))]

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use tiny_coro_ebr::Limits;
use tiny_coro_ebr::native::{self, Collector, Guard, LocalHandle};

/// Counts its destruction.
struct Counted<const PAYLOAD: usize>(Arc<AtomicUsize>, [u8; PAYLOAD]);

impl<const PAYLOAD: usize> Drop for Counted<PAYLOAD> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn retire<const PAYLOAD: usize>(guard: &Guard, count: &Arc<AtomicUsize>) {
    let object = Box::into_raw(Box::new(Counted(count.clone(), [0; PAYLOAD])));
    // SAFETY: nobody else has seen the box, and it may be dropped by anybody.
    unsafe { guard.defer_destroy(object) };
}

fn flush(handle: &LocalHandle, rounds: usize) {
    (0..rounds).for_each(|_| handle.pin().flush());
}

#[test]
fn e1_nothing_goes_under_a_guard_and_everything_three_rounds_after() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let (handle, reader) = (collector.register(), collector.register());
    let outer = reader.pin();
    retire::<0>(&handle.pin(), &dropped);
    flush(&handle, 10);
    let mut inner = reader.pin();
    inner.repin();
    flush(&handle, 10);
    drop(outer);
    assert!(reader.is_pinned());
    flush(&handle, 10);
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending), (0, 1));

    inner.repin();
    drop(inner);
    assert!(!reader.is_pinned());
    flush(&handle, 3);
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending), (1, 0));
}

#[test]
fn repin_alone_lets_the_epoch_pass() {
    let collector = Collector::new();
    let (handle, other) = (collector.register(), collector.register());
    let mut guard = handle.pin();
    let before = collector.statistics().advances;
    for _ in 0..5 {
        flush(&other, 1);
        guard.repin();
    }
    assert_eq!(collector.statistics().advances - before, 5);
}

#[test]
fn closures_of_every_size_are_called_once() {
    #[repr(align(64))]
    struct Aligned(u8);
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    fn call(bits: usize) {
        assert_eq!(CALLED.fetch_or(bits, Ordering::Relaxed) & bits, 0);
    }

    let collector = Collector::new();
    let handle = collector.register();
    let guard = handle.pin();
    let (three, four, aligned) = ([1_usize; 3], [1_usize; 4], Aligned(1));
    guard.defer(|| call(1));
    guard.defer(move || call(three[2] << 1));
    guard.defer(move || call(four[3] << 2));
    guard.defer(move || {
        assert_eq!(std::ptr::from_ref(&aligned).addr() % align_of::<Aligned>(), 0);
        call(usize::from(aligned.0) << 3);
    });
    drop(guard);
    flush(&handle, 3);
    assert_eq!(CALLED.load(Ordering::Relaxed), 0b1111);
    assert_eq!(collector.statistics().panics, 0);
}

#[test]
fn e5_a_dropped_collector_leaves_nothing() {
    let dropped = Arc::default();
    let collector = Collector::new();
    let outlives_all = {
        let handle = collector.register();
        retire::<8>(&handle.pin(), &dropped);
        let guard = handle.pin();
        retire::<8>(&guard, &dropped);
        guard.flush();
        retire::<8>(&guard, &dropped);
        guard
    };
    assert_eq!(collector.statistics().participants, 1);
    drop(collector);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    retire::<8>(&outlives_all, &dropped);
    drop(outlives_all);
    assert_eq!(dropped.load(Ordering::Relaxed), 4);
}

#[test]
fn e5_a_thread_that_ends_leaves_its_garbage_to_the_others() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| retire::<0>(&collector.register().pin(), &dropped));
        }
    });
    assert_eq!((collector.statistics().pending, collector.statistics().participants), (4, 0));
    flush(&collector.register(), 3);
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending), (4, 0));
}

#[test]
fn e7_a_panic_in_a_destructor_stays_alone() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let handle = collector.register();
    let guard = handle.pin();
    for _ in 0..3 {
        retire::<0>(&guard, &dropped);
        guard.defer(|| panic!("a destructor's panic, on purpose"));
        retire::<0>(&guard, &dropped);
    }
    drop(guard);
    flush(&handle, 3);
    let statistics = collector.statistics();
    assert_eq!((dropped.load(Ordering::Relaxed), statistics.panics, statistics.reclaimed), (6, 3, 9));
    assert!(!handle.is_pinned());
}

#[test]
fn deferred_functions_may_pin_defer_and_flush() {
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = std::rc::Rc::new(collector.register());
    let (again, count) = (handle.clone(), dropped.clone());
    // SAFETY: this thread calls it: no other has a handle.
    unsafe {
        handle.pin().defer_unchecked(move || {
            let guard = again.pin();
            retire::<0>(&guard, &count);
            guard.flush();
        });
    }
    flush(&handle, 6);
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending), (1, 0));
}

#[test]
fn e8_garbage_is_bounded_by_count() {
    let collector = Collector::with_limits(Limits::new().with_objects(64));
    let (handle, dropped) = (collector.register(), Arc::default());
    for _ in 0..10_000 {
        retire::<0>(&handle.pin(), &dropped);
        assert!(collector.statistics().pending <= 64 + 1);
    }
    assert_eq!(collector.statistics().stalled, 0);
}

#[test]
fn e8_garbage_is_bounded_by_bytes() {
    let collector = Collector::new();
    collector.set_limits(collector.limits().with_bytes(1 << 16));
    let (handle, dropped) = (collector.register(), Arc::default());
    for _ in 0..1_000 {
        retire::<4096>(&handle.pin(), &dropped);
        assert!(collector.statistics().pending_bytes <= (1 << 16) + 2 * 4096);
    }
}

#[test]
fn e8_a_stalled_pin_is_reported_and_then_made_up_for() {
    let collector = Collector::with_limits(Limits::new().with_objects(16));
    let (handle, stalled, dropped) = (collector.register(), collector.register(), Arc::default());
    let guard = stalled.pin();
    for _ in 0..1_000 {
        retire::<0>(&handle.pin(), &dropped);
    }
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending), (0, 1_000));
    assert!(collector.statistics().stalled > 0);
    drop(guard);
    // No flush: pins alone, as the participant is over its limit.
    (0..20).for_each(|_| drop(handle.pin()));
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending), (1_000, 0));
}

#[test]
fn a_little_garbage_goes_by_pins_alone() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let handle = collector.register();
    retire::<0>(&handle.pin(), &dropped);
    (0..1_024).for_each(|_| drop(handle.pin()));
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn a_pin_works_while_thread_locals_are_destroyed() {
    struct Last(Arc<AtomicBool>);
    impl Drop for Last {
        fn drop(&mut self) {
            let outer = native::pin();
            let inner = native::pin_fenced();
            retire::<0>(&inner, &Arc::default());
            drop((outer, inner));
            self.0.store(true, Ordering::Relaxed);
        }
    }
    thread_local!(static LAST: RefCell<Vec<Last>> = const { RefCell::new(Vec::new()) });

    // One is registered before the collector's own thread-local, one after it: they go in different orders.
    for pin_first in [false, true] {
        let done = Arc::new(AtomicBool::new(false));
        let last = Last(done.clone());
        thread::spawn(move || {
            if pin_first {
                drop(native::pin());
            }
            LAST.with_borrow_mut(|all| all.push(last));
            drop(native::pin());
        })
        .join()
        .unwrap();
        assert!(done.load(Ordering::Relaxed));
    }
    assert!(!native::is_pinned());
}

/// The ancestor let one thread empty the lists of all others, unsynchronised, by tags that could be out of date:
/// objects were freed twice, or under a reader. Here many threads replace, read, retire, come and go; each object
/// goes once, never under its reader.
#[test]
fn s10_garbage_has_one_owner_and_a_true_tag() {
    const ALIVE: usize = 0x00A1_1FE5;
    struct Object(AtomicUsize, Arc<AtomicUsize>);
    impl Drop for Object {
        fn drop(&mut self) {
            assert_eq!(self.0.swap(0, Ordering::Relaxed), ALIVE, "freed twice");
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let make = || Box::into_raw(Box::new(Object(AtomicUsize::new(ALIVE), dropped.clone())));
    let shelves: [_; 4] = std::array::from_fn(|_| AtomicPtr::new(make()));
    let collector = Collector::with_limits(Limits::new().with_objects(32));
    let (threads, lives, rounds) = (4, 5, 2_000);
    thread::scope(|scope| {
        for number in 0..threads {
            let (collector, shelves, make) = (&collector, &shelves, &make);
            scope.spawn(move || {
                for life in 0..lives {
                    let handle = collector.register();
                    for round in 0..rounds {
                        let guard = handle.pin();
                        let shelf = &shelves[(number + life + round) % shelves.len()];
                        // SAFETY: under the guard the object stays.
                        let seen = unsafe { &*shelf.load(Ordering::Acquire) };
                        let old = shelf.swap(make(), Ordering::AcqRel);
                        // SAFETY: the swap gave it to us alone, under the guard.
                        unsafe { guard.defer_destroy(old) };
                        if round % 64 == 0 {
                            guard.flush();
                            thread::yield_now();
                        }
                        assert_eq!(seen.0.load(Ordering::Relaxed), ALIVE, "freed under a reader");
                    }
                }
            });
        }
    });
    let statistics = collector.statistics();
    assert_eq!((statistics.retired, statistics.panics), (threads * lives * rounds, 0));
    assert_eq!(statistics.pending, statistics.retired - dropped.load(Ordering::Relaxed));
    assert!(statistics.advances > 0 && statistics.reclaimed > 0);
    flush(&collector.register(), 3);
    assert_eq!((collector.statistics().pending, dropped.load(Ordering::Relaxed)), (0, threads * lives * rounds));
    for shelf in shelves {
        // SAFETY: the threads are gone: what is on the shelf is ours.
        drop(unsafe { Box::from_raw(shelf.into_inner()) });
    }
}

#[test]
fn e8_a_stalled_participant_is_named() {
    let collector = Collector::with_limits(Limits::new().with_objects(16));
    let (pinned, release) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let sleeper = thread::Builder::new().name("the sleeper".into());
        let (collector, pinned, release) = (&collector, &pinned, &release);
        let sleeper = sleeper
            .spawn_scoped(scope, move || {
                let guard = collector.register().pin();
                pinned.wait();
                release.wait();
                drop(guard);
            })
            .unwrap();
        pinned.wait();
        let handle = collector.register();
        let dropped = Arc::default();
        (0..100).for_each(|_| retire::<0>(&handle.pin(), &dropped));
        let [stall] = &collector.stalled()[..] else { panic!("one is stalled") };
        assert_eq!((stall.thread.as_deref(), stall.thread_id), (Some("the sleeper"), Some(sleeper.thread().id())));
        assert!(stall.epochs_behind == 1 && stall.attempts > 0, "{stall}");
        // It gets older as long as it stays.
        let [later] = &collector.stalled()[..] else { panic!("one is stalled") };
        assert!(later.pinned_for >= stall.pinned_for);
        assert!(later.to_string().starts_with("thread 'the sleeper' has been pinned for"));
        release.wait();
        sleeper.join().unwrap();
        (0..20).for_each(|_| drop(handle.pin()));
        assert!(collector.stalled().is_empty());
    });
}

#[test]
fn e10_a_pin_frees_a_bounded_number_of_objects() {
    const COUNT: usize = 10_000;
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    let guard = handle.pin();
    (0..COUNT).for_each(|_| retire::<0>(&guard, &dropped));
    drop(guard);
    let mut last = 0;
    // No flush: it is far over its limits, and gets below them by pins alone.
    while collector.statistics().pending > collector.limits().objects {
        drop(handle.pin());
        let now = dropped.load(Ordering::Relaxed);
        assert!(now - last <= 512, "{} in one pin", now - last);
        // The bytes keep pace with the objects.
        let statistics = collector.statistics();
        assert_eq!(statistics.pending, COUNT - now);
        assert!(statistics.pending_bytes.abs_diff(statistics.pending * size_of::<Counted<0>>()) <= COUNT / 512 + 1);
        last = now;
    }
    flush(&handle, 3);
    assert_eq!((dropped.load(Ordering::Relaxed), collector.statistics().pending_bytes), (COUNT, 0));
}

#[test]
fn a_guard_without_its_handle_can_be_suspended() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let mut guard = collector.register().pin();
    retire::<0>(&guard, &dropped);
    assert_eq!(guard.repin_after(|| collector.statistics().participants), 1);
    let again = guard.repin_after(|| collector.register().pin());
    drop((guard, again));
    assert_eq!(collector.statistics().participants, 0);
    flush(&collector.register(), 3);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}
