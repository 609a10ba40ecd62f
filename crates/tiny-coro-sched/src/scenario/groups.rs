//! Groups of tasks: join sets and scopes.

use super::{Census, Count, Signal, Watched, check, join_all, runtime, spawn};
use crate::task::{JoinSet, scope};
use crate::yield_now;
use std::sync::Arc;

/// Three tasks, each with a join set of three, of which one is aborted, and then with a scope of two. The set gives each result once,
/// and the scope ends after its tasks.
#[test]
fn sets_and_scopes() {
    const TASKS: usize = 3;
    check(|| {
        let (census, scoped) = (Census::default(), Arc::new(Count::default()));
        runtime(3, Watched::No, |handle| {
            let body = || {
                let (census, scoped) = (census.clone(), scoped.clone());
                async move {
                    let mut set = JoinSet::new();
                    let blocked = Arc::new(Signal::default());
                    for n in 0..2 {
                        set.spawn(census.count(async move {
                            yield_now().await;
                            n
                        }));
                    }
                    let third = set.spawn(census.count(async move {
                        blocked.take().await;
                        2
                    }));
                    let (mut sum, mut cancelled) = (0, 0);
                    third.abort();
                    while let Some(result) = set.join_next().await {
                        match result {
                            Ok(n) => sum += n + 10,
                            Err(error) => cancelled += usize::from(error.is_cancelled()),
                        }
                    }
                    assert_eq!((sum, cancelled), (21, 1));
                    let ended = Arc::new(Count::default());
                    scope(async |scope| {
                        for _ in 0..2 {
                            let (ended, scoped) = (ended.clone(), scoped.clone());
                            let child = scope.spawn(census.count(async move {
                                yield_now().await;
                                ended.one();
                                scoped.one();
                            }));
                            drop(child);
                        }
                    })
                    .await;
                    assert_eq!(ended.get(), 2, "the scope ended before its tasks");
                }
            };
            join_all((0..TASKS).map(|_| spawn(handle, census.count(body()))).collect::<Vec<_>>());
        });
        assert_eq!(scoped.get(), 2 * TASKS);
        census.check(6 * TASKS);
    });
}
