//! Tasks that spawn, yield, wake and join one another, and are woken from outside.

use super::{Census, Count, Signal, Watched, check, join_all, runtime, spawn};
use crate::{spawn as spawn_here, yield_now};
use shuttle::thread;
use std::sync::Arc;

/// Ten tasks in a ring on three workers hand on three permits. With each, a task yields, starts another one, hands the permit on and
/// joins what it started. Each ends after two permits; every count is exact.
#[test]
fn ring_of_ten() {
    const TASKS: usize = 10;
    check(|| {
        let (census, taken) = (Census::default(), Arc::new(Count::default()));
        runtime(3, Watched::No, |handle| {
            let signals = Signal::several(TASKS);
            let ring = |index: usize| {
                let (signals, census, taken) = (signals.clone(), census.clone(), taken.clone());
                async move {
                    for _ in 0..2 {
                        signals[index].take().await;
                        taken.one();
                        yield_now().await;
                        let child = spawn_here(census.count(async move {
                            yield_now().await;
                            index
                        }));
                        signals[(index + 1) % TASKS].give();
                        assert_eq!(child.await.unwrap(), index);
                    }
                    index
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(ring(index)))).collect();
            [0, 3, 6].into_iter().for_each(|index| signals[index].give());
            assert!(join_all(tasks).into_iter().eq(0..TASKS));
            assert_eq!(handle.shared.live_tasks(), 0);
        });
        assert_eq!(taken.get(), 2 * TASKS);
        census.check(3 * TASKS);
    });
}

/// Six tasks that wait for two threads outside, while the three workers park and are woken again: no permit is lost.
#[test]
fn wakes_from_outside() {
    const TASKS: usize = 6;
    check(|| {
        let (census, taken) = (Census::default(), Arc::new(Count::default()));
        runtime(3, Watched::No, |handle| {
            let signals = Signal::several(TASKS);
            let waits = |index: usize| {
                let (signals, taken) = (signals.clone(), taken.clone());
                async move {
                    for _ in 0..2 {
                        signals[index].take().await;
                        taken.one();
                    }
                }
            };
            let tasks: Vec<_> = (0..TASKS).map(|index| spawn(handle, census.count(waits(index)))).collect();
            let givers = [false, true].map(|backwards| {
                let signals = signals.clone();
                thread::spawn(move || match backwards {
                    true => signals.iter().rev().for_each(Signal::give),
                    false => signals.iter().for_each(Signal::give),
                })
            });
            join_all(tasks);
            givers.into_iter().for_each(|giver| giver.join().unwrap());
        });
        assert_eq!(taken.get(), 2 * TASKS);
        census.check(TASKS);
    });
}

/// One task from outside at a time, each spawned when the one before has ended: so every spawn meets workers that are on their way to
/// sleep, and the one that takes it is alone.
#[test]
fn one_after_the_other() {
    check(|| {
        let census = Census::default();
        runtime(3, Watched::No, |handle| {
            for round in 0..10 {
                let task = spawn(handle, census.count(async move { round }));
                assert_eq!(join_all([task]), [round]);
            }
        });
        census.check(10);
    });
}
