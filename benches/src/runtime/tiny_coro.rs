//! tiny-coro.

use std::future::Future;
use std::time::Duration;

use tiny_coro::JoinHandle;

use super::Runtime;

/// `tiny_coro::Runtime`.
#[derive(Debug)]
pub struct TinyCoro(tiny_coro::Runtime);

impl Runtime for TinyCoro {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn new() -> Self {
        let runtime = tiny_coro::Runtime::builder().worker_threads(crate::workers()).build();
        TinyCoro(runtime.expect("threads can be started"))
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        tiny_coro::spawn(future)
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(tiny_coro::spawn(future));
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
        tiny_coro::yield_now().await;
    }

    async fn sleep(duration: Duration) {
        tiny_coro::sleep(duration).await;
    }

    async fn timeout(duration: Duration, future: impl Future<Output = ()> + Send) -> bool {
        tiny_coro::timeout(duration, future).await.is_ok()
    }
}
