//! Harris's ordered set: a list whose nodes are marked by a tag on their own link before they are unlinked.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::thread;

use crate::names::{Atomic, Collector, Guard, Owned, Shared, unprotected};

/// On the link out of a node: the node is removed.
const REMOVED: usize = 1;

struct Node {
    key: usize,
    next: Atomic<Node>,
}

struct Set {
    head: Atomic<Node>,
}

/// Where a key is or would be: the link that leads there, and what that holds.
struct Place<'g> {
    link: &'g Atomic<Node>,
    current: Shared<'g, Node>,
    found: bool,
}

impl Set {
    const fn new() -> Self {
        Self { head: Atomic::null() }
    }

    /// Finds the place of `key`, and unlinks what is removed on the way there.
    fn find<'g>(&'g self, key: usize, guard: &'g Guard) -> Place<'g> {
        'again: loop {
            let mut link = &self.head;
            let mut current = link.load(Acquire, guard);
            loop {
                // SAFETY: loaded under the guard from a link; nodes are retired only once unlinked.
                let Some(node) = (unsafe { current.as_ref() }) else {
                    return Place { link, current, found: false };
                };
                let next = node.next.load(Acquire, guard);
                if next.tag() == REMOVED {
                    let next = next.with_tag(0);
                    if link.compare_exchange(current, next, AcqRel, Relaxed, guard).is_err() {
                        continue 'again;
                    }
                    // SAFETY: the exchange unlinked it, and its mark keeps it from being linked again: ours to retire.
                    unsafe { guard.defer_destroy(current) };
                    current = next;
                } else if node.key < key {
                    (link, current) = (&node.next, next);
                } else {
                    return Place { link, current, found: node.key == key };
                }
            }
        }
    }

    fn insert(&self, key: usize, guard: &Guard) -> bool {
        let mut node = Owned::new(Node { key, next: Atomic::null() });
        loop {
            let place = self.find(key, guard);
            if place.found {
                return false;
            }
            node.next.store(place.current, Relaxed);
            match place.link.compare_exchange(place.current, node, Release, Relaxed, guard) {
                Ok(_) => return true,
                Err(error) => node = error.new,
            }
        }
    }

    fn remove(&self, key: usize, guard: &Guard) -> bool {
        loop {
            let place = self.find(key, guard);
            if !place.found {
                return false;
            }
            // SAFETY: found, under the guard.
            let node = unsafe { place.current.deref() };
            if node.next.fetch_or(REMOVED, AcqRel, guard).tag() == REMOVED {
                continue;
            }
            let next = node.next.load(Acquire, guard).with_tag(0);
            match place.link.compare_exchange(place.current, next, AcqRel, Relaxed, guard) {
                // SAFETY: the exchange unlinked it, and its mark keeps it from being linked again: ours to retire.
                Ok(_) => unsafe { guard.defer_destroy(place.current) },
                // Somebody else does it on the way.
                Err(_) => drop(self.find(key, guard)),
            }
            return true;
        }
    }

    fn contains(&self, key: usize, guard: &Guard) -> bool {
        self.find(key, guard).found
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // SAFETY: whoever drops the set has it alone.
        let guard = unsafe { unprotected() };
        let mut next = self.head.load(Relaxed, guard);
        // SAFETY: as above; each node is taken once.
        while let Some(node) = unsafe { next.with_tag(0).try_into_owned() } {
            next = node.next.load(Relaxed, guard);
        }
    }
}

#[test]
fn a_set_of_keys() {
    let (set, handle) = (Set::new(), Collector::new().register());
    let guard = &handle.pin();
    assert!(set.insert(2, guard) && set.insert(1, guard) && set.insert(3, guard) && !set.insert(2, guard));
    assert!(set.remove(2, guard) && !set.remove(2, guard) && !set.contains(2, guard) && set.contains(3, guard));
}

#[test]
fn every_insertion_is_removed_once() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 5_000;
    const KEYS: usize = 16;
    let (set, collector) = (Set::new(), Collector::new());
    let counts = [const { AtomicUsize::new(0) }; KEYS];
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (set, collector, counts) = (&set, &collector, &counts);
            scope.spawn(move || {
                let (handle, mut random) = (collector.register(), thread as u64 + 1);
                for _ in 0..ROUNDS {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let (key, action) = ((random >> 33) as usize % KEYS, random >> 62);
                    let guard = &handle.pin();
                    if action < 2 {
                        counts[key].fetch_add(set.insert(key, guard).into(), Relaxed);
                    } else {
                        counts[key].fetch_sub(set.remove(key, guard).into(), Relaxed);
                    }
                }
            });
        }
    });
    let handle = collector.register();
    for (key, count) in counts.into_iter().enumerate() {
        assert_eq!(usize::from(set.contains(key, &handle.pin())), count.into_inner(), "{key}");
    }
}
