//! The cases, each written once for every [`Runtime`].
//!
//! All of them are driven from a plain thread outside of the runtime, which sleeps until the last task reports.

use std::array;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};

use super::{Oneshots, Runtime};

/// A workload: runs once, returns how many operations that was.
pub type Case<R> = fn(&R) -> usize;

/// From inside a task: spawn 10,000 empty tasks, then await all handles; ten times.
pub fn spawn_join<R: Runtime>(runtime: &R) -> usize {
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

/// One task spawns 100,000 detached tasks that count down.
pub fn spawn_local_many<R: Runtime>(runtime: &R) -> usize {
    let (countdown, done) = Countdown::new(MANY);
    runtime.detach_remote(async move {
        for _ in 0..MANY {
            let countdown = countdown.clone();
            R::detach(async move { countdown.step() });
        }
    });
    wait(&done);
    MANY
}

/// A thread outside of the runtime spawns 100,000 detached tasks that count down.
pub fn spawn_remote<R: Runtime>(runtime: &R) -> usize {
    let (countdown, done) = Countdown::new(MANY);
    for _ in 0..MANY {
        let countdown = countdown.clone();
        runtime.detach_remote(async move { countdown.step() });
    }
    wait(&done);
    MANY
}

/// 200 tasks yield 1,000 times each.
pub fn yield_many<R: Runtime>(runtime: &R) -> usize {
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

/// 10,000 pairs of tasks exchange two oneshots.
pub fn ping_pong<R: Oneshots>(runtime: &R) -> usize {
    const PAIRS: usize = 10_000;
    let (countdown, done) = Countdown::new(PAIRS);
    runtime.detach_remote(async move {
        for _ in 0..PAIRS {
            let countdown = countdown.clone();
            R::detach(async move {
                let (ping, pinged) = R::oneshot();
                let (pong, ponged) = R::oneshot();
                R::detach(async move {
                    R::receive(pinged).await;
                    R::send(pong);
                });
                R::send(ping);
                R::receive(ponged).await;
                countdown.step();
            });
        }
    });
    wait(&done);
    PAIRS
}

/// Task n spawns task n − 1, 10,000 deep; ten times.
pub fn chained_spawn<R: Runtime>(runtime: &R) -> usize {
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
        report(&done);
    } else {
        R::detach(async move { link::<R>(left - 1, done) });
    }
}

/// 111,111 tasks in a tree of fan-out 10; the sums of the leaves are joined upward.
pub fn skynet<R: Runtime>(runtime: &R) -> usize {
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

/// Runs `future` as a task, waits for it on this thread.
fn run<R: Runtime, T: Send + 'static>(runtime: &R, future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.detach_remote(async move {
        let output = future.await;
        assert!(sender.try_send(output).is_ok(), "the thread that waits is gone");
    });
    receiver.recv().expect("a workload does not panic")
}

/// Reports once it was stepped as often as it was told.
struct Countdown {
    left: AtomicUsize,
    done: SyncSender<()>,
}

impl Countdown {
    fn new(count: usize) -> (Arc<Countdown>, mpsc::Receiver<()>) {
        let (done, receiver) = mpsc::sync_channel(1);
        (Arc::new(Countdown { left: AtomicUsize::new(count), done }), receiver)
    }

    fn step(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            report(&self.done);
        }
    }
}

/// Never blocks: the channel has room for the one message that it carries.
fn report(done: &SyncSender<()>) {
    assert!(done.try_send(()).is_ok(), "the thread that waits is gone");
}

fn wait(done: &mpsc::Receiver<()>) {
    done.recv().expect("a workload does not panic");
}
