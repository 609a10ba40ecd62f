//! Aborts at any moment of a task's life.

use super::{Census, Count, Signal, Watched, check, runtime, spawn};
use crate::block_on::block_on;
use crate::task::AbortHandle;
use crate::{spawn as spawn_here, yield_now};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::sync::Arc;

/// Eight tasks yield, wait, start a task of their own and join it, while two threads outside and the tasks themselves abort any of them:
/// running, woken, waiting, joining or complete. Two more wait for what never comes until they are aborted. Each future is dropped once, and every join handle is answered with what happened.
#[test]
fn abort_storm() {
    const TASKS: usize = 8;
    check(|| {
        let (census, done) = (Census::default(), Arc::new(Count::default()));
        let children = Arc::new(Count::default());
        runtime(3, Watched::No, |handle| {
            let signals = Signal::several(TASKS);
            let body = |index: usize| {
                let (signals, census) = (signals.clone(), census.clone());
                let (done, children) = (done.clone(), children.clone());
                async move {
                    signals[index].take().await;
                    children.one();
                    let child = spawn_here(census.count(async {
                        yield_now().await;
                    }));
                    yield_now().await;
                    if index % 2 == 0 {
                        child.abort();
                    }
                    assert!(child.await.is_ok_and(|()| true) || index % 2 == 0, "nobody aborted the child");
                    done.one();
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(body(index)))).collect();
            let stuck: Vec<_> = (0..2)
                .map(|_| {
                    let never = Signal::default();
                    spawn(
                        handle,
                        census.count(async move {
                            yield_now().await;
                            never.take().await;
                        }),
                    )
                })
                .collect();
            let aborters = [0, 1].map(|_| {
                let victims: Vec<AbortHandle> = tasks.iter().map(|task| task.abort_handle()).collect();
                thread::spawn(move || {
                    for _ in 0..3 {
                        victims[thread_rng().gen_range(0..TASKS)].abort();
                    }
                })
            });
            signals.iter().for_each(Signal::give);
            for task in stuck {
                task.abort();
                assert!(block_on(task).is_err_and(|error| error.is_cancelled()), "nothing else could end it");
            }
            let results: Vec<_> = tasks.into_iter().map(block_on).collect();
            aborters.into_iter().for_each(|aborter| aborter.join().unwrap());
            let cancelled = results.iter().flat_map(|result| result.as_ref().err());
            assert!(cancelled.clone().all(|error| error.is_cancelled()));
            assert_eq!(cancelled.count() + done.get(), TASKS);
        });
        census.check(TASKS + 2 + children.get());
    });
}
