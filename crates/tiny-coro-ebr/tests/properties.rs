//! Any program of pins, retirements and departures: an object is destroyed once, and not while somebody is pinned who
//! was when it was retired (invariants E1 and E5).
#![cfg(not(tiny_coro_loom))]

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use proptest::prelude::*;
use tiny_coro_ebr::{Collector, Guard, Limits, LocalHandle};

#[derive(Clone, Copy, Debug)]
enum Step {
    Register(usize),
    Leave(usize),
    Pin(usize),
    Unpin(usize),
    Repin(usize),
    Retire(usize),
    Flush(usize),
}

const SEATS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let seat = 0..SEATS;
    prop_oneof![
        1 => seat.clone().prop_map(Step::Register),
        1 => seat.clone().prop_map(Step::Leave),
        4 => seat.clone().prop_map(Step::Pin),
        4 => seat.clone().prop_map(Step::Unpin),
        2 => seat.clone().prop_map(Step::Repin),
        4 => seat.clone().prop_map(Step::Retire),
        3 => seat.prop_map(Step::Flush),
    ]
}

/// One participant and its guards, each with the name under which it is pinned: `repin` of a sole guard is a new pin.
#[derive(Default)]
struct Seat {
    handle: Option<LocalHandle>,
    guards: Vec<(usize, Guard)>,
}

/// What each destructor checks.
#[derive(Default)]
struct World {
    pinned: HashSet<usize>,
    destroyed: HashSet<usize>,
}

fn run(steps: Vec<Step>) {
    let collector = Collector::with_limits(Limits::new().with_objects(4));
    let world = Rc::new(RefCell::new(World::default()));
    let mut seats: [Seat; SEATS] = Default::default();
    let (mut names, mut retired) = (0.., 0);
    for step in steps {
        match step {
            Step::Register(seat) => seats[seat].handle = Some(collector.register()),
            Step::Leave(seat) => seats[seat].handle = None,
            Step::Pin(seat) => {
                if let Some(handle) = &seats[seat].handle {
                    let guard = handle.pin();
                    let name = names.next().unwrap();
                    world.borrow_mut().pinned.insert(name);
                    seats[seat].guards.push((name, guard));
                }
            }
            Step::Unpin(seat) => {
                if let Some((name, guard)) = seats[seat].guards.pop() {
                    world.borrow_mut().pinned.remove(&name);
                    drop(guard);
                }
            }
            Step::Repin(seat) => {
                if let [(name, guard)] = &mut seats[seat].guards[..] {
                    world.borrow_mut().pinned.remove(name);
                    *name = names.next().unwrap();
                    guard.repin();
                    world.borrow_mut().pinned.insert(*name);
                }
            }
            Step::Retire(seat) => {
                if let Some((_, guard)) = seats[seat].guards.last() {
                    let (object, readers, world) = (retired, world.borrow().pinned.clone(), world.clone());
                    retired += 1;
                    let destroy = move || {
                        let mut world = world.borrow_mut();
                        assert!(world.destroyed.insert(object), "destroyed twice");
                        assert!(world.pinned.is_disjoint(&readers), "destroyed under a reader");
                    };
                    // SAFETY: it destroys nothing, and all participants are on this thread.
                    unsafe { guard.defer(destroy) };
                }
            }
            Step::Flush(seat) => {
                if let Some((_, guard)) = seats[seat].guards.last() {
                    guard.flush();
                }
            }
        }
    }
    for seat in &mut seats {
        for (name, guard) in seat.guards.drain(..) {
            world.borrow_mut().pinned.remove(&name);
            drop(guard);
        }
    }
    assert_eq!(collector.statistics().panics, 0);
    drop(seats);
    drop(collector);
    assert_eq!(world.borrow().destroyed.len(), retired);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn destroyed_once_and_never_under_a_reader(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}
