//! A worker in a long poll.

use super::{Census, Count, Watched, check, join_all, runtime, spawn};
use crate::{spawn as spawn_here, yield_now};
use shuttle::thread;
use std::sync::Arc;

/// A task that does not give way before what it has started is done: one in its worker's deque, and one in its LIFO slot, of which
/// nobody was told. The watch sees to it that the other worker takes both.
#[test]
fn long_poll_with_work_behind_it() {
    check(|| {
        let (census, done) = (Census::default(), Arc::new(Count::default()));
        runtime(2, Watched::Yes, |handle| {
            let long = {
                let (census, done) = (census.clone(), done.clone());
                async move {
                    for _ in 0..2 {
                        let done = done.clone();
                        let behind = census.count(async move {
                            yield_now().await;
                            done.one();
                        });
                        spawn_here(behind).detach();
                    }
                    while done.get() < 2 {
                        thread::yield_now();
                    }
                }
            };
            join_all([spawn(handle, census.count(long))]);
        });
        census.check(3);
    });
}

/// Three tasks from outside, each in a poll until all three have begun.
fn three_polls(watched: Watched) {
    check(move || {
        let (census, begun) = (Census::default(), Arc::new(Count::default()));
        runtime(3, watched, |handle| {
            let meet = || {
                let begun = begun.clone();
                async move {
                    begun.one();
                    while begun.get() < 3 {
                        thread::yield_now();
                    }
                }
            };
            join_all((0..3).map(|_| spawn(handle, census.count(meet()))).collect::<Vec<_>>());
        });
        census.check(3);
    });
}

/// Without a watch: each of them gets a worker of its own, also one that another worker has moved to its deque with its share.
#[test]
fn three_polls_meet() {
    three_polls(Watched::No);
}

/// Beyond the limit: one worker is awake, and the watch sees to the others.
#[test]
fn polls_meet_beyond_the_processors() {
    three_polls(Watched::Yes);
}

/// Two of three workers are in long polls that end only when tasks from outside have run: the third does all of it.
#[test]
fn long_polls_and_wakes_from_outside() {
    check(|| {
        let (census, done) = (Census::default(), Arc::new(Count::default()));
        runtime(3, Watched::Yes, |handle| {
            let long = || {
                let done = done.clone();
                async move {
                    while done.get() < 4 {
                        thread::yield_now();
                    }
                }
            };
            let short = || {
                let done = done.clone();
                async move {
                    yield_now().await;
                    done.one();
                }
            };
            let mut tasks: Vec<_> = (0..2).map(|_| spawn(handle, census.count(long()))).collect();
            tasks.extend((0..4).map(|_| spawn(handle, census.count(short()))));
            join_all(tasks);
        });
        census.check(6);
    });
}
