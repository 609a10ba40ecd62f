//! What the model checker sees through the seam, and what it does not: small programs whose answers are known.

#![cfg(tiny_coro_loom)]

use std::collections::BTreeSet;
use std::sync::Mutex;

use tiny_coro_prim::atomic::{AtomicBool, AtomicUsize, Ordering, full_fence};
use tiny_coro_prim::cell::UnsafeCell;
use tiny_coro_prim::sync::Arc;
use tiny_coro_prim::thread;

/// All pairs that two threads return, over every schedule that loom explores.
fn outcomes(threads: [fn([&AtomicUsize; 2]) -> usize; 2]) -> BTreeSet<[usize; 2]> {
    // Not the seam's: it outlives the models, and is no part of them.
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let all = std::sync::Arc::clone(&seen);
    loom::model(move || {
        let words = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let threads = threads.map(|run| {
            let words = Arc::clone(&words);
            thread::spawn(move || run([&words[0], &words[1]]))
        });
        let outcome = threads.map(|thread| thread.join().unwrap());
        all.lock().unwrap().insert(outcome);
    });
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// Of two threads that store, fence and look, one sees the other. Without the fences both may look in vain.
#[test]
fn a_full_fence_orders_a_store_before_a_load() {
    let fenced = outcomes([
        |[mine, other]| {
            mine.store(1, Ordering::Relaxed);
            full_fence();
            other.load(Ordering::Relaxed)
        },
        |[other, mine]| {
            mine.store(1, Ordering::Relaxed);
            full_fence();
            other.load(Ordering::Relaxed)
        },
    ]);
    assert_eq!(fenced, BTreeSet::from([[0, 1], [1, 0], [1, 1]]));
    let bare = outcomes([
        |[mine, other]| {
            mine.store(1, Ordering::Release);
            other.load(Ordering::Acquire)
        },
        |[other, mine]| {
            mine.store(1, Ordering::Release);
            other.load(Ordering::Acquire)
        },
    ]);
    assert!(bare.contains(&[0, 0]), "release and acquire are not enough");
}

/// The known weakness: sequentially consistent accesses are taken for release and acquire. If this fails one day, loom models
/// them, and the advice on the crate's page can go.
#[test]
fn sequentially_consistent_accesses_are_modelled_as_weaker() {
    let outcomes = outcomes([
        |[mine, other]| {
            mine.store(1, Ordering::SeqCst);
            other.load(Ordering::SeqCst)
        },
        |[other, mine]| {
            mine.store(1, Ordering::SeqCst);
            other.load(Ordering::SeqCst)
        },
    ]);
    assert!(outcomes.contains(&[0, 0]), "which no machine shows");
}

/// The known blind spot: what the memory model allows and loom does not explore, a load that is done after a later store.
#[test]
fn load_buffering_is_not_explored() {
    let outcomes = outcomes([
        |[first, second]| {
            let seen = first.load(Ordering::Relaxed);
            second.store(1, Ordering::Relaxed);
            seen
        },
        |[first, second]| {
            let seen = second.load(Ordering::Relaxed);
            first.store(1, Ordering::Relaxed);
            seen
        },
    ]);
    assert!(!outcomes.contains(&[1, 1]), "loom has learnt to see it: say so on the crate's page");
}

/// A flag that is stored with release and loaded with acquire publishes a cell.
#[test]
fn release_and_acquire_publish() {
    loom::model(|| publish(Ordering::Release));
}

/// And without the release the checker reports the race.
#[test]
#[should_panic(expected = "Causality violation")]
fn a_race_is_reported() {
    loom::model(|| publish(Ordering::Relaxed));
}

fn publish(store: Ordering) {
    let shared = Arc::new((UnsafeCell::new(0), AtomicBool::new(false)));
    let writer = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            // SAFETY: the reader waits for the flag.
            shared.0.with_mut(|cell| unsafe { *cell = 7 });
            shared.1.store(true, store);
        }
    });
    if shared.1.load(Ordering::Acquire) {
        // SAFETY: the writer is done once the flag is up; the checker reports where it is not.
        assert_eq!(shared.0.with(|cell| unsafe { *cell }), 7);
    }
    writer.join().unwrap();
}
