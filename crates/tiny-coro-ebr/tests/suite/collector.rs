//! Pins, bags, and the order and amount in which garbage goes.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::names::{Collector, Guard, LocalHandle, Owned, default_collector, is_pinned, pin};

/// Counts its destruction.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn retire(guard: &Guard, count: &Arc<AtomicUsize>) {
    let object = Owned::new(Counted(count.clone())).into_shared(guard);
    // SAFETY: nobody else has seen the object, and it may be dropped by anybody.
    unsafe { guard.defer_destroy(object) };
}

/// Pins and flushes, one round after the other, until `count` is reached. Returns the most that one round added.
fn flush_until(handle: &LocalHandle, count: &AtomicUsize, wanted: usize) -> usize {
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut last, mut most) = (count.load(Ordering::Relaxed), 0);
    while last != wanted {
        assert!(last < wanted && Instant::now() < deadline, "{last} of {wanted}");
        handle.pin().flush();
        let now = count.load(Ordering::Relaxed);
        most = most.max(now - last);
        last = now;
    }
    most
}

#[test]
fn a_pin_is_reentrant() {
    let collector = Collector::new();
    let handle = collector.register();
    drop(collector);
    assert!(!handle.is_pinned());
    for depth in 1..4 {
        let guards: Vec<Guard> = (0..depth).map(|_| handle.pin()).collect();
        for guard in guards {
            assert!(handle.is_pinned());
            drop(guard);
        }
        assert!(!handle.is_pinned());
    }
}

#[test]
fn a_flush_gives_the_local_bag_away() {
    let (collector, dropped) = (Collector::new(), Arc::default());
    let (handle, other) = (collector.register(), collector.register());
    for count in 1..=100 {
        let guard = handle.pin();
        retire(&guard, &dropped);
        guard.flush();
        drop(guard);
        // The handle never pins again before the other has dropped what it had.
        flush_until(&other, &dropped, count);
    }
}

#[test]
fn garbage_is_buffered_until_its_owner_gives_it_away() {
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let (handle, other) = (collector.register(), collector.register());
    let guard = handle.pin();
    (0..10).for_each(|_| retire(&guard, &dropped));
    drop(guard);
    (0..1_000).for_each(|_| other.pin().flush());
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    handle.pin().flush();
    flush_until(&other, &dropped, 10);
}

#[test]
fn garbage_is_not_buffered_without_bound() {
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    for retired in 1..=100_000 {
        retire(&handle.pin(), &dropped);
        assert!(retired - dropped.load(Ordering::Relaxed) < 10_000);
    }
}

#[test]
fn a_pin_holds_what_comes_after_it_and_not_what_came_before() {
    let collector = Collector::new();
    let (handle, reader) = (collector.register(), collector.register());
    let (before, after) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    retire(&handle.pin(), &before);
    flush_until(&handle, &before, 1);

    let guard = reader.pin();
    retire(&handle.pin(), &after);
    (0..1_000).for_each(|_| handle.pin().flush());
    assert_eq!(after.load(Ordering::Relaxed), 0);
    drop(guard);
    flush_until(&handle, &after, 1);
}

/// What is retired under a pin stays while that lasts, however hard eight threads push.
#[test]
fn a_pin_holds_the_advance() {
    let collector = Collector::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let handle = collector.register();
                for _ in 0..2_000 {
                    let guard = handle.pin();
                    let dropped = Arc::new(AtomicUsize::new(0));
                    retire(&guard, &dropped);
                    (0..3).for_each(|_| guard.flush());
                    assert_eq!(dropped.load(Ordering::Relaxed), 0, "dropped under the pin that it was retired in");
                }
            });
        }
    });
}

