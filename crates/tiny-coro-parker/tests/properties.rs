//! Any list of calls from one thread, against the permit automaton: one bit.

#![cfg(not(tiny_coro_loom))]

use std::task::Waker;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tiny_coro_parker::Parker;

#[derive(Clone, Debug)]
enum Call {
    Unpark,
    Wake,
    /// Left out while there is no permit: it would never return.
    Park,
    ParkTimeout(u64),
    ParkUntil(u64),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => Just(Call::Unpark),
        1 => Just(Call::Wake),
        2 => Just(Call::Park),
        2 => (0..3_u64).prop_map(Call::ParkTimeout),
        2 => (0..3_u64).prop_map(Call::ParkUntil),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// K1.
    #[test]
    fn a_permit_is_one_bit(calls in prop::collection::vec(call(), 1..60)) {
        let (parker, mut permit) = (Parker::new(), false);
        let waker = Waker::from(parker.unparker());
        for call in calls {
            match call {
                Call::Unpark => {
                    parker.unparker().unpark();
                    permit = true;
                }
                Call::Wake => {
                    waker.wake_by_ref();
                    permit = true;
                }
                Call::Park if permit => {
                    parker.park();
                    permit = false;
                }
                Call::Park => {}
                Call::ParkTimeout(micros) => {
                    prop_assert_eq!(parker.park_timeout(Duration::from_micros(micros)), std::mem::take(&mut permit));
                }
                Call::ParkUntil(micros) => {
                    let deadline = Instant::now() + Duration::from_micros(micros);
                    prop_assert_eq!(parker.park_until(deadline), std::mem::take(&mut permit));
                }
            }
        }
    }
}
