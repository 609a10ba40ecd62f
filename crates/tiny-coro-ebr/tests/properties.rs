//! Any program of pins, retirements and departures: an object is destroyed once, and not while somebody is pinned who
//! was when it was retired (invariants E1 and E5). Any program of tags: they are numbers, and the pointer stays.
#![cfg(not(tiny_coro_loom))]

use std::cell::RefCell;
use std::collections::HashSet;
use std::mem;
use std::rc::Rc;
use std::sync::atomic::Ordering::SeqCst;

use proptest::prelude::*;
use tiny_coro_ebr::native::{Collector, Guard, LocalHandle};
use tiny_coro_ebr::{Atomic, Limits, Shared};

#[derive(Clone, Copy, Debug)]
enum Step {
    Register(usize),
    Leave(usize),
    Pin(usize),
    Unpin(usize),
    Repin(usize),
    /// The first one is suspended while the second one flushes.
    Suspend(usize, usize),
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
        2 => (seat.clone(), seat.clone()).prop_map(|(own, other)| Step::Suspend(own, other)),
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
            Step::Suspend(own, other) if own != other => {
                let mut guards = mem::take(&mut seats[own].guards);
                let flush = || seats[other].guards.last().inspect(|(_, guard)| guard.flush());
                if let [(name, guard)] = &mut guards[..] {
                    world.borrow_mut().pinned.remove(name);
                    *name = names.next().unwrap();
                    guard.repin_after(flush);
                    world.borrow_mut().pinned.insert(*name);
                }
                seats[own].guards = guards;
            }
            Step::Suspend(..) => {}
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
                    unsafe { guard.defer_unchecked(destroy) };
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

/// What can be done to the tag of an [`Atomic`], with whatever number.
#[derive(Clone, Copy, Debug)]
enum Change {
    Store(usize),
    And(usize),
    Or(usize),
    Xor(usize),
    Update(usize),
    /// From the one, which it may have or not, to the other.
    Exchange(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let number = || prop_oneof![0..8_usize, any::<usize>()];
    prop_oneof![
        number().prop_map(Change::Store),
        number().prop_map(Change::And),
        number().prop_map(Change::Or),
        number().prop_map(Change::Xor),
        number().prop_map(Change::Update),
        (number(), number()).prop_map(|(from, to)| Change::Exchange(from, to)),
    ]
}

/// The tag is a number of as many bits as the alignment leaves, and the pointer never changes with it.
fn change_tags<T: Default>(changes: Vec<Change>) {
    let mask = align_of::<T>() - 1;
    let guard = &tiny_coro_ebr::pin();
    let atomic = Atomic::new(T::default());
    let pointer = atomic.load(SeqCst, guard);
    let mut tag = 0;
    for change in changes {
        let (found, new) = match change {
            Change::Store(new) => (atomic.swap(pointer.with_tag(new), SeqCst, guard), new),
            Change::And(bits) => (atomic.fetch_and(bits, SeqCst, guard), tag & bits),
            Change::Or(bits) => (atomic.fetch_or(bits, SeqCst, guard), tag | bits),
            Change::Xor(bits) => (atomic.fetch_xor(bits, SeqCst, guard), tag ^ bits),
            Change::Update(new) => {
                let update = |found: Shared<'_, T>| (found.tag() & 1 == 0).then(|| pointer.with_tag(new));
                match atomic.fetch_update(SeqCst, SeqCst, guard, update) {
                    Ok(found) => (found, new),
                    Err(found) => (found, tag),
                }
            }
            Change::Exchange(from, to) => {
                let from = pointer.with_tag(from);
                match atomic.compare_exchange(from, pointer.with_tag(to), SeqCst, SeqCst, guard) {
                    Ok(stored) => (from, stored.tag()),
                    Err(error) => (error.current, tag),
                }
            }
        };
        assert_eq!((found.tag(), found.as_raw()), (tag, pointer.as_raw()));
        tag = new & mask;
        assert_eq!(atomic.load(SeqCst, guard), pointer.with_tag(tag));
    }
    // SAFETY: nobody else has the object.
    drop(unsafe { atomic.into_owned() });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn destroyed_once_and_never_under_a_reader(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }

    #[test]
    fn tags_are_numbers_beside_the_pointer(changes in prop::collection::vec(change(), 1..60)) {
        change_tags::<u8>(changes.clone());
        change_tags::<u16>(changes.clone());
        change_tags::<u64>(changes.clone());
        change_tags::<tiny_coro_prim::CachePadded<u8>>(changes);
    }
}
