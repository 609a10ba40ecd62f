//! The blocks of an injector go round, held by an allocator that counts.
#![cfg(not(tiny_coro_loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::iter;

use tiny_coro_deque::chase_lev::{Injector, Worker};

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

/// A queue that is never long asks for hardly any memory once it has run for a while, whether it is emptied one by one or by batches: nine
/// in ten of its blocks, at least, are used ones.
#[test]
fn blocks_go_round() {
    const BLOCKS: usize = 1_000;
    const ELEMENTS: usize = 127 * BLOCKS;
    if !tiny_coro_ebr::Collector::REPORTS {
        // The other backend of EBR frees what has been retired by other rules.
        return;
    }
    for (length, limit) in [(1, 1), (8, 8), (32, 32), (200, 32), (1000, 32), (1000, 1)] {
        let (injector, worker) = (Injector::new(), Worker::fifo_with_capacity(64));
        let pass = || {
            let before = ALLOCATIONS.get();
            for _ in 0..ELEMENTS / length {
                (0..length).for_each(|element| injector.push(element));
                let mut expected = 0..length;
                while let Some(first) = injector.steal_batch_with_limit_and_pop(&worker, limit).success() {
                    let batch = iter::once(first).chain(iter::from_fn(|| worker.pop()));
                    batch.for_each(|element| assert_eq!(Some(element), expected.next()));
                }
                assert!(expected.is_empty());
            }
            ALLOCATIONS.get() - before
        };
        pass();
        let allocations = pass();
        assert!(allocations < BLOCKS / 10, "{allocations} where {length} are pushed, and taken by {limit}");
    }
}
