//! The cases, each written once for every [`Runtime`].

use std::array;
use std::sync::mpsc::{self, SyncSender};

use crate::child::Cases;
use crate::runtime::{Countdown, Runtime, run};

/// The cases of a runtime.
pub fn cases<R: Runtime>(cases: &mut Cases) {
    cases.timed("spawn_join", R::new, spawn_join);
    cases.timed("spawn_local_many", R::new, spawn_local_many::<R, MANY>);
    cases.timed("spawn_remote", R::new, spawn_remote);
    cases.timed("yield_many", R::new, yield_many);
    cases.timed("chained_spawn", R::new, chained_spawn);
    cases.timed("skynet", R::new, skynet);
    cases.timed("tasks_1e3", R::new, spawn_local_many::<R, 1_000>);
    cases.timed("tasks_1e4", R::new, spawn_local_many::<R, 10_000>);
    cases.timed("tasks_1e5", R::new, spawn_local_many::<R, 100_000>);
    cases.timed("tasks_1e6", R::new, spawn_local_many::<R, 1_000_000>);
    cases.timed("tasks_1e7", R::new, spawn_local_many::<R, 10_000_000>);
}

/// From inside a task: spawn 10,000 empty tasks, then await all handles; ten times.
fn spawn_join<R: Runtime>(runtime: &mut R) -> usize {
    const TASKS: usize = 10_000;
    const TIMES: usize = 10;
    run(runtime, async {
        for _ in 0..TIMES {
            let handles: Vec<_> = (0..TASKS).map(|_| R::spawn(async {})).collect();
            for handle in handles {
                R::join(handle).await;
            }
        }
    });
    TASKS * TIMES
}

const MANY: usize = 100_000;

/// One task spawns `COUNT` detached tasks that count down.
fn spawn_local_many<R: Runtime, const COUNT: usize>(runtime: &mut R) -> usize {
    let (countdown, done) = Countdown::new(COUNT);
    runtime.detach_remote(async move {
        for _ in 0..COUNT {
            let countdown = countdown.clone();
            R::detach(async move { countdown.step() });
        }
    });
    wait(&done);
    COUNT
}

/// A thread outside of the runtime spawns 100,000 detached tasks that count down.
fn spawn_remote<R: Runtime>(runtime: &mut R) -> usize {
    let (countdown, done) = Countdown::new(MANY);
    for _ in 0..MANY {
        let countdown = countdown.clone();
        runtime.detach_remote(async move { countdown.step() });
    }
    wait(&done);
    MANY
}

/// 200 tasks yield 1,000 times each.
fn yield_many<R: Runtime>(runtime: &mut R) -> usize {
    const TASKS: usize = 200;
    const YIELDS: usize = 1_000;
    run(runtime, async {
        let yielding = || async {
            for _ in 0..YIELDS {
                R::yield_now().await;
            }
        };
        let handles: Vec<_> = (0..TASKS).map(|_| R::spawn(yielding())).collect();
        for handle in handles {
            R::join(handle).await;
        }
    });
    TASKS * YIELDS
}

/// Task n spawns task n − 1, 10,000 deep; ten times.
fn chained_spawn<R: Runtime>(runtime: &mut R) -> usize {
    const DEPTH: usize = 10_000;
    const TIMES: usize = 10;
    for _ in 0..TIMES {
        let (sender, done) = mpsc::sync_channel(1);
        runtime.detach_remote(async move { link::<R>(DEPTH, sender) });
        wait(&done);
    }
    DEPTH * TIMES
}

fn link<R: Runtime>(left: usize, done: SyncSender<()>) {
    if left == 0 {
        assert!(done.try_send(()).is_ok(), "the thread that waits is gone");
    } else {
        R::detach(async move { link::<R>(left - 1, done) });
    }
}

/// 111,111 tasks in a tree of fan-out 10; the sums of the leaves are joined upward.
fn skynet<R: Runtime>(runtime: &mut R) -> usize {
    const LEAVES: u64 = 100_000;
    const TASKS: usize = 111_111;
    let sum = run(runtime, async { R::join(branch::<R>(0, LEAVES)).await });
    assert_eq!(sum, LEAVES * (LEAVES - 1) / 2);
    TASKS
}

fn branch<R: Runtime>(first: u64, leaves: u64) -> R::Handle<u64> {
    const FAN_OUT: u64 = 10;
    R::spawn(async move {
        if leaves == 1 {
            return first;
        }
        let each = leaves / FAN_OUT;
        let children: [_; FAN_OUT as usize] = array::from_fn(|n| branch::<R>(first + n as u64 * each, each));
        let mut sum = 0;
        for child in children {
            sum += R::join(child).await;
        }
        sum
    })
}

fn wait(done: &mpsc::Receiver<()>) {
    done.recv().expect("a workload does not panic");
}
