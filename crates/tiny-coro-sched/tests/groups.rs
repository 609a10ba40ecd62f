#![cfg(not(tiny_coro_loom))]
//! Tasks in groups: join sets and scopes; and what belongs to a task.

use std::cell::RefCell;
use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tiny_coro_sched::task::{self, JoinSet, LocalSet, coop};
use tiny_coro_sched::{Builder, Runtime, sleep, spawn, timeout, yield_now};

mod common;
use common::{runtime, watched};

fn runtimes() -> [Runtime; 2] {
    [runtime(2), Builder::new_current_thread().build().unwrap()]
}

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Every task of a set is joined once, in the order of their ends, with its id, output or error.
#[test]
fn a_join_set_joins_each_once() {
    watched(|| {
        for runtime in runtimes() {
            runtime.block_on(async {
                let mut set = JoinSet::new();
                assert!(set.join_next().await.is_none() && set.try_join_next().is_none());
                let others_joined = Arc::new(AtomicUsize::new(0));
                let seen = others_joined.clone();
                let slow = set.spawn(async move {
                    while seen.load(Ordering::SeqCst) < 4 {
                        yield_now().await;
                    }
                    1
                });
                let quick = set.spawn(async { 2 });
                let stuck = set.spawn(pending());
                set.spawn(async { panic!("in a set") });
                set.spawn_blocking(|| 3);
                assert_eq!(set.len(), 5);
                stuck.abort();
                let (mut outputs, mut cancelled, mut panicked) = (Vec::new(), 0, 0);
                while let Some(result) = set.join_next_with_id().await {
                    match result {
                        Ok((id, output)) => outputs.push((id, output)),
                        Err(error) if error.is_panic() => panicked += 1,
                        Err(error) => {
                            assert_eq!(error.id(), stuck.id());
                            cancelled += 1;
                        }
                    }
                    others_joined.fetch_add(1, Ordering::SeqCst);
                }
                assert_eq!((outputs.len(), cancelled, panicked), (3, 1, 1));
                assert_eq!(outputs.last(), Some(&(slow.id(), 1)));
                assert!(outputs.contains(&(quick.id(), 2)) && set.is_empty());
            });
        }
    });
}

/// Many tasks through one set, added while others are joined; vacant places are used again.
#[test]
fn a_join_set_under_load() {
    watched(|| {
        let runtime = runtime(4);
        let sum = runtime.block_on(async {
            let mut set: JoinSet<usize> = (0..100).map(|n| async move { n }).collect();
            let (mut next, mut sum) = (100, 0);
            while let Some(result) = set.join_next().await {
                sum += result.unwrap();
                if next < 20_000 {
                    let n = next;
                    next += 1;
                    set.spawn(async move {
                        if n % 3 == 0 {
                            yield_now().await;
                        }
                        n
                    });
                }
            }
            sum
        });
        assert_eq!(sum, (0..20_000).sum());
        assert_eq!(runtime.metrics().live_tasks, 0);
    });
}

/// Dropping a set aborts; `shutdown` waits for the futures' destructors; `detach_all` lets go; `join_all` hands a panic on.
#[test]
fn the_ends_of_a_join_set() {
    watched(|| {
        let runtime = runtime(2);
        let dropped = Arc::new(AtomicUsize::new(0));
        let stuck = |dropped: &Arc<AtomicUsize>| {
            let counted = Counted(dropped.clone());
            async move {
                let _counted = counted;
                pending::<()>().await;
            }
        };
        runtime.block_on(async {
            let mut set: JoinSet<()> = (0..10).map(|_| stuck(&dropped)).collect();
            set.shutdown().await;
            assert_eq!((dropped.load(Ordering::SeqCst), set.len()), (10, 0));

            drop((0..10).map(|_| stuck(&dropped)).collect::<JoinSet<_>>());
            while dropped.load(Ordering::SeqCst) < 20 {
                yield_now().await;
            }
            let (sender, receiver) = std::sync::mpsc::channel();
            let mut set = JoinSet::new();
            set.spawn(async move { sender.send(1).unwrap() });
            set.detach_all();
            assert!(set.join_next().await.is_none());
            set.spawn(async {});
            assert!(set.join_next().await.is_some());
            assert_eq!(task::block_in_place(|| receiver.recv().unwrap()), 1);
        });
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut set: JoinSet<()> = [stuck(&dropped)].into_iter().collect();
                set.spawn(async { panic!("one of all") });
                set.join_all().await
            })
        }));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"one of all"));
        let numbers: JoinSet<_> = {
            let _entered = runtime.enter();
            (0..3).map(|n| async move { n }).collect()
        };
        assert_eq!(runtime.block_on(numbers.join_all()).into_iter().sum::<i32>(), 3);
    });
}

