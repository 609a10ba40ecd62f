//! Hours of a server's timers in a minute, against a `BTreeMap`: `cargo test --release --test soak -- --ignored`.

#![cfg(not(tiny_coro_loom))]

mod backend;
mod model;

use std::env;

use backend::{Backend, Heap, Queue, Wheel};
use model::Model;
use tiny_coro_timer::Key;

/// Timers at a time.
const MOST: usize = 20_000;
const SECOND: u64 = 1_000_000_000;

/// Marsaglia's xorshift: 64 bits of state, never 0.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

struct Soak<B: Backend> {
    timers: B::Queue<usize>,
    model: Model,
    /// By the timer's number: the key that it has, or had.
    keys: Vec<Key>,
    /// Numbers that no timer has.
    free: Vec<usize>,
    random: Random,
    now: u64,
    fired: u64,
}

impl<B: Backend> Soak<B> {
    /// Time-outs, sleeps, ticks that many share, far ones, and some that are over before they begin.
    fn deadline(&mut self) -> u64 {
        let (now, random) = (self.now, &mut self.random);
        match random.below(16) {
            0..8 => now + 30 * SECOND + random.below(SECOND),
            8..11 => now + random.below(50_000_000),
            11..13 => now.next_multiple_of(SECOND / 10) + random.below(3) * SECOND / 10,
            13 => now.saturating_add(random.next() >> random.below(64)),
            14 => now.saturating_sub(random.below(1000)),
            _ => u64::MAX - random.below(2),
        }
    }

    fn insert(&mut self) {
        let Some(number) = self.free.pop() else { return };
        let deadline = self.deadline();
        self.keys[number] = self.timers.insert(deadline, number);
        self.model.insert(number, deadline);
    }

    fn expire(&mut self, now: u64) {
        let (model, free) = (&mut self.model, &mut self.free);
        let count = self.timers.expire(now, |number| {
            assert_eq!(model.pop_expired(now), Some(number));
            free.push(number);
        });
        assert_eq!(model.pop_expired(now), None);
        self.fired += count as u64;
    }

    /// One operation, and whether it did what the model does. A key may be stale.
    fn step(&mut self) {
        let number = self.random.below(MOST as u64) as usize;
        let key = self.keys[number];
        self.now += self.random.below(2_000);
        match self.random.below(64) {
            0..26 => self.insert(),
            26..48 => {
                assert_eq!(
                    self.timers.cancel(key),
                    self.model.cancel(number).inspect(|number| self.free.push(*number))
                );
            }
            48..56 => {
                let deadline = self.deadline();
                assert_eq!(self.timers.reset(key, deadline), self.model.reset(number, deadline));
            }
            56..58 => {
                let deadline = self.model.deadline(number);
                assert_eq!(
                    (self.timers.deadline(key), self.timers.get(key).copied()),
                    (deadline, deadline.map(|_| number))
                );
                assert_eq!(self.timers.get_mut(key).is_some(), deadline.is_some());
            }
            58..60 => {
                let number = self.timers.pop_expired(self.now);
                assert_eq!(number, self.model.pop_expired(self.now));
                self.free.extend(number);
                self.fired += u64::from(number.is_some());
            }
            60 => self.expire(self.now / 2),
            _ => self.expire(self.now),
        }
        assert_eq!((self.timers.next_deadline(), self.timers.len()), (self.model.next_deadline(), self.model.len()));
    }

    /// Now and then: a burst before the horizon, a queue that is cleared, a night without events.
    fn event(&mut self) {
        match self.random.below(8) {
            0 => {
                self.timers.clear();
                assert!(self.timers.is_empty());
                while let Some(number) = self.model.pop_expired(u64::MAX) {
                    self.free.push(number);
                }
            }
            1 => self.now += self.random.below(3_600 * SECOND),
            _ => (0..self.random.below(500)).for_each(|_| self.insert()),
        }
    }
}

fn soak<B: Backend>() {
    let operations = env::var("TINY_CORO_SOAK_ITEMS").map_or(100_000_000, |items| items.parse().unwrap());
    let mut timers = B::Queue::with_capacity(MOST);
    // Every number has a key from the beginning on, though a stale one.
    let keys = (0..MOST).map(|number| timers.insert(0, number)).collect();
    timers.clear();
    let mut model = Model::default();
    (0..MOST).for_each(|number| model.insert(number, 0));
    while model.pop_expired(0).is_some() {}
    let random = Random(0x9E37_79B9_7F4A_7C15);
    let mut soak = Soak::<B> { timers, model, keys, free: (0..MOST).collect(), random, now: 0, fired: 0 };
    for operation in 0..operations {
        soak.step();
        if operation % 50_000 == 0 {
            soak.event();
        }
    }
    let fired = soak.fired;
    soak.expire(u64::MAX);
    assert!(soak.timers.is_empty() && soak.free.len() == MOST);
    println!("{operations} operations, {fired} timers fired");
}

#[test]
#[ignore = "soak: a minute of operations against an oracle"]
fn a_heap_agrees_with_a_map() {
    soak::<Heap>();
}

#[test]
#[ignore = "soak: a minute of operations against an oracle"]
fn a_wheel_agrees_with_a_map() {
    soak::<Wheel>();
}
