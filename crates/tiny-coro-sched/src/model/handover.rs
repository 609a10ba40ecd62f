//! Models of the hand-over (H1 to H3): a real worker, whose thread offers it in the midst of a poll, and real spare threads. The poll
//! is this thread's own code, between the worker's coming and going.

use super::worker::Machine;
use crate::context::{self, Installed};
use crate::shared::Shared;
use crate::worker::{self, block_in_place};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::future::{Future, pending, poll_fn};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

/// A future that calls `body` and is ready.
fn once(body: impl FnOnce() + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
    let mut body = Some(body);
    poll_fn(move |_| {
        body.take().into_iter().for_each(|body| body());
        Poll::Ready(())
    })
}

/// A runtime whose one worker is this thread's. Nobody waits in the poller: `body` runs while the model has the right to it.
fn in_a_poll(body: impl FnOnce(&Arc<Shared>)) {
    loom::stop_exploring();
    let mut machine = Machine::new(1);
    let shared = machine.shared.clone();
    let installed = context::install(machine.workers[0].take().expect("nobody has taken it"));
    let turn = shared.reactor.try_lock();
    loom::explore();
    let kept = worker::poll_with(installed.worker(), || body(&shared));
    assert_eq!(kept.is_none(), context::worker().is_null());
    end_of_poll(&shared, installed);
    drop(turn);
}

/// What follows a poll: a thread that still has its worker works on, which here is over at once, since `body` has ended the runtime.
fn end_of_poll(shared: &Arc<Shared>, installed: Installed) {
    assert!(shared.is_shutting_down());
    match installed.into_worker() {
        Some(worker) => drop(worker),
        None => shared.displaced.leave(),
    }
    assert!(context::worker().is_null(), "the thread has kept a worker");
    assert!(shared.spares.as_ref().is_none_or(|spares| spares.join(None)));
    assert!(shared.is_finished(), "the worker was lost");
}

/// H1: a thread that takes its worker back while a spare thread comes for it: one of them has it, and both do come to that.
#[test]
fn take_back_against_spare() {
    let outcomes = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let seen = outcomes.clone();
    loom::model(move || {
        in_a_poll(|shared| {
            block_in_place(|| ());
            outcomes[usize::from(context::worker().is_null())].fetch_add(1, Relaxed);
            shared.begin_shutdown();
        });
    });
    assert!(seen.iter().all(|outcome| outcome.load(Relaxed) > 0), "only one of the two ever has it");
}

/// H2: the end of the runtime while a task blocks in place, for a task that only the end of all workers cancels: it comes, whoever has
/// the worker.
#[test]
fn hand_over_against_shutdown() {
    loom::model(|| {
        in_a_poll(|shared| {
            let never = shared.spawn(pending::<()>(), Location::caller());
            let ending = thread::spawn({
                let shared = shared.clone();
                move || shared.begin_shutdown()
            });
            block_in_place(|| {
                ending.join().unwrap();
                assert!(shared.spares.as_ref().is_none_or(|spares| spares.join(None)));
                assert!(never.is_finished(), "the end does not come while this thread waits for it");
            });
        });
    });
}

/// H3: a task that goes on without its worker is on a thread outside: what it spawns goes through the injector, and wakes the worker
/// wherever that sleeps by now.
#[test]
fn task_goes_on_without_its_worker() {
    loom::model(|| {
        in_a_poll(|shared| {
            let gone = loom::sync::Arc::new(AtomicBool::new(false));
            let goes = gone.clone();
            loom::stop_exploring();
            // Polled on another thread: this one blocks until it was.
            shared.spawn(once(move || goes.store(true, Ordering::Relaxed)), Location::caller()).detach();
            block_in_place(|| {
                while !gone.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            });
            loom::explore();
            assert!(context::worker().is_null(), "a worker on two threads");
            let task = shared.spawn(once(|| ()), Location::caller());
            while !task.is_finished() {
                thread::yield_now();
            }
            loom::stop_exploring();
            shared.begin_shutdown();
            loom::explore();
        });
    });
}