/// When a scope has ended, so has every task in it, its future dropped; also tasks whose handle was dropped.
#[test]
fn a_scope_outlives_its_tasks() {
    watched(|| {
        for runtime in runtimes() {
            let dropped = Arc::new(AtomicUsize::new(0));
            let result = runtime.block_on(task::scope(async |scope| {
                for n in 0..50 {
                    let counted = Counted(dropped.clone());
                    drop(scope.spawn(async move {
                        let _counted = counted;
                        if n % 2 == 0 {
                            sleep(Duration::from_millis(2)).await;
                        }
                    }));
                }
                scope.spawn(async { 7 }).await.unwrap()
            }));
            assert_eq!((result, dropped.load(Ordering::SeqCst)), (7, 50));
        }
    });
}

/// A scope panics if one of its tasks did and nobody looked; if somebody did, that is that.
#[test]
fn a_scope_hands_panics_on() {
    watched(|| {
        let runtime = runtime(2);
        let seen = runtime.block_on(task::scope(async |scope| {
            scope.spawn(async { panic!("seen") }).await.map(|(): ()| ()).unwrap_err().is_panic()
        }));
        assert!(seen);
        let unseen = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(task::scope(async |scope| {
                scope.spawn(async { panic!("unseen") });
            }));
        }));
        let message = unseen.unwrap_err().downcast_ref::<String>().unwrap().clone();
        assert!(message.starts_with("1 tasks of a scope panicked"), "{message}");
    });
}

/// A panic in a destructor counts: of a task that completes, of one that is aborted, and once for one that panicked before.
#[test]
fn a_scope_hands_panics_of_destructors_on() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    fn completes() -> impl Future<Output = ()> + Send {
        let held = Panics;
        poll_fn(move |_| {
            let _held = &held;
            Poll::Ready(())
        })
    }
    watched(|| {
        let runtime = runtime(2);
        let seen = runtime.block_on(task::scope(async |scope| {
            let held = Panics;
            let aborted = scope.spawn(async move {
                let _held = &held;
                pending::<()>().await;
            });
            yield_now().await;
            aborted.abort();
            aborted.await.unwrap_err().is_panic() && scope.spawn(completes()).await.unwrap_err().is_panic()
        }));
        assert!(seen, "and counted as seen");
        let unseen = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(task::scope(async |scope| {
                let held = Panics;
                scope.spawn(poll_fn(move |_| -> Poll<()> {
                    let _held = &held;
                    panic!("and then in the destructor")
                }));
                scope.spawn(completes());
            }));
        }));
        let message = unseen.unwrap_err().downcast_ref::<String>().unwrap().clone();
        assert!(message.starts_with("2 tasks of a scope panicked"), "{message}");
    });
}

/// A scope that is dropped aborts what it has not waited for.
#[test]
fn a_dropped_scope_aborts() {
    watched(|| {
        let runtime = runtime(2);
        let dropped = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            let counted = Counted(dropped.clone());
            let scope = task::scope(async move |scope| {
                scope.spawn(async move {
                    let _counted = counted;
                    pending::<()>().await;
                });
            });
            assert!(timeout(Duration::from_millis(1), scope).await.is_err());
            while dropped.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
        });
    });
}

