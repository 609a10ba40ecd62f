//! No allocation per timer once the queue has grown.

#![cfg(not(tiny_coro_loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tiny_coro_timer::TimerQueue;

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

#[test]
fn steady_state_does_not_allocate() {
    let mut timers = TimerQueue::with_capacity(100);
    let before = ALLOCATIONS.get();
    for now in 0..10_000_u64 {
        let [a, b, _] = [3, 1, 2].map(|after| timers.insert(now + after * 10, now));
        timers.cancel(a);
        timers.reset(b, now + 25);
        timers.expire(now, drop);
    }
    assert_eq!(ALLOCATIONS.get(), before, "at most 51 timers at a time fit into what is there");
    assert!(timers.len() <= 51);
}
