//! The normal side of the seam costs nothing and has the names of the other.

#![cfg(not(tiny_coro_loom))]

use std::mem::{align_of, size_of};

use tiny_coro_prim::CachePadded;
use tiny_coro_prim::cell::UnsafeCell;
use tiny_coro_prim::sync::{Arc, Mutex};
use tiny_coro_prim::{hint, thread};

#[test]
fn a_cell_is_as_large_as_its_content() {
    assert_eq!(size_of::<UnsafeCell<[u8; 3]>>(), 3);
    assert_eq!(align_of::<UnsafeCell<u64>>(), align_of::<u64>());
    let cell = UnsafeCell::new(1);
    // SAFETY: this thread has the cell to itself, and no two accesses overlap.
    cell.with_mut(|value| unsafe { *value += 1 });
    // SAFETY: as above.
    assert_eq!(cell.with(|value| unsafe { *value }), 2);
    assert_eq!(cell.into_inner(), 2);
}

#[test]
fn padding_keeps_neighbours_apart() {
    let pair = [CachePadded::new(1_u8), CachePadded::new(2)];
    let distance = std::ptr::from_ref(&*pair[1]).addr() - std::ptr::from_ref(&*pair[0]).addr();
    assert!(distance >= 128);
    assert_eq!(format!("{:?}", pair[0]), "1");
    assert_eq!(pair[1].into_inner(), 2);
}

/// A mutex never poisons: a panic under the lock is the panicking thread's affair.
#[test]
fn a_mutex_outlives_a_panic() {
    let mutex = Arc::new(Mutex::new(0));
    let thread = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            let mut value = mutex.lock();
            *value = 1;
            std::panic::resume_unwind(Box::new("under the lock"));
        }
    });
    assert!(thread.join().is_err());
    hint::spin_loop();
    assert_eq!(*mutex.try_lock().expect("unlocked by the unwinding"), 1);
    assert_eq!(Arc::into_inner(mutex).map(Mutex::into_inner), Some(1));
}
