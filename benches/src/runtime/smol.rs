//! smol's executor.
//!
//! The threads do what those of `smol::spawn`'s global executor do, except that their number is ours to say.

use std::future::{self, Future};
use std::thread;
use std::time::Duration;

use smol::{Executor, Task, Timer};

use super::Runtime;

/// `smol::Executor`, one for the process.
#[derive(Debug)]
pub struct Smol;

static EXECUTOR: Executor<'static> = Executor::new();

impl Runtime for Smol {
    type Handle<T: Send + 'static> = Task<T>;

    fn new() -> Self {
        for _ in 0..crate::workers() {
            thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
        }
        Smol
    }

    fn spawn<F>(future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        EXECUTOR.spawn(future).detach();
    }

    fn detach_remote<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        EXECUTOR.spawn(future).detach();
    }

    async fn join<T: Send + 'static>(handle: Task<T>) -> T {
        handle.await
    }

    async fn yield_now() {
        smol::future::yield_now().await;
    }

    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }

    async fn timeout(duration: Duration, future: impl Future<Output = ()> + Send) -> bool {
        let ended = async {
            future.await;
            true
        };
        let late = async {
            Timer::after(duration).await;
            false
        };
        smol::future::or(ended, late).await
    }
}
