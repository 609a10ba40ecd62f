//! The cases, each written once for every [`Parker`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use super::Parker;
use crate::child::Cases;

/// The cases of a parker.
pub fn cases<P: Parker>(cases: &mut Cases) {
    cases.timed("round_trip", || (), round_trip::<P>);
    cases.timed("park_with_permit", Alone::<P>::new, park_with_permit);
    cases.timed("unpark_nobody_asleep", Alone::<P>::new, unpark_nobody_asleep);
}

/// An operation wakes another thread and sleeps until that thread wakes this one.
///
/// The system places the two threads, and a wake within a core costs another amount than one between two: the other
/// thread is started anew many times, so that the figure is that of the mix and not of one placement.
fn round_trip<P: Parker>((): &mut ()) -> usize {
    const PLACEMENTS: usize = 32;
    const TRIPS: usize = 1_000;
    (0..PLACEMENTS).for_each(|_| round_trips::<P>(TRIPS));
    PLACEMENTS * TRIPS
}

/// Round trips with one other thread.
fn round_trips<P: Parker>(trips: usize) {
    // Whether it is the other thread's turn. A park may end without an unpark, so both threads look.
    let away = AtomicBool::new(false);
    let here = P::new();
    let unparker = here.unparker();
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(|| {
            let there = P::new();
            sender.send(there.unparker()).expect("the other thread waits");
            for _ in 0..trips {
                while !away.load(Ordering::Acquire) {
                    there.park();
                }
                away.store(false, Ordering::Release);
                P::unpark(&unparker);
            }
        });
        let there = receiver.recv().expect("the other thread sends");
        for _ in 0..trips {
            away.store(true, Ordering::Release);
            P::unpark(&there);
            while away.load(Ordering::Acquire) {
                here.park();
            }
        }
    });
}

/// This thread and its own unparker.
struct Alone<P: Parker> {
    parker: P,
    unparker: P::Unparker,
}

impl<P: Parker> Alone<P> {
    fn new() -> Self {
        let parker = P::new();
        let unparker = parker.unparker();
        Alone { parker, unparker }
    }
}

const TIMES: usize = 1_000_000;

/// An operation is an unpark and a park that finds the permit.
fn park_with_permit<P: Parker>(alone: &mut Alone<P>) -> usize {
    for _ in 0..TIMES {
        P::unpark(&alone.unparker);
        alone.parker.park();
    }
    TIMES
}

/// An operation is an unpark of a thread that is awake. The permit is there already, except for the first.
fn unpark_nobody_asleep<P: Parker>(alone: &mut Alone<P>) -> usize {
    for _ in 0..TIMES {
        P::unpark(&alone.unparker);
    }
    alone.parker.park();
    TIMES
}
