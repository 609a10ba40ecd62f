//! The cases, each written once for every [`Epoch`].

use std::hint::black_box;
use std::thread;

use super::Epoch;
use crate::child::Cases;

/// The cases of a collector.
pub fn cases<E: Epoch>(cases: &mut Cases) {
    cases.timed("pin_unpin", || (), pin_unpin::<E>);
    cases.timed("pin_defer", || (), pin_defer::<E>);
    cases.timed("pin_defer_two_threads", || (), pin_defer_two_threads::<E>);
}

/// An operation is a pin and its end.
fn pin_unpin<E: Epoch>((): &mut ()) -> usize {
    const TIMES: usize = 1_000_000;
    for _ in 0..TIMES {
        drop(black_box(E::pin()));
    }
    TIMES
}

const OBJECTS: usize = 500_000;

/// An operation allocates a word, pins, retires the word, and unpins; its share of the reclamation is in it.
fn pin_defer<E: Epoch>((): &mut ()) -> usize {
    for number in 0..OBJECTS {
        let garbage = Box::new(black_box(number));
        E::defer(&E::pin(), garbage);
    }
    OBJECTS
}

/// The same on two threads at once. The time is that of one operation of one thread.
fn pin_defer_two_threads<E: Epoch>((): &mut ()) -> usize {
    thread::scope(|scope| {
        scope.spawn(|| pin_defer::<E>(&mut ()));
        scope.spawn(|| pin_defer::<E>(&mut ()));
    });
    OBJECTS
}
