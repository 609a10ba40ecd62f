//! The end of a runtime at a random moment.

use super::{Census, Count, Signal, Watched, check, runtime, spawn};
use crate::block_on::block_on;
use crate::{spawn as spawn_here, yield_now};
use shuttle::thread;
use std::sync::Arc;

/// The runtime ends while tasks run, are queued, wait and join one another, and a thread outside spawns and wakes. Every future is
/// dropped once, whoever has it by then, and every join handle is answered, those of spawns that come too late as well.
#[test]
fn shutdown_at_any_moment() {
    const TASKS: usize = 8;
    check(|| {
        let (census, children) = (Census::default(), Arc::new(Count::default()));
        runtime(3, Watched::Yes, |handle| {
            let signals = Signal::several(TASKS);
            let body = |index: usize| {
                let (signals, census, children) = (signals.clone(), census.clone(), children.clone());
                async move {
                    for _ in 0..index % 3 {
                        yield_now().await;
                    }
                    signals[index].take().await;
                    children.one();
                    let child = spawn_here(census.count(async { yield_now().await }));
                    // Never given: it joins the end, unless that has come before.
                    signals[(index + 1) % TASKS].give();
                    signals[index].take().await;
                    signals[index].take().await;
                    child.await.is_ok()
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(body(index)))).collect();
            let outside = thread::spawn({
                let (handle, signals, census) = (handle.clone(), signals.clone(), census.clone());
                move || {
                    let late = |index: usize| {
                        signals[index].give();
                        spawn(&handle, census.count(async { yield_now().await }))
                    };
                    let late: Vec<_> = (0..TASKS).map(late).collect();
                    // Some have run, the others are cancelled: the answer comes in any case.
                    late.into_iter().for_each(|task| drop(block_on(task)));
                }
            });
            let waiting = thread::spawn(move || tasks.into_iter().filter(|_| true).map(block_on).collect::<Vec<_>>());
            handle.shared.begin_shutdown();
            outside.join().unwrap();
            let results = waiting.join().unwrap();
            assert!(results.into_iter().all(|result| result.is_err_and(|error| error.is_cancelled())));
        });
        census.check(2 * TASKS + children.get());
    });
}

/// A runtime ended from inside, by one of its own tasks, while the others wait for each other: as a panic policy does it.
#[test]
fn shutdown_from_inside() {
    const TASKS: usize = 6;
    check(|| {
        let census = Census::default();
        runtime(2, Watched::No, |handle| {
            let signals = Signal::several(TASKS);
            let body = |index: usize| {
                let (signals, shared) = (signals.clone(), handle.shared.clone());
                async move {
                    signals[(index + 1) % TASKS].give();
                    signals[index].take().await;
                    yield_now().await;
                    if index == 0 {
                        shared.begin_shutdown();
                    }
                    signals[index].take().await;
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(body(index)))).collect();
            while !handle.shared.is_finished() {
                thread::yield_now();
            }
            // Finished is when everything is dropped, by whichever worker.
            census.check(TASKS);
            assert!(tasks.into_iter().map(block_on).all(|result| result.is_err_and(|error| error.is_cancelled())));
        });
    });
}
