//! The cases, each written once for every [`Deque`] and [`Injector`].
//!
//! Elements go in and out in bursts: a deque that never holds more than one element spends its time on the race for the
//! last one, which is not how a scheduler uses it. Rows with a thief have two threads; the system places them.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Deque, Element, Injector};
use crate::child::Cases;

/// Elements that go in before any comes out.
const BURST: usize = 256;

/// Bursts a run.
const BURSTS: usize = 1_000;

/// The cases of a deque.
pub fn deque_cases<D: Deque>(cases: &mut Cases) {
    cases.timed("push_pop_lifo", D::lifo, push_pop);
    cases.timed("push_pop_fifo", D::fifo, push_pop);
    cases.timed("push_steal", with_stealer::<D>, push_steal::<D>);
    cases.timed("owner_and_thief_lifo", D::lifo, owner_and_thief);
    cases.timed("owner_and_thief_fifo", D::fifo, owner_and_thief);
}

/// The cases of an injector.
pub fn injector_cases<I: Injector>(cases: &mut Cases) {
    cases.timed("injector_push_steal", I::new, injector_push_steal);
    cases.timed("injector_and_thief", I::new, injector_and_thief);
}

/// An operation is a push and the pop of the same element.
fn push_pop<D: Deque>(deque: &mut D) -> usize {
    for _ in 0..BURSTS {
        for element in 0..BURST {
            deque.push(black_box(element));
        }
        for _ in 0..BURST {
            black_box(deque.pop()).expect("as many as went in");
        }
    }
    BURSTS * BURST
}

fn with_stealer<D: Deque>() -> (D, D::Stealer) {
    let deque = D::fifo();
    let stealer = deque.stealer();
    (deque, stealer)
}

/// An operation is a push and the steal of the same element, on one thread: the cost without a race.
fn push_steal<D: Deque>((deque, stealer): &mut (D, D::Stealer)) -> usize {
    for _ in 0..BURSTS {
        for element in 0..BURST {
            deque.push(black_box(element));
        }
        for _ in 0..BURST {
            black_box(D::steal(stealer)).expect("as many as went in");
        }
    }
    BURSTS * BURST
}

/// The owner pushes two million elements in bursts and pops half of each at once, now and then all that is left; a
/// thief steals without rest. An operation is an element, whoever takes it out.
fn owner_and_thief<D: Deque>(deque: &mut D) -> usize {
    const ITEMS: usize = 1 << 21;
    const OWN_BURST: usize = 64;
    const BURSTS_UNTIL_EMPTY: usize = 16;
    let stealer = deque.stealer();
    let pop = || black_box(deque.pop()).is_some();
    let (popped, stolen) = beside_thief(
        move || D::steal(&stealer),
        || {
            let mut popped = 0;
            for burst in 0..ITEMS / OWN_BURST {
                (0..OWN_BURST).for_each(|element| deque.push(black_box(element)));
                popped += (0..OWN_BURST / 2).filter(|_| pop()).count();
                if burst % BURSTS_UNTIL_EMPTY == BURSTS_UNTIL_EMPTY - 1 {
                    popped += (0..).take_while(|_| pop()).count();
                }
            }
            popped
        },
    );
    assert_eq!(popped + stolen, ITEMS, "each element is taken once");
    ITEMS
}

/// An operation is a push and the steal of the same element, on one thread.
fn injector_push_steal<I: Injector>(injector: &mut I) -> usize {
    for _ in 0..BURSTS {
        for element in 0..BURST {
            injector.push(black_box(element));
        }
        for _ in 0..BURST {
            black_box(injector.steal()).expect("as many as went in");
        }
    }
    BURSTS * BURST
}

/// One thread pushes while another steals. An operation is an element.
fn injector_and_thief<I: Injector>(injector: &mut I) -> usize {
    const ITEMS: usize = 1 << 22;
    let injector = &*injector;
    let (left, stolen) = beside_thief(
        || injector.steal(),
        || {
            (0..ITEMS).for_each(|element| injector.push(black_box(element)));
            (0..).take_while(|_| black_box(injector.steal()).is_some()).count()
        },
    );
    assert!(left + stolen <= ITEMS, "each element is taken once");
    // The pusher may have given up at a lost race, and left some to us.
    let rest = (0..).take_while(|_| injector.steal().is_some()).count();
    assert_eq!(left + stolen + rest, ITEMS, "each element is taken once");
    ITEMS
}

/// Runs `work` here while another thread calls `steal` again and again; returns what `work` does, and how often the
/// thief was lucky. The thief stops when it finds nothing after `work` has ended.
///
/// Whatever the thief reads but the queue it has on its own stack or on the heap: this stack's cache lines are written to
/// all the time, by `work`.
fn beside_thief(steal: impl Fn() -> Option<Element> + Send, work: impl FnOnce() -> usize) -> (usize, usize) {
    let ended = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let seen_by_thief = Arc::clone(&ended);
        let thief = scope.spawn(move || {
            let ended = seen_by_thief;
            let mut stolen = 0;
            loop {
                if black_box(steal()).is_some() {
                    stolen += 1;
                } else if ended.load(Ordering::Acquire) {
                    return stolen;
                } else {
                    spin_loop();
                }
            }
        });
        let done = work();
        ended.store(true, Ordering::Release);
        (done, thief.join().expect("a thief does not panic"))
    })
}
