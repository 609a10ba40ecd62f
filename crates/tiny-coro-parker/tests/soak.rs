//! Long runs, in release: `cargo xtask verify soak`.

#![cfg(not(tiny_coro_loom))]

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tiny_coro_parker::backend::{Backend, ParkingLot, Std};
use tiny_coro_parker::{Parker, Unparker};

/// The watchdog of one turn.
const LONG: Duration = Duration::from_secs(60);

/// How many turns, from `TINY_CORO_SOAK_ITEMS`.
fn items() -> u64 {
    env::var("TINY_CORO_SOAK_ITEMS")
        .map_or(10_000_000, |items| items.parse().expect("TINY_CORO_SOAK_ITEMS is a number"))
}

/// Two threads in turn. Counts by a plain load and store: each turn is handed over by the permit (K3).
fn ping_pong<B: Backend>(rounds: u64, make: impl Fn() -> Parker<B>) {
    fn turns<B: Backend>(rounds: u64, parker: &Parker<B>, other: &Unparker<B>, count: &AtomicU64) {
        for round in 0..rounds {
            assert!(parker.park_timeout(LONG), "round {round}: a wake was lost");
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            other.unpark();
        }
    }
    let (ping, pong, count) = (make(), make(), AtomicU64::new(0));
    let (to_ping, to_pong) = (ping.unparker(), pong.unparker());
    to_ping.unpark();
    let pong = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let pong = pong;
            turns(rounds, &pong, &to_ping, &count);
            pong
        });
        turns(rounds, &ping, &to_pong, &count);
        thread.join().unwrap()
    });
    assert_eq!(count.load(Ordering::Relaxed), 2 * rounds, "each permit is taken once");
    assert!(ping.park_timeout(Duration::ZERO), "the last permit is left");
    assert!(!ping.park_timeout(Duration::ZERO) && !pong.park_timeout(Duration::ZERO), "and no other");
    println!("{rounds} round trips");
}

#[test]
#[ignore = "soak: 10^7 ping-pongs, minutes"]
fn ping_pong_native() {
    ping_pong(items(), Parker::new);
}

#[test]
#[ignore = "soak: 10^7 ping-pongs, minutes"]
fn ping_pong_spinning() {
    ping_pong(items(), || Parker::new().with_spin(50));
}

#[test]
#[ignore = "soak: 10^6 ping-pongs, a tenth of TINY_CORO_SOAK_ITEMS"]
fn ping_pong_std() {
    ping_pong(items() / 10, || Parker::with_backend(Std::default()));
}

#[test]
#[ignore = "soak: 10^6 ping-pongs, a tenth of TINY_CORO_SOAK_ITEMS"]
fn ping_pong_parking_lot() {
    ping_pong(items() / 10, || Parker::with_backend(ParkingLot::default()));
}

/// Half of the turns are taken by a park that times out all the time: the deadline races with the permit (K1).
#[test]
#[ignore = "soak: 10^6 races of a permit and a deadline, a tenth of TINY_CORO_SOAK_ITEMS"]
fn permits_against_deadlines() {
    let rounds = items() / 10;
    let (parker, count, granted) = (Parker::new(), AtomicU64::new(0), AtomicU64::new(0));
    let (asker, to_asker) = tiny_coro_parker::pair();
    let unparker = parker.unparker();
    thread::scope(|scope| {
        scope.spawn(|| {
            let asker = asker;
            for _ in 0..rounds {
                assert!(asker.park_timeout(LONG), "a wake was lost");
                granted.fetch_add(1, Ordering::Relaxed);
                unparker.unpark();
            }
        });
        let mut time_outs = 0_u64;
        for round in 0..rounds {
            to_asker.unpark();
            while !parker.park_timeout(Duration::from_nanos(1 + round % 20_000)) {
                time_outs += 1;
            }
            count.fetch_add(1, Ordering::Relaxed);
            assert_eq!(granted.load(Ordering::Relaxed), round + 1, "one permit a turn, and its writes are seen");
        }
        println!("{rounds} permits among {time_outs} time-outs");
    });
    assert_eq!(count.load(Ordering::Relaxed), rounds);
    assert!(!parker.park_timeout(Duration::ZERO));
}
