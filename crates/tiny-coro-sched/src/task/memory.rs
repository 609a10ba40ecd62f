//! Where task cells get their memory: magazines of free blocks, one pair a thread, and a depot between the threads.
//!
//! A task is often spawned by one thread and ends on another, which is the worst case of a general allocator: each block goes
//! back to a list of the thread that allocated it, through a lock or an atomic. Here a freed block stays with the thread that
//! freed it; when a thread has [`MAGAZINE`] more than it needs it gives them to the depot in one go, and a thread that has none takes as
//! many from there. (Bonwick and Adams, *Magazines and Vmem*, USENIX 2001.)
//!
//! ```text
//!   thread: loaded ▤▤▤▤   previous ▤▤▤▤▤▤▤▤  ◀── a full magazine ──▶  depot: ▤ ▤ ▤ … (one stack a size) ◀──▶ the system's allocator
//! ```
//!
//! What a thread keeps is bounded by two magazines a size, what the depot keeps by [`DEPOT_BYTES`] a size; the rest goes back to the
//! system's allocator, and so does what a thread has when it ends. Cells above the largest size never come here.
//!
//! Under `--cfg tiny_coro_plain_alloc` every cell comes from the system's allocator, so that a checker sees each use after free.

use parking_lot::Mutex;
use std::alloc::{self, Layout};
use std::cell::UnsafeCell;
use std::mem;
use std::ptr::NonNull;

/// The sizes of the blocks, in bytes. The smallest holds a task whose future is a word or two.
const SIZES: [usize; 12] = [96, 112, 128, 144, 160, 176, 192, 224, 256, 320, 384, 512];
/// The alignment of the blocks.
const ALIGN: usize = 16;
/// How many blocks move between a thread and the depot at once.
const MAGAZINE: usize = 64;
/// How many bytes of each size the depot keeps at most.
const DEPOT_BYTES: usize = 16 << 20;

/// Free blocks of one size, linked through their first words.
#[derive(Default)]
struct Magazine {
    head: Option<NonNull<Free>>,
    len: usize,
}

/// What is in a free block.
struct Free {
    next: Option<NonNull<Free>>,
}

// SAFETY: a magazine owns its blocks, which are plain memory.
unsafe impl Send for Magazine {}

impl Magazine {
    /// Adds a block.
    ///
    /// # Safety
    ///
    /// The block is free, the caller's, and large enough for a `Free`.
    unsafe fn push(&mut self, block: NonNull<u8>) {
        let block = block.cast::<Free>();
        // SAFETY: the caller gives the block away, and it has room for the link.
        unsafe { block.write(Free { next: self.head }) };
        self.head = Some(block);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = self.head?;
        // SAFETY: a block in a magazine is free, and `push` has written its link.
        self.head = unsafe { block.as_ref() }.next;
        self.len -= 1;
        Some(block.cast())
    }
}

/// The full magazines of each size.
static DEPOT: [Mutex<Vec<Magazine>>; SIZES.len()] = [const { Mutex::new(Vec::new()) }; SIZES.len()];

/// One thread's blocks of one size.
#[derive(Default)]
struct Pair {
    loaded: Magazine,
    previous: Magazine,
}

/// One thread's blocks.
#[derive(Default)]
struct Cache([Pair; SIZES.len()]);

thread_local! {
    static CACHE: UnsafeCell<Cache> = const { UnsafeCell::new(Cache([const {
        Pair { loaded: Magazine { head: None, len: 0 }, previous: Magazine { head: None, len: 0 } }
    }; SIZES.len()])) };
}

impl Pair {
    fn take(&mut self, class: usize) -> Option<NonNull<u8>> {
        if let Some(block) = self.loaded.pop() {
            return Some(block);
        }
        if self.previous.len > 0 {
            mem::swap(&mut self.loaded, &mut self.previous);
        } else {
            self.loaded = DEPOT[class].lock().pop()?;
        }
        self.loaded.pop()
    }

    /// # Safety
    ///
    /// As [`Magazine::push`].
    unsafe fn give(&mut self, class: usize, block: NonNull<u8>) {
        if self.loaded.len == MAGAZINE {
            let full = mem::replace(&mut self.previous, mem::take(&mut self.loaded));
            if full.len > 0 {
                deposit(class, full);
            }
        }
        // SAFETY: the caller's contract.
        unsafe { self.loaded.push(block) };
    }
}

fn deposit(class: usize, mut magazine: Magazine) {
    let mut depot = DEPOT[class].lock();
    if (depot.len() + 1) * MAGAZINE * SIZES[class] <= DEPOT_BYTES {
        return depot.push(magazine);
    }
    drop(depot);
    while let Some(block) = magazine.pop() {
        // SAFETY: blocks of this size come from `system` with the same layout.
        unsafe { alloc::dealloc(block.as_ptr(), layout(class)) };
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, pair) in self.0.iter_mut().enumerate() {
            for magazine in [mem::take(&mut pair.loaded), mem::take(&mut pair.previous)] {
                if magazine.len > 0 {
                    deposit(class, magazine);
                }
            }
        }
    }
}

