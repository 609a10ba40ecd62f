//! Where task cells get their memory: magazines of free blocks, one pair a thread, and a depot between the threads.
//!
//! A task is often spawned by one thread and ends on another, which is the worst case of a general allocator: each block goes
//! back to a list of the thread that allocated it, through a lock or an atomic. Here a freed block stays with the thread that
//! freed it; when a thread has [`MAGAZINE`] more than it needs it gives them to the depot in one go, and a thread that has none takes as
//! many from there. (Bonwick and Adams, *Magazines and Vmem*, USENIX 2001.)
//!
//! ```text
//!   thread: loaded ▤▤▤▤   previous ▤▤▤▤▤▤▤▤  ◀── a full magazine ──▶  depot: ▤ ▤ ▤ … (one stack a size)  ◀──▶  slabs of 1 MiB
//! ```
//!
//! What a thread keeps is bounded by two magazines a size, what the depot keeps by [`DEPOT_BYTES`] a size; the rest goes back to the
//! slab that it was cut from, and a slab with all its blocks goes back to the system's allocator. A thread that ends leaves
//! its magazines to the depot. Cells above the largest size never come here.
//!
//! Under `--cfg tiny_coro_plain_alloc` every cell comes from the system's allocator, so that a checker sees each use after free.

mod magazine;
mod slab;

use self::magazine::Magazine;
use self::slab::Slabs;
use parking_lot::Mutex;
use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::mem;
use std::ptr::NonNull;

/// The sizes of the blocks, in bytes. The smallest holds a task whose future is a word.
const SIZES: [usize; 13] = [80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 320, 384, 512];
/// The alignment of the blocks.
const ALIGN: usize = 16;
/// How many blocks move between a thread and the depot at once.
const MAGAZINE: usize = 64;
/// How many bytes of each size the depot keeps at most.
const DEPOT_BYTES: usize = 16 << 20;

/// What the threads share of one size.
struct Depot {
    /// Full magazines, and rests of threads that have ended.
    magazines: Vec<Magazine>,
    slabs: Slabs,
}

static DEPOTS: [Mutex<Depot>; SIZES.len()] =
    [const { Mutex::new(Depot { magazines: Vec::new(), slabs: Slabs::new() }) }; SIZES.len()];

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
        Pair { loaded: Magazine::EMPTY, previous: Magazine::EMPTY }
    }; SIZES.len()])) };
}

impl Pair {
    #[inline]
    fn take(&mut self, class: usize) -> NonNull<u8> {
        self.loaded.pop().unwrap_or_else(|| self.reload(class))
    }

    #[cold]
    fn reload(&mut self, class: usize) -> NonNull<u8> {
        if self.previous.is_empty() {
            self.loaded = withdraw(class, MAGAZINE);
        } else {
            mem::swap(&mut self.loaded, &mut self.previous);
        }
        self.loaded.pop().expect("a magazine that was withdrawn has a block at least")
    }

    /// # Safety
    ///
    /// As [`Magazine::push`].
    #[inline]
    unsafe fn give(&mut self, class: usize, block: NonNull<u8>) {
        if self.loaded.len() == MAGAZINE {
            let full = mem::replace(&mut self.previous, mem::take(&mut self.loaded));
            if !full.is_empty() {
                deposit(class, full);
            }
        }
        // SAFETY: the caller's contract.
        unsafe { self.loaded.push(block) };
    }
}

/// A magazine from the depot, or `count` blocks at most from a slab.
fn withdraw(class: usize, count: usize) -> Magazine {
    let mut depot = DEPOTS[class].lock();
    depot.magazines.pop().unwrap_or_else(|| depot.slabs.take(SIZES[class], count))
}

fn deposit(class: usize, mut magazine: Magazine) {
    let mut depot = DEPOTS[class].lock();
    if (depot.magazines.len() + 1) * MAGAZINE * SIZES[class] <= DEPOT_BYTES {
        return depot.magazines.push(magazine);
    }
    while let Some(block) = magazine.pop() {
        // SAFETY: blocks of this class come from its slabs with its size; this one is free.
        unsafe { depot.slabs.give(SIZES[class], block) };
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, pair) in self.0.iter_mut().enumerate() {
            for magazine in [mem::take(&mut pair.loaded), mem::take(&mut pair.previous)] {
                if !magazine.is_empty() {
                    deposit(class, magazine);
                }
            }
        }
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

/// Allocates a cell, for the caller to write.
#[inline]
pub(super) fn allocate<T>() -> NonNull<T> {
    let class = const { class_of(Layout::new::<T>()) };
    let Some(class) = class else {
        return NonNull::from(Box::leak(Box::<T>::new_uninit())).cast();
    };
    // SAFETY: the cache is this thread's, and nothing in `take` runs code that could come here again.
    let block = CACHE.try_with(|cache| unsafe { (*cache.get()).0[class].take(class) });
    // The block is as large as its class, and `class_of` has chosen that for `T`.
    block.unwrap_or_else(|_| withdraw_one(class)).cast()
}

/// A block for a thread that ends, and has no cache any more.
#[cold]
fn withdraw_one(class: usize) -> NonNull<u8> {
    DEPOTS[class].lock().slabs.take(SIZES[class], 1).pop().expect("one block was asked for")
}

/// Drops a cell in place and frees it.
///
/// # Safety
///
/// `cell` comes from [`allocate`] of the same type, has been written, and nobody uses it any more.
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
                // The thread ends, and has no cache any more.
                let mut depot = DEPOTS[class].lock();
                // SAFETY: as in `deposit`.
                unsafe { depot.slabs.give(SIZES[class], block) };
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

    fn allocate<T>(value: T) -> NonNull<T> {
        let cell = super::allocate::<T>();
        // SAFETY: just allocated for this type.
        unsafe { cell.write(value) };
        cell
    }

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
