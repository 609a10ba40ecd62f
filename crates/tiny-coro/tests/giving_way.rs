#![cfg(not(tiny_coro_loom))]
//! What never waits gives way: every leaf future of the runtime counts, so that a task that loops over one does not starve its neighbours.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::rc::Rc;
use tiny_coro::runtime::Builder;
use tiny_coro::sync::{Mutex, channel, oneshot};
use tiny_coro::task::{self, JoinSet, LocalSet};
use tiny_coro::time::{Duration, Instant, sleep, sleep_until, timeout_at};

/// How many operations a task does in one poll.
const BUDGET: u32 = 128;

/// Lets `operation` be repeated beside another task of the same worker until that has been polled ten times, and returns how often it
/// was between two of these polls at most.
fn longest_run(operation: impl AsyncFn()) -> u32 {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (turns, stretch, longest) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0u32)), Rc::new(Cell::new(0)));
    let set = LocalSet::new();
    let (counting, measured, most) = (turns.clone(), stretch.clone(), longest.clone());
    let neighbour = set.spawn_local(async move {
        while counting.get() < 10 {
            counting.set(counting.get() + 1);
            most.set(most.get().max(measured.replace(0)));
            task::yield_now().await;
        }
    });
    // The repeating task is polled by the runtime, so that each of its polls has a budget; a set's are within one poll of the set.
    runtime.block_on(set.run_until(async {
        while turns.get() < 10 {
            operation().await;
            stretch.set(stretch.get() + 1);
            assert!(stretch.get() < 10 * BUDGET, "it does not give way");
        }
        neighbour.await.unwrap();
    }));
    longest.get()
}

/// Each operation that is always ready costs a unit; two in a row cost two.
#[test]
fn every_leaf_counts() {
    let (sender, receiver) = channel::unbounded();
    let send_and_receive = async || {
        sender.send(1).await.unwrap();
        assert_eq!(receiver.recv().await, Ok(1));
    };
    assert_eq!(longest_run(send_and_receive), BUDGET / 2);
    let mutex = Mutex::new(0);
    assert_eq!(longest_run(async || *mutex.lock().await += 1), BUDGET);
    let once = async || {
        let (sender, receiver) = oneshot::channel();
        sender.send(5).unwrap();
        assert_eq!(receiver.await, Ok(5));
    };
    assert_eq!(longest_run(once), BUDGET);
    assert_eq!(longest_run(async || sleep(Duration::ZERO).await), BUDGET);
    let long_ago = Instant::now();
    assert_eq!(longest_run(async || sleep_until(long_ago).await), BUDGET);
    assert_eq!(longest_run(async || task::coop::cooperative(ready(())).await), BUDGET);
}

/// Handles whose tasks have ended are always ready.
#[test]
fn joining_counts() {
    let other = Builder::new_current_thread().build().unwrap();
    let ended = |count: u32| {
        let tasks: Vec<_> = (0..count).map(|n| other.spawn(async move { n })).collect();
        other.block_on(async {
            while other.metrics().live_tasks > 0 {
                task::yield_now().await;
            }
        });
        tasks
    };
    let tasks = RefCell::new(ended(20 * BUDGET));
    let join = async || {
        let task = tasks.borrow_mut().pop().expect("there are enough for ten turns");
        task.await.unwrap();
    };
    assert_eq!(longest_run(join), BUDGET);
    let set = RefCell::new(JoinSet::new());
    other.block_on(async {
        (0..20 * BUDGET).for_each(|n| drop(set.borrow_mut().spawn(async move { n })));
        while other.metrics().live_tasks > 0 {
            task::yield_now().await;
        }
    });
    let join_next = async || {
        let mut taken = set.take();
        taken.join_next().await.expect("there are enough for ten turns").unwrap();
        set.replace(taken);
    };
    assert_eq!(longest_run(join_next), BUDGET);
}

/// A time-out is seen although what it limits never waits, and spends the whole budget in each poll.
#[test]
fn a_timeout_is_not_refused() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let busy = async {
        loop {
            sleep(Duration::ZERO).await;
        }
    };
    runtime.block_on(async {
        assert!(timeout_at(Instant::now(), busy).await.is_err());
        assert!(timeout_at(Instant::now(), pending::<()>()).await.is_err());
    });
}