const fn layout(class: usize) -> Layout {
    match Layout::from_size_align(SIZES[class], ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("every size is a multiple of the alignment"),
    }
}

/// Which size a cell of this layout takes, if any.
const fn class_of(layout: Layout) -> Option<usize> {
    if cfg!(any(tiny_coro_plain_alloc, tiny_coro_loom)) || layout.align() > ALIGN {
        return None;
    }
    let mut class = 0;
    while class < SIZES.len() {
        if layout.size() <= SIZES[class] {
            return Some(class);
        }
        class += 1;
    }
    None
}

/// Allocates a cell and moves `value` there.
pub(super) fn allocate<T>(value: T) -> NonNull<T> {
    let class = const { class_of(Layout::new::<T>()) };
    let Some(class) = class else {
        return NonNull::from(Box::leak(Box::new(value)));
    };
    // SAFETY: the cache is this thread's, and nothing in `take` runs code that could come here again.
    let cached = CACHE.try_with(|cache| unsafe { (*cache.get()).0[class].take(class) }).ok().flatten();
    let block = cached.unwrap_or_else(|| system(class)).cast::<T>();
    // SAFETY: the block is as large as its class, and `class_of` has chosen that for `T`.
    unsafe { block.write(value) };
    block
}

/// A new block.
fn system(class: usize) -> NonNull<u8> {
    // SAFETY: no class has size 0.
    let block = unsafe { alloc::alloc(layout(class)) };
    NonNull::new(block).unwrap_or_else(|| alloc::handle_alloc_error(layout(class)))
}

/// Drops a cell in place and frees it.
///
/// # Safety
///
/// `cell` comes from [`allocate`] of the same type, and nobody uses it any more.
pub(super) unsafe fn free<T>(cell: NonNull<T>) {
    let class = const { class_of(Layout::new::<T>()) };
    let Some(class) = class else {
        // SAFETY: `allocate` made it as a box.
        return drop(unsafe { Box::from_raw(cell.as_ptr()) });
    };
    /// Frees the block also when the destructor panics.
    struct Block(NonNull<u8>, usize);
    impl Drop for Block {
        fn drop(&mut self) {
            let Self(block, class) = *self;
            // SAFETY: the cache is this thread's, nothing in `give` runs code that could come here again, and the block is free.
            let kept = CACHE.try_with(|cache| unsafe { (*cache.get()).0[class].give(class, block) });
            if kept.is_err() {
                // SAFETY: the thread has no cache any more, and the block comes from `system` with this layout.
                unsafe { alloc::dealloc(block.as_ptr(), layout(class)) };
            }
        }
    }
    let _block = Block(cell.cast(), class);
    // SAFETY: the caller gives the cell away.
    unsafe { cell.drop_in_place() };
}

#[cfg(all(test, not(tiny_coro_loom)))]
mod tests {
    use super::*;
    use std::thread;

    /// Blocks that one thread allocates and another frees come back through the depot, intact.
    #[test]
    fn blocks_go_round() {
        let mut cells = Vec::new();
        for round in 0..20u64 {
            cells.extend((0..1_000).map(|n| allocate([round, n, 7])));
            let addresses: Vec<_> = cells.drain(..).map(|cell| cell.as_ptr().expose_provenance()).collect();
            let ended = thread::spawn(move || {
                for (n, address) in addresses.into_iter().enumerate() {
                    let cell = NonNull::new(std::ptr::with_exposed_provenance_mut::<[u64; 3]>(address)).unwrap();
                    // SAFETY: allocated above as this type, and freed here only.
                    unsafe {
                        assert_eq!(*cell.as_ref(), [round, n as u64, 7]);
                        free(cell);
                    }
                }
            });
            ended.join().unwrap();
        }
    }

    /// Each size and beyond, and an alignment that no block has.
    #[test]
    fn every_size_is_aligned_and_dropped() {
        #[repr(align(128))]
        struct Wide(#[expect(dead_code, reason = "only its address counts")] String);
        fn round_trip<T>(value: T) {
            let cell = allocate(value);
            assert!(cell.as_ptr().is_aligned());
            // SAFETY: allocated as this type the line before.
            unsafe { free(cell) };
        }
        round_trip([1u8; 1]);
        round_trip([1u8; 129]);
        round_trip([1u8; 512]);
        round_trip([1u8; 513]);
        round_trip(Wide("dropped".to_owned()));
        round_trip(vec![String::from("dropped"); 3]);
    }
}
