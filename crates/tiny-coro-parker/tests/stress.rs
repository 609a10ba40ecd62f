//! Exact counts under contention. A lost wake-up shows as a park that ends without a permit, after the watchdog's minute.

#![cfg(not(tiny_coro_loom))]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tiny_coro_parker::{Parker, Unparker};

const LONG: Duration = Duration::from_secs(60);

fn play(rounds: u64, parker: &Parker, other: &Unparker, count: &AtomicU64, serves: bool) {
    for round in 0..rounds {
        if serves {
            other.unpark();
        }
        assert!(parker.park_timeout(LONG), "round {round}: a wake was lost");
        // A plain load and store: each turn is handed over by the permit (K3).
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if !serves {
            other.unpark();
        }
    }
}

/// K1, K3, K4: two threads in turn; every permit is taken once.
#[test]
fn ping_pong() {
    const ROUNDS: u64 = 100_000;
    let (ping, pong, count) = (Parker::new(), Parker::new(), AtomicU64::new(0));
    let (to_ping, to_pong) = (ping.unparker(), pong.unparker());
    thread::scope(|scope| {
        scope.spawn(|| {
            let pong = pong;
            play(ROUNDS, &pong, &to_ping, &count, false);
        });
        play(ROUNDS, &ping, &to_pong, &count, true);
    });
    assert_eq!(count.load(Ordering::Relaxed), 2 * ROUNDS);
    assert!(!ping.park_timeout(Duration::ZERO));
}

/// K1, K3: many granters, one taker that also times out all the time: everything announced is seen.
#[test]
fn many_unparkers_against_time_outs() {
    const THREADS: u64 = 4;
    const EACH: u64 = 20_000;
    let (parker, announced) = (Parker::new(), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (unparker, announced) = (parker.unparker(), &announced);
            scope.spawn(move || {
                for _ in 0..EACH {
                    announced.fetch_add(1, Ordering::Relaxed);
                    unparker.unpark();
                }
            });
        }
        let (mut seen, mut timed_out) = (0, false);
        while seen < THREADS * EACH {
            // After a time-out without news the next park has to end by a permit.
            let timeout = if timed_out { LONG } else { Duration::from_micros(seen % 3) };
            let permit = parker.park_timeout(timeout);
            assert!(permit || !timed_out, "a permit was lost: {seen} seen");
            timed_out = !permit;
            if permit {
                seen = announced.load(Ordering::Relaxed);
            }
        }
    });
}

/// The parker goes away beside threads that unpark it.
#[test]
fn parkers_are_dropped_under_unparkers() {
    for _ in 0..500 {
        let (parker, stop) = (Parker::new(), AtomicBool::new(false));
        thread::scope(|scope| {
            for unparker in [parker.unparker(), parker.unparker()] {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        unparker.unpark();
                        thread::yield_now();
                    }
                });
            }
            assert!(parker.park_timeout(LONG));
            drop(parker);
            stop.store(true, Ordering::Relaxed);
        });
    }
}
