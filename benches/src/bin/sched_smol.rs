//! The `sched` cases on smol's executor.
//!
//! The threads do what those of `smol::spawn`'s global executor do, except that their number is ours to say.
//! smol brings no oneshot channel, so it has no `ping_pong`.

use std::future::{self, Future};
use std::process::ExitCode;
use std::thread;

use smol::{Executor, Task};
use tiny_coro_benches::WORKERS;
use tiny_coro_benches::sched::{self, Case, Runtime};

static EXECUTOR: Executor<'static> = Executor::new();

struct Smol;

impl Runtime for Smol {
    type Handle<T: Send + 'static> = Task<T>;

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
}

fn main() -> ExitCode {
    for _ in 0..WORKERS {
        thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    let cases: [(&str, Case<Smol>); 6] = [
        ("spawn_join", sched::spawn_join),
        ("spawn_local_many", sched::spawn_local_many),
        ("spawn_remote", sched::spawn_remote),
        ("yield_many", sched::yield_many),
        ("chained_spawn", sched::chained_spawn),
        ("skynet", sched::skynet),
    ];
    sched::run(&Smol, &cases)
}
