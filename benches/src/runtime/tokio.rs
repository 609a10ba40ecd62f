//! tokio's multi-thread scheduler, with the drivers for sockets and time.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::JoinHandle;

use super::Runtime;

/// `tokio::runtime::Runtime`.
#[derive(Debug)]
pub struct Tokio(tokio::runtime::Runtime);

impl Runtime for Tokio {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(crate::workers()).enable_all().build();
        Tokio(runtime.expect("threads can be started"))
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        tokio::spawn(future)
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(tokio::spawn(future));
    }

    fn detach_remote<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.0.spawn(future));
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("no task panics")
    }

    async fn yield_now() {
        tokio::task::yield_now().await;
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn timeout(duration: Duration, future: impl Future<Output = ()> + Send) -> bool {
        tokio::time::timeout(duration, future).await.is_ok()
    }
}
