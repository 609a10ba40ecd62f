//! Readiness and waiters: an event against whoever waits, clears, or leaves.

use super::{Count, core};
use crate::readiness::{Direction, Ready};
use crate::registry::IoState;
use crate::wait::Wait;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tiny_coro_poller::Interest;

/// A source, and how often the operating system has had something for it.
struct Model {
    state: IoState,
    arrived: AtomicUsize,
}

impl Model {
    fn new() -> Arc<Self> {
        Arc::new(Self { state: IoState::new(0, Interest::BOTH), arrived: AtomicUsize::new(0) })
    }

    /// What the turning thread does for one event.
    fn event(&self, what: Ready) {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        self.publish(what);
    }

    fn publish(&self, what: Ready) {
        let mut woken = Vec::new();
        self.state.publish(what, &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    fn arrived(&self) -> usize {
        self.arrived.load(Ordering::Relaxed)
    }

    /// As `Source::poll_ready` does it.
    fn poll(&self, direction: Direction, waker: &Waker) -> Option<Ready> {
        self.state.readiness.get(direction).or_else(|| self.state.wait(direction, waker))
    }
}

fn poll(wait: &mut Wait<'_>, waker: &Waker) -> Poll<io::Result<Ready>> {
    Pin::new(wait).poll(&mut Context::from_waker(waker))
}

/// Runs `body` on another thread of the model.
fn beside(model: &Arc<Model>, body: impl FnOnce(&Model) + 'static) -> thread::JoinHandle<()> {
    let model = model.clone();
    thread::spawn(move || body(&model))
}

/// R1, R3: the waiter sees the event, or is woken and sees it then.
#[test]
fn wait_or_see() {
    core(|| {
        let model = Model::new();
        let turning = beside(&model, |model| model.event(Ready::READABLE));
        let (count, waker) = Count::new();
        let ready = model.poll(Direction::Read, &waker);
        if ready.is_some() {
            assert_eq!(model.arrived(), 1, "readiness before the data");
        }
        turning.join().unwrap();
        if ready.is_none() {
            assert_eq!(count.get(), 1, "neither seen nor woken");
            assert!(model.poll(Direction::Read, &waker).is_some());
        }
    });
}

/// R1: what an event published is seen through the other direction's clearing, which comes in between.
#[test]
fn clearing_passes_on_what_was_published() {
    core(|| {
        let model = Model::new();
        let turning = beside(&model, |model| model.event(Ready::READABLE | Ready::WRITABLE));
        let clearing = beside(&model, |model| {
            if let Some(ready) = model.state.readiness.get(Direction::Read) {
                model.state.readiness.clear(Direction::Read, ready);
            }
        });
        if model.state.readiness.get(Direction::Write).is_some() {
            assert_eq!(model.arrived(), 1, "readiness before the data");
        }
        turning.join().unwrap();
        clearing.join().unwrap();
    });
}

/// R2: a reader that drained the source and clears the readiness does not hide an event that came after its read.
#[test]
fn clear_against_event() {
    core(|| {
        let model = Model::new();
        model.event(Ready::READABLE);
        let turning = beside(&model, |model| model.event(Ready::READABLE));
        let ready = model.state.readiness.get(Direction::Read).expect("the first event");
        let seen = model.arrived();
        model.state.readiness.clear(Direction::Read, ready);
        turning.join().unwrap();
        if seen < 2 {
            assert!(model.state.readiness.get(Direction::Read).is_some(), "the second event is hidden");
        }
    });
}

/// R2: the two directions share the word and do not clear each other.
#[test]
fn directions_are_apart() {
    core(|| {
        let model = Model::new();
        model.event(Ready::READABLE | Ready::WRITABLE);
        let clear = |model: &Model, direction| {
            if let Some(ready) = model.state.readiness.get(direction) {
                model.state.readiness.clear(direction, ready);
            }
        };
        let other = beside(&model, move |model| clear(model, Direction::Write));
        clear(&model, Direction::Read);
        assert!(model.state.readiness.get(Direction::Read).is_none());
        other.join().unwrap();
        assert!(model.state.readiness.get(Direction::Write).is_none());
    });
}

/// R3: of two tasks that poll one after the other, the later one is woken.
#[test]
fn waiter_replaced() {
    core(|| {
        let model = Model::new();
        let [(_, first), (count, second)] = [Count::new(), Count::new()];
        assert!(model.poll(Direction::Read, &first).is_none());
        let turning = beside(&model, |model| model.event(Ready::READABLE));
        let ready = model.poll(Direction::Read, &second);
        turning.join().unwrap();
        assert!(ready.is_some() || count.get() == 1, "the later waiter waits for ever");
    });
}

/// R3: a future that another task goes on with wakes that one.
#[test]
fn moved_future_wakes_its_new_task() {
    core(|| {
        let model = Model::new();
        let [(_, first), (count, second)] = [Count::new(), Count::new()];
        let mut wait = Wait::new(&model.state, Interest::READABLE);
        assert!(poll(&mut wait, &first).is_pending());
        let turning = beside(&model, |model| model.event(Ready::READABLE));
        let seen = poll(&mut wait, &second).is_ready();
        turning.join().unwrap();
        assert!(seen || count.get() == 1, "the future waits for ever");
    });
}

/// R2, R3: of two that read one event's data, the one that comes too late finds nothing, and waits for the next event.
#[test]
fn late_reader_waits_again() {
    core(|| {
        let model = Model::new();
        let (count, waker) = Count::new();
        let mut wait = Wait::new(&model.state, Interest::READABLE);
        assert!(poll(&mut wait, &waker).is_pending());
        model.event(Ready::READABLE);
        let other = beside(&model, |model| {
            if let Some(ready) = model.state.readiness.get(Direction::Read) {
                model.state.readiness.refute(Direction::Read, ready);
            }
        });
        let turning = beside(&model, |model| model.event(Ready::READABLE));
        let before = count.get();
        let seen = poll(&mut wait, &waker).is_ready();
        other.join().unwrap();
        turning.join().unwrap();
        assert!(seen || count.get() > before || poll(&mut wait, &waker).is_ready(), "waits beside an event");
    });
}

/// R3: all who wait are woken by one event: two futures in two threads, and a task that polls.
#[test]
fn every_waiter_is_woken() {
    core(|| {
        let model = Model::new();
        let [(polled, polling), (first, first_waker)] = [Count::new(), Count::new()];
        assert!(model.poll(Direction::Write, &polling).is_none());
        let other = beside(&model, |model| {
            let (second, waker) = Count::new();
            let mut wait = Wait::new(&model.state, Interest::WRITABLE);
            if poll(&mut wait, &waker).is_pending() {
                while second.get() == 0 {
                    thread::yield_now();
                }
                assert!(poll(&mut wait, &waker).is_ready(), "woken for nothing");
            }
        });
        let turning = beside(&model, |model| model.event(Ready::WRITABLE));
        let mut wait = Wait::new(&model.state, Interest::WRITABLE);
        let seen = poll(&mut wait, &first_waker).is_ready();
        turning.join().unwrap();
        other.join().unwrap();
        assert!(seen || first.get() == 1, "a future waits for ever");
        assert_eq!(polled.get(), 1, "the polling task waits for ever");
    });
}

/// R3: a future that is dropped while the event comes takes nothing from the one that waits beside it, and leaves no waker.
#[test]
fn leaving_waiter_takes_nothing() {
    core(|| {
        let model = Model::new();
        let [(left, leaving), (stayed, staying)] = [Count::new(), Count::new()];
        let mut waits = [Interest::READABLE, Interest::BOTH].map(|interest| Wait::new(&model.state, interest));
        assert!(poll(&mut waits[0], &leaving).is_pending());
        assert!(poll(&mut waits[1], &staying).is_pending());
        let turning = beside(&model, |model| model.event(Ready::READABLE));
        let [leaves, mut stays] = waits;
        drop(leaves);
        turning.join().unwrap();
        assert_eq!(stayed.get(), 1);
        assert!(poll(&mut stays, &staying).is_ready());
        drop((stays, leaving));
        assert!(left.get() <= 1);
        assert_eq!(std::sync::Arc::strong_count(&left), 1, "a waker stayed behind");
    });
}

/// R3: a source that leaves tells who waits in either direction, whether they come before, while or after.
#[test]
fn deregistration_reaches_every_waiter() {
    core(|| {
        let model = Model::new();
        let [(writes, writer), (reads, reader)] = [Count::new(), Count::new()];
        assert!(model.poll(Direction::Write, &writer).is_none());
        let closing = beside(&model, |model| model.publish(Ready::GONE));
        let mut wait = Wait::new(&model.state, Interest::READABLE);
        let seen = poll(&mut wait, &reader);
        closing.join().unwrap();
        assert_eq!(writes.get(), 1, "the writer waits for ever");
        match seen {
            Poll::Ready(result) => assert!(result.is_err()),
            Poll::Pending => {
                assert_eq!(reads.get(), 1, "the reader waits for ever");
                assert!(matches!(poll(&mut wait, &reader), Poll::Ready(Err(_))));
            }
        }
    });
}
