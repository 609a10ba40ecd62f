//! Tasks that block: in place, which takes their worker to another thread, and on the pool's threads.

use super::{Census, Count, Signal, Watched, check, join_all, runtime, spawn};
use crate::block_on::block_on;
use crate::{block_in_place, spawn_blocking, yield_now};
use shuttle::thread;
use std::sync::Arc;

/// Six tasks on two workers, each of which blocks in place for the one before it: the workers move on to other threads, or none would
/// get to the first. Then each runs a closure on the pool. A task goes on with its worker or without it.
#[test]
fn blocking_in_place() {
    const TASKS: usize = 6;
    check(|| {
        let (census, ran) = (Census::default(), Arc::new(Count::default()));
        runtime(2, Watched::No, |handle| {
            let signals = Signal::several(TASKS);
            let body = |index: usize| {
                let (signals, ran) = (signals.clone(), ran.clone());
                async move {
                    block_in_place(|| block_on(signals[index].take()));
                    yield_now().await;
                    signals[(index + 1) % TASKS].give();
                    spawn_blocking(move || ran.one()).await.unwrap();
                    index
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(body(index)))).collect();
            signals[0].give();
            assert!(join_all(tasks).into_iter().eq(0..TASKS));
        });
        assert_eq!(ran.get(), TASKS);
        census.check(TASKS);
    });
}

/// The runtime ends while tasks block in place: what they do afterwards, perhaps without a worker and after all others have gone, is one
/// more yield and a wait, and neither loses the task.
#[test]
fn shutdown_while_blocking() {
    const TASKS: usize = 5;
    check(|| {
        let census = Census::default();
        runtime(2, Watched::No, |handle| {
            let signals = Signal::several(TASKS);
            let body = |index: usize| {
                let signals = signals.clone();
                async move {
                    block_in_place(|| block_on(signals[index].take()));
                    yield_now().await;
                    signals[index].take().await;
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(body(index)))).collect();
            let outside = thread::spawn({
                let signals = signals.clone();
                move || signals.iter().for_each(Signal::give)
            });
            handle.shared.begin_shutdown();
            outside.join().unwrap();
            assert!(tasks.into_iter().map(block_on).all(|result| result.is_err_and(|error| error.is_cancelled())));
        });
        census.check(TASKS);
    });
}