#[test]
fn collection_is_incremental() {
    const COUNT: usize = 100_000;
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    let guard = handle.pin();
    for _ in 0..COUNT {
        let (object, count) = (Owned::new(7).into_shared(&guard), dropped.clone());
        // SAFETY: nobody else has seen the object, and what is captured may go to any thread.
        unsafe {
            guard.defer_unchecked(move || {
                drop(object.into_owned());
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
    }
    guard.flush();
    drop(guard);
    assert!(flush_until(&handle, &dropped, COUNT) <= 1_024);
}

#[test]
fn every_object_is_dropped_once() {
    const COUNT: usize = 100_000;
    let (collector, dropped) = (Collector::new(), Arc::default());
    let handle = collector.register();
    let guard = handle.pin();
    (0..COUNT).for_each(|_| retire(&guard, &dropped));
    guard.flush();
    drop(guard);
    flush_until(&handle, &dropped, COUNT);
    drop((handle, collector));
    assert_eq!(dropped.load(Ordering::Relaxed), COUNT);
}

#[test]
fn every_function_is_called_once() {
    const COUNT: usize = 1_000;
    let (collector, called) = (Collector::new(), Arc::new([const { AtomicUsize::new(0) }; COUNT]));
    let (handle, sum) = (collector.register(), Arc::new(AtomicUsize::new(0)));
    for number in 0..COUNT {
        let (called, sum) = (called.clone(), sum.clone());
        handle.pin().defer(move || {
            called[number].fetch_add(1, Ordering::Relaxed);
            sum.fetch_add(1, Ordering::Relaxed)
        });
    }
    flush_until(&handle, &sum, COUNT);
    assert!(called.iter().all(|count| count.load(Ordering::Relaxed) == 1));
}

#[test]
fn an_array_is_dropped_whole() {
    let (collector, dropped) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    let mut guard = handle.pin();
    let array: Vec<Counted> = (0..700).map(|_| Counted(dropped.clone())).collect();
    let array = Owned::new(array).into_shared(&guard);
    // SAFETY: nobody else has seen the array, and it may be dropped by anybody.
    unsafe { guard.defer_destroy(array) };
    guard.flush();
    let deadline = Instant::now() + Duration::from_secs(60);
    while dropped.load(Ordering::Relaxed) == 0 {
        assert!(Instant::now() < deadline);
        guard.repin();
        guard.flush();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 700);
}

#[test]
fn an_array_is_destroyed_by_hand() {
    let (collector, destroyed) = (Collector::new(), Arc::new(AtomicUsize::new(0)));
    let handle = collector.register();
    let mut numbers = ManuallyDrop::new((0..100_000).collect::<Vec<i32>>());
    let (start, len, capacity, count) = (numbers.as_mut_ptr(), numbers.len(), numbers.capacity(), destroyed.clone());
    let guard = handle.pin();
    // SAFETY: nobody else has seen the array; the parts are those of a vector that is not dropped.
    unsafe {
        guard.defer_unchecked(move || {
            drop(Vec::from_raw_parts(start, len, capacity));
            count.fetch_add(len, Ordering::Relaxed);
        });
    }
    guard.flush();
    drop(guard);
    flush_until(&handle, &destroyed, 100_000);
}

#[test]
fn what_one_thread_retires_goes_in_that_order() {
    let (collector, order) = (Collector::new(), Arc::new(Mutex::new(Vec::new())));
    let handle = collector.register();
    for number in 0..2_000 {
        let order = order.clone();
        handle.pin().defer(move || order.lock().unwrap().push(number));
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while order.lock().unwrap().len() != 2_000 {
        assert!(Instant::now() < deadline);
        handle.pin().flush();
    }
    assert!(order.lock().unwrap().is_sorted());
}

#[test]
fn a_collector_goes_after_all_its_garbage() {
    let dropped = Arc::default();
    let collector = Collector::new();
    let guard = collector.register().pin();
    drop(collector);
    (0..1_000).for_each(|_| retire(&guard, &dropped));
    drop(guard);
    assert_eq!(dropped.load(Ordering::Relaxed), 1_000);
}

#[test]
fn eight_threads_stress_it() {
    const COUNT: usize = 20_000;
    let (collector, dropped) = (Collector::new(), Arc::default());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let handle = collector.register();
                (0..COUNT).for_each(|_| retire(&handle.pin(), &dropped));
            });
        }
    });
    flush_until(&collector.register(), &dropped, 8 * COUNT);
}

#[test]
fn the_default_collector_pins_each_thread_for_itself() {
    assert!(!is_pinned());
    let guard = pin();
    assert!(is_pinned() && !thread::spawn(is_pinned).join().unwrap());
    assert!(guard.collector() == Some(default_collector()));
    drop(guard);
    assert!(!is_pinned());
}
