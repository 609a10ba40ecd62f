//! How a plain thread outside of the runtime drives a workload: it sleeps until the last task reports.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};

use super::Runtime;

/// Runs `future` as a task, waits for it on this thread.
pub fn run<R: Runtime, T: Send + 'static>(runtime: &R, future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.detach_remote(async move {
        let output = future.await;
        // Never blocks: the channel has room for the one message that it carries.
        assert!(sender.try_send(output).is_ok(), "the thread that waits is gone");
    });
    receiver.recv().expect("a workload does not panic")
}

/// Reports once it was stepped as often as it was told.
#[derive(Debug)]
pub struct Countdown {
    left: AtomicUsize,
    done: SyncSender<()>,
}

impl Countdown {
    /// A countdown, and where it reports.
    pub fn new(count: usize) -> (Arc<Countdown>, Receiver<()>) {
        let (done, receiver) = mpsc::sync_channel(1);
        (Arc::new(Countdown { left: AtomicUsize::new(count), done }), receiver)
    }

    /// Counts one down.
    pub fn step(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            assert!(self.done.try_send(()).is_ok(), "the thread that waits is gone");
        }
    }
}
