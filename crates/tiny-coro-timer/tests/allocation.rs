//! No allocation per timer once the queue has grown.

#![cfg(not(tiny_coro_loom))]

mod backend;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use backend::{Backend, Heap, Queue, Wheel};

struct Counting;

thread_local! {
    /// Of this thread: the test harness has others.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is; counting does not allocate, since the counter is `const`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with `layout`, since `alloc` passes both on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Every operation, with at most 300 timers at a time, near and far.
fn exercise<Q: Queue<u64>>(timers: &mut Q) {
    for now in (0..3_000_000_u64).step_by(1_000) {
        let [a, b, c] = [30_000_000_000, 10_000, 20_000].map(|after| timers.insert(now + after, now));
        timers.reset(b, now + 25_000);
        *timers.get_mut(c).unwrap() += 1;
        assert_eq!((timers.get(c), timers.deadline(b)), (Some(&(now + 1)), Some(now + 25_000)));
        if now % 20_000 != 0 {
            timers.cancel(a);
        }
        timers.pop_expired(now);
        timers.expire(now, drop);
        assert!(timers.len() <= 300 && timers.next_deadline().is_some_and(|next| next > now));
        if now % 1_000_000 == 999_000 {
            timers.clear();
            assert!(timers.is_empty());
        }
    }
    timers.clear();
}

fn check<B: Backend>() {
    let before = ALLOCATIONS.get();
    let mut timers = B::Queue::<u64>::default();
    assert_eq!(ALLOCATIONS.get(), before, "an empty queue has no memory");
    exercise(&mut timers);
    let warm = ALLOCATIONS.get();
    exercise(&mut timers);
    assert_eq!(ALLOCATIONS.get(), warm, "what it has grown to is enough");

    let mut timers = B::Queue::<u64>::with_capacity(300);
    let made = ALLOCATIONS.get();
    exercise(&mut timers);
    assert_eq!(ALLOCATIONS.get(), made, "the capacity is for timers near and far");
}

#[test]
fn a_warm_heap_does_not_allocate() {
    check::<Heap>();
}

#[test]
fn a_warm_wheel_does_not_allocate() {
    check::<Wheel>();
}