tiny_coro_sched::task_local! {
    static NUMBER: u32;
    static TEXT: String;
}

/// A task-local value goes with its future from thread to thread, nests, and is seen by the future's destructor.
#[test]
fn task_locals() {
    watched(|| {
        let runtime = runtime(4);
        runtime.block_on(async {
            assert!(NUMBER.try_get().is_err());
            let tasks: Vec<_> = (0..50)
                .map(|n| {
                    spawn(NUMBER.scope(n, async move {
                        for _ in 0..50 {
                            yield_now().await;
                            assert_eq!(NUMBER.get(), n);
                        }
                        TEXT.scope("inner".into(), async {
                            NUMBER.scope(1000, async { (NUMBER.get(), TEXT.get()) }).await
                        })
                        .await
                    }))
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), (1000, "inner".to_owned()));
            }
            struct SeesIt(Arc<AtomicUsize>);
            impl Drop for SeesIt {
                fn drop(&mut self) {
                    self.0.store(NUMBER.get() as usize, Ordering::SeqCst);
                }
            }
            let seen = Arc::new(AtomicUsize::new(0));
            let sees = SeesIt(seen.clone());
            drop(NUMBER.scope(9, async move {
                let _sees = sees;
                pending::<()>().await;
            }));
            assert_eq!(seen.load(Ordering::SeqCst), 9);
            assert_eq!(NUMBER.sync_scope(5, || NUMBER.with(|number| *number)), 5);
            // Dropped where the value is in use, a future has to do without.
            let dropped = Arc::new(AtomicUsize::new(0));
            let counted = Counted(dropped.clone());
            let mut unfinished = Box::pin(NUMBER.scope(9, async move {
                let _counted = counted;
                pending::<()>().await;
            }));
            assert!(timeout(Duration::ZERO, &mut unfinished).await.is_err());
            NUMBER.sync_scope(5, || NUMBER.with(|_| drop(unfinished)));
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
            let nested = || NUMBER.sync_scope(5, || NUMBER.with(|_| NUMBER.sync_scope(6, || ())));
            assert!(
                catch_unwind(nested).unwrap_err().downcast_ref::<String>().unwrap().contains("inside `LocalKey::with`")
            );
            assert!(NUMBER.try_with(|_| ()).is_err());
        });
    });
}

/// Futures that are not ours, always ready, give way through `cooperative` and `consume_budget`; `unconstrained` does not.
#[test]
fn foreign_futures_give_way() {
    watched(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let greedy = |kind: u32| async move {
                let turns = Rc::new(RefCell::new(0));
                let set = LocalSet::new();
                let counting = turns.clone();
                set.run_until(async move {
                    let other = task::spawn_local(async move {
                        loop {
                            *counting.borrow_mut() += 1;
                            yield_now().await;
                        }
                    });
                    let body = async {
                        for _ in 0..10_000 {
                            match kind {
                                0 => coop::consume_budget().await,
                                _ => coop::cooperative(ready(())).await,
                            }
                        }
                    };
                    spawn(async {}).await.unwrap(); // a fresh budget
                    if kind == 2 {
                        coop::unconstrained(body).await
                    } else {
                        body.await
                    }
                    other.abort();
                })
                .await;
                turns.take()
            };
            assert!(greedy(0).await >= 10_000 / 128);
            assert!(greedy(1).await >= 10_000 / 128);
            assert!(greedy(2).await <= 70, "nothing else ran but before the loop");
        });
    });
}

/// A task knows its id.
#[test]
fn a_task_knows_its_id() {
    watched(|| {
        let runtime = runtime(2);
        assert_eq!(task::try_id(), None);
        let task = runtime.spawn(async { (task::id(), spawn(async { task::id() }).await.unwrap(), task::id()) });
        let id = task.id();
        let (before, inner, after) = runtime.block_on(task).unwrap();
        assert_eq!((before, after), (id, id));
        assert_ne!(inner, id);
    });
}
