//! Any list of calls against the permit automaton: one bit.

#![cfg(not(tiny_coro_loom))]

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tiny_coro_parker::Parker;
use tiny_coro_parker::backend::{Backend, ParkingLot, Std};

#[derive(Clone, Debug)]
enum Call {
    /// By the parker itself, by an unparker made for it, and by one that is there from the start.
    Unpark(u8),
    Wake,
    WakeByRef,
    /// Left out while there is no permit: it would never return.
    Park,
    ParkTimeout(u64),
    ParkUntil(u64),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => (0..3_u8).prop_map(Call::Unpark),
        1 => Just(Call::Wake),
        1 => Just(Call::WakeByRef),
        2 => Just(Call::Park),
        2 => (0..3_u64).prop_map(Call::ParkTimeout),
        2 => (0..3_u64).prop_map(Call::ParkUntil),
    ]
}

/// K1: one thread's calls, against the automaton.
fn automaton<B: Backend>(parker: &Parker<B>, calls: &[Call]) -> Result<(), TestCaseError> {
    let (unparker, waker, mut permit) = (parker.unparker(), Waker::from(parker.unparker()), false);
    for call in calls {
        let (expected, taken) = match *call {
            Call::Unpark(by) => {
                match by {
                    0 => parker.unpark(),
                    1 => parker.unparker().unpark(),
                    _ => unparker.unpark(),
                }
                permit = true;
                continue;
            }
            Call::Wake => {
                Waker::from(parker.unparker()).wake();
                permit = true;
                continue;
            }
            Call::WakeByRef => {
                waker.wake_by_ref();
                permit = true;
                continue;
            }
            Call::Park if permit => {
                parker.park();
                (true, true)
            }
            Call::Park => (false, false),
            Call::ParkTimeout(micros) => (permit, parker.park_timeout(Duration::from_micros(micros))),
            Call::ParkUntil(micros) => (permit, parker.park_until(Instant::now() + Duration::from_micros(micros))),
        };
        prop_assert_eq!(taken, expected, "{:?}", call);
        permit = false;
    }
    Ok(())
}

/// K1, K3: several threads' unparks against one thread's parks. No permit comes from nowhere, none is lost, and the last one
/// taken shows everything that was written before any of them.
fn conservation<B: Backend>(parker: &Parker<B>, unparks: &[u64], micros: &[u64]) -> Result<(), TestCaseError> {
    let (written, total) = (AtomicU64::new(0), unparks.iter().sum::<u64>());
    let (mut taken, mut seen, watchdog) = (0, 0, Instant::now() + Duration::from_secs(60));
    thread::scope(|scope| {
        for count in unparks {
            let (unparker, written) = (parker.unparker(), &written);
            scope.spawn(move || {
                for _ in 0..*count {
                    written.fetch_add(1, Ordering::Relaxed);
                    unparker.unpark();
                }
            });
        }
        for micros in micros.iter().cycle() {
            if parker.park_timeout(Duration::from_micros(*micros)) {
                taken += 1;
                seen = written.load(Ordering::Relaxed);
            }
            if seen == total || Instant::now() > watchdog {
                break;
            }
        }
    });
    prop_assert_eq!(seen, total, "a permit was lost");
    let left = u64::from(parker.park_timeout(Duration::ZERO));
    prop_assert!(taken + left <= total, "{} permits of {} unparks", taken + left, total);
    prop_assert!(!parker.park_timeout(Duration::ZERO));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_permit_is_one_bit(calls in prop::collection::vec(call(), 1..60), spin in 0..3_u32) {
        automaton(&Parker::new().with_spin(spin), &calls)?;
        automaton(&Parker::with_backend(Std::default()).with_spin(spin), &calls)?;
        automaton(&Parker::with_backend(ParkingLot::default()).with_spin(spin), &calls)?;
    }

    #[test]
    fn permits_are_conserved(unparks in prop::collection::vec(1..20_u64, 1..4), micros in prop::collection::vec(0..50_u64, 1..4)) {
        conservation(&Parker::new(), &unparks, &micros)?;
        conservation(&Parker::with_backend(Std::default()), &unparks, &micros)?;
        conservation(&Parker::with_backend(ParkingLot::default()), &unparks, &micros)?;
    }
}
