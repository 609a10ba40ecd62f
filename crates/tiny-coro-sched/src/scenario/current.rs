//! The current-thread runtime: threads that hand the one worker on.

use super::{Census, Signal, build, check};
use crate::current::Core;
use crate::handle::Handle;
use crate::{spawn as spawn_here, yield_now};
use shuttle::thread;
use std::sync::Arc;

/// Three threads in `block_on`, each of whose futures starts a task, waits for the thread before it and wakes the next: whoever has
/// the worker runs the tasks of all, and hands it on when its own future is done.
#[test]
fn three_threads_share_the_worker() {
    const THREADS: usize = 3;
    check(|| {
        let census = Census::default();
        let (shared, mut workers, _watch) = build(1, 1, None);
        let core = Arc::new(Core::new(workers.remove(0)));
        let turn = shared.reactor.try_lock();
        let signals = Signal::several(THREADS);
        signals[0].give();
        let calls = |index: usize| {
            let (census, signals) = (census.clone(), signals.clone());
            async move {
                let task = spawn_here(census.count({
                    let signals = signals.clone();
                    async move {
                        signals[index].take().await;
                        yield_now().await;
                        index
                    }
                }));
                yield_now().await;
                let answer = task.await.unwrap();
                signals[(index + 1) % THREADS].give();
                answer
            }
        };
        let threads: Vec<_> = (0..THREADS)
            .map(|index| {
                let (core, shared, future) = (core.clone(), shared.clone(), census.count(calls(index)));
                thread::spawn(move || {
                    let _entered = Handle { shared: shared.clone() }.enter();
                    assert_eq!(core.block_on(&shared, future), index);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        shared.begin_shutdown();
        drop(core.close().expect("the worker was lost"));
        assert!(shared.is_finished());
        assert_eq!(shared.live_tasks(), 0);
        drop(turn);
        census.check(2 * THREADS);
    });
}
