//! The menu; `super::backend` says whose.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_ebr::{Limits, Shared};

use super::backend::{self, Collector, Guard, LocalHandle};

/// Counts its destruction.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn retire(guard: &Guard, count: &Arc<AtomicUsize>) {
    let object = Box::into_raw(Box::new(Counted(count.clone())));
    // SAFETY: nobody else has seen the box, and it may be dropped by anybody.
    unsafe { guard.defer_destroy(object) };
}

/// Pins and flushes until `count` is reached.
fn flush_until(handle: &LocalHandle, count: &AtomicUsize, wanted: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while count.load(Ordering::Relaxed) != wanted {
        assert!(Instant::now() < deadline, "{} of {wanted}", count.load(Ordering::Relaxed));
        handle.pin().flush();
        thread::yield_now();
    }
}

#[test]
fn pins_nest() {
    let handle = Collector::new().register();
    assert!(!handle.is_pinned());
    let outer = handle.pin();
    let inner = handle.pin();
    drop(outer);
    assert!(handle.is_pinned());
    drop(inner);
    assert!(!handle.is_pinned());
}

#[test]
fn nothing_goes_under_a_guard_and_everything_after() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let (writer, reader) = (collector.register(), collector.register());
    let guard = reader.pin();
    retire(&writer.pin(), &dropped);
    (0..100).for_each(|_| writer.pin().flush());
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(guard);
    flush_until(&writer, &dropped, 1);
}

#[test]
fn a_new_guard_holds_up_nothing_that_was_retired_before() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let (writer, reader) = (collector.register(), collector.register());
    retire(&writer.pin(), &dropped);
    writer.pin().flush();
    // The reader never stays for longer than a round of the writer's.
    let mut guard = reader.pin();
    for _ in 0..10 {
        writer.pin().flush();
        guard.repin();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn repin_does_nothing_beside_another_guard() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let (writer, reader) = (collector.register(), collector.register());
    let (_outer, mut inner) = (reader.pin(), reader.pin());
    retire(&writer.pin(), &dropped);
    for _ in 0..10 {
        writer.pin().flush();
        inner.repin();
        inner.repin_after(|| assert!(reader.is_pinned()));
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
}

#[test]
fn repin_after_unpins_meanwhile_and_pins_again_whatever_happens() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let (writer, reader) = (collector.register(), collector.register());
    let mut guard = reader.pin();
    retire(&writer.pin(), &dropped);
    let answer = guard.repin_after(|| {
        flush_until(&writer, &dropped, 1);
        7
    });
    assert_eq!(answer, 7);
    let panicked = catch_unwind(AssertUnwindSafe(|| guard.repin_after(|| panic!("a panic, on purpose"))));
    assert!(panicked.is_err());

    retire(&writer.pin(), &dropped);
    (0..100).for_each(|_| writer.pin().flush());
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    drop(guard);
    flush_until(&writer, &dropped, 2);
}

#[test]
fn a_handle_may_go_while_its_guard_is_suspended() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let writer = collector.register();
    let handle = collector.register();
    let mut guard = handle.pin();
    retire(&guard, &dropped);
    guard.repin_after(move || drop(handle));
    retire(&guard, &dropped);
    drop(guard);
    flush_until(&writer, &dropped, 2);
}

#[test]
fn guards_handles_and_collectors_go_in_any_order() {
    for order in 0..6 {
        let dropped = Arc::default();
        let collector = Collector::with_limits(Limits::new());
        let handle = collector.register();
        let guard = handle.pin();
        retire(&guard, &dropped);
        let (mut collector, mut handle, mut guard) = (Some(collector), Some(handle), Some(guard));
        for step in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][order] {
            match step {
                0 => drop(collector.take()),
                1 => drop(handle.take()),
                _ => drop(guard.take()),
            }
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "order {order}");
    }
}

