//! The blocks of an injector go round, held by an allocator that counts.
#![cfg(not(tiny_coro_loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tiny_coro_deque::chase_lev::Injector;

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

/// A queue that is never long asks for no memory once it has run for a while.
#[test]
fn blocks_go_round() {
    const BLOCKS: usize = 1_000;
    const BLOCK: usize = 127;
    if !tiny_coro_ebr::Collector::REPORTS {
        // The other backend of EBR frees what has been retired by the hundred.
        return;
    }
    let injector = Injector::new();
    let pass = || {
        let before = ALLOCATIONS.get();
        for element in 0..BLOCKS * BLOCK {
            injector.push(element);
            assert_eq!(injector.steal().success(), Some(element));
        }
        ALLOCATIONS.get() - before
    };
    pass();
    assert_eq!(pass(), 0, "allocations for {BLOCKS} blocks");
}
