//! Loom models of the wait protocol (R1 to R3), which is not visible from outside.
//!
//! `RUSTFLAGS="--cfg tiny_coro_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --profile loom -p tiny-coro-reactor --lib`

use crate::readiness::{Direction, READABLE};
use crate::registry::IoState;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::sync::atomic::{AtomicUsize as Counter, Ordering::SeqCst};
use std::task::{Wake, Waker};

#[derive(Default)]
struct Count(Counter);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// What the turning thread does for one event; `arrived` stands for the data that the operating system has.
fn event(state: &IoState, arrived: &AtomicUsize) {
    arrived.fetch_add(1, Ordering::Relaxed);
    state.readiness.set(READABLE);
    if let Some(waker) = state.reader.take() {
        waker.wake();
    }
}

/// R1, R3: the waiter sees the event, or is woken and sees it then.
#[test]
fn wait_or_see() {
    loom::model(|| {
        let state = Arc::new(IoState::new());
        let arrived = Arc::new(AtomicUsize::new(0));
        let turning = thread::spawn({
            let (state, arrived) = (state.clone(), arrived.clone());
            move || event(&state, &arrived)
        });
        let count = std::sync::Arc::new(Count::default());
        let mut ready = state.readiness.get(Direction::Read);
        if ready.is_none() {
            state.reader.register(&Waker::from(count.clone()));
            ready = state.readiness.get(Direction::Read);
        }
        if ready.is_some() {
            assert_eq!(arrived.load(Ordering::Relaxed), 1, "readiness before the data");
        }
        turning.join().unwrap();
        if ready.is_none() {
            assert_eq!(count.0.load(SeqCst), 1, "neither seen nor woken");
            assert!(state.readiness.get(Direction::Read).is_some());
        }
    });
}

/// R2: a reader that drained the source and clears the readiness does not hide an event that came after its read.
#[test]
fn clear_against_event() {
    loom::model(|| {
        let state = Arc::new(IoState::new());
        let arrived = Arc::new(AtomicUsize::new(0));
        event(&state, &arrived);
        let turning = thread::spawn({
            let (state, arrived) = (state.clone(), arrived.clone());
            move || event(&state, &arrived)
        });
        let ready = state.readiness.get(Direction::Read).expect("the first event");
        let seen = arrived.load(Ordering::Relaxed);
        state.readiness.clear(Direction::Read, ready);
        turning.join().unwrap();
        if seen < 2 {
            assert!(state.readiness.get(Direction::Read).is_some(), "the second event is hidden");
        }
    });
}

/// R2: the two directions share the word and do not clear each other.
#[test]
fn directions_are_apart() {
    loom::model(|| {
        let state = Arc::new(IoState::new());
        state.readiness.set(READABLE | crate::readiness::WRITABLE);
        let clear = |state: &IoState, direction| {
            if let Some(ready) = state.readiness.get(direction) {
                state.readiness.clear(direction, ready);
            }
        };
        let other = thread::spawn({
            let state = state.clone();
            move || clear(&state, Direction::Write)
        });
        clear(&state, Direction::Read);
        assert!(state.readiness.get(Direction::Read).is_none());
        other.join().unwrap();
        assert!(state.readiness.get(Direction::Write).is_none());
    });
}

/// R3: of two waiters that follow each other, the later one is woken.
#[test]
fn waiter_replaced() {
    loom::model(|| {
        let state = Arc::new(IoState::new());
        let arrived = Arc::new(AtomicUsize::new(0));
        let counts = [(); 2].map(|()| std::sync::Arc::new(Count::default()));
        state.reader.register(&Waker::from(counts[0].clone()));
        let turning = thread::spawn({
            let (state, arrived) = (state.clone(), arrived.clone());
            move || event(&state, &arrived)
        });
        state.reader.register(&Waker::from(counts[1].clone()));
        let ready = state.readiness.get(Direction::Read);
        turning.join().unwrap();
        assert!(ready.is_some() || counts[1].0.load(SeqCst) == 1, "the later waiter waits for ever");
    });
}
