//! Exact counts under contention. A lost wake-up shows as a park that ends without a permit, after the watchdog's minute.

#![cfg(not(tiny_coro_loom))]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tiny_coro_parker::{Parker, Unparker};

const LONG: Duration = Duration::from_secs(60);

fn turns(rounds: u64, parker: &Parker, next: &Unparker, count: &AtomicU64) {
    for round in 0..rounds {
        assert!(parker.park_timeout(LONG), "round {round}: a wake was lost");
        // A plain load and store: each turn is handed over by the permit (K3).
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        next.unpark();
    }
}

/// K1, K3, K4: threads in a ring, more than there are processors; one permit goes round, and is taken once a turn.
fn ring(threads: usize, rounds: u64, spin: u32) {
    let parkers: Vec<_> = (0..threads).map(|_| Parker::new().with_spin(spin)).collect();
    let unparkers: Vec<_> = parkers.iter().map(Parker::unparker).collect();
    let count = AtomicU64::new(0);
    unparkers[0].unpark();
    let parkers: Vec<Parker> = thread::scope(|scope| {
        let threads: Vec<_> = (parkers.into_iter().enumerate())
            .map(|(index, parker)| {
                let (next, count) = (&unparkers[(index + 1) % threads], &count);
                scope.spawn(move || {
                    turns(rounds, &parker, next, count);
                    parker
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(count.load(Ordering::Relaxed), threads as u64 * rounds);
    let left: Vec<_> = parkers.iter().map(|parker| parker.park_timeout(Duration::ZERO)).collect();
    assert_eq!(left.iter().position(|left| *left), Some(0), "the permit has come back");
    assert_eq!(left.iter().filter(|left| **left).count(), 1, "and there is no other");
}

#[test]
fn ping_pong() {
    ring(2, 50_000, 0);
}

#[test]
fn ping_pong_spinning() {
    ring(2, 20_000, 50);
}

#[test]
fn ring_of_eight() {
    ring(8, 5_000, 0);
}