#[test]
fn garbage_of_a_thread_that_ends_falls_to_the_others() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| retire(&collector.register().pin(), &dropped));
        }
    });
    flush_until(&collector.register(), &dropped, 4);
}

#[test]
fn deferred_functions_may_be_large_and_return_what_they_like() {
    let (collector, called) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    let (small, large) = (called.clone(), (called.clone(), [1_usize; 16]));
    let guard = handle.pin();
    guard.defer(move || small.fetch_add(1, Ordering::Relaxed));
    guard.defer(move || {
        large.0.fetch_add(large.1.iter().sum(), Ordering::Relaxed);
        large
    });
    let sized = called.clone();
    // SAFETY: it destroys nothing, and what it captures may go to any thread.
    unsafe { guard.defer_sized(1 << 20, move || sized.fetch_add(1, Ordering::Relaxed)) };
    drop(guard);
    flush_until(&handle, &called, 18);
}

#[test]
fn a_shared_pointer_s_tag_does_not_matter_to_its_destruction() {
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    let object: *mut Counted = Box::into_raw(Box::new(Counted(dropped.clone())));
    // SAFETY: nobody else has seen the box, and it may be dropped by anybody.
    unsafe { handle.pin().defer_destroy(Shared::from(object).with_tag(3)) };
    flush_until(&handle, &dropped, 1);
}

#[test]
fn collectors_are_compared_by_identity() {
    let collector = Collector::default();
    let handle = collector.clone().register();
    assert!(*handle.collector() == collector);
    assert!(handle.pin().collector() == Some(&collector));
    assert!(collector != Collector::new());
    assert!(backend::pin().collector() == Some(backend::default_collector()));
    assert!(Collector::global() == backend::default_collector());
}

#[test]
fn the_collector_of_the_process_needs_no_handle() {
    let dropped = Arc::new(AtomicUsize::new(0));
    assert!(!backend::is_pinned());
    let outer = backend::pin();
    let inner = backend::pin_fenced();
    retire(&inner, &dropped);
    drop((outer, inner));
    assert!(!backend::is_pinned());
    // The garbage is this thread's until it gives it away.
    backend::pin().flush();
    flush_until(&Collector::global().register(), &dropped, 1);
}

#[test]
fn without_protection_nothing_waits() {
    let dropped = Arc::new(AtomicUsize::new(0));
    // SAFETY: nobody else has what is retired here.
    let guard = unsafe { backend::unprotected() };
    retire(guard, &dropped);
    let count = dropped.clone();
    guard.defer(move || count.fetch_add(1, Ordering::Relaxed));
    guard.flush();
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
    assert!(guard.collector().is_none() && !backend::is_pinned());
}

#[test]
fn a_backend_without_reports_is_neutral() {
    let collector = Collector::with_limits(Limits::new().with_objects(7));
    let (handle, reader) = (collector.register(), collector.register());
    let _forgotten = reader.pin();
    (0..100).for_each(|_| handle.pin().flush());
    let statistics = collector.statistics();
    if Collector::REPORTS {
        assert_eq!((collector.limits().objects, collector.stalled().len(), statistics.participants), (7, 1, 2));
    } else {
        assert_eq!((collector.limits().objects, collector.stalled().len()), (usize::MAX, 0));
        assert_eq!(statistics, Default::default());
    }
    collector.set_limits(Limits::new());
}

/// Readers and writers that come and go: no object goes under its reader, and each goes once.
#[test]
fn threads_replace_read_and_leave() {
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
    let shelf = AtomicPtr::new(make());
    let collector = Collector::new();
    let (threads, lives, rounds) = (4, 5, 1_000);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..lives {
                    let handle = collector.register();
                    for round in 0..rounds {
                        let guard = handle.pin();
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
    flush_until(&collector.register(), &dropped, threads * lives * rounds);
    // SAFETY: the threads are gone: what is on the shelf is ours.
    drop(unsafe { Box::from_raw(shelf.into_inner()) });
}
