//! The `sched` cases on tokio's multi-thread scheduler.

use std::future::Future;
use std::process::ExitCode;

use tiny_coro_benches::WORKERS;
use tiny_coro_benches::sched::{self, Case, Oneshots, Runtime};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Tokio(Handle);

impl Runtime for Tokio {
    type Handle<T: Send + 'static> = JoinHandle<T>;

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
}

impl Oneshots for Tokio {
    type Sender = oneshot::Sender<()>;
    type Receiver = oneshot::Receiver<()>;

    fn oneshot() -> (Self::Sender, Self::Receiver) {
        oneshot::channel()
    }

    fn send(sender: Self::Sender) {
        sender.send(()).expect("the receiver waits");
    }

    async fn receive(receiver: Self::Receiver) {
        receiver.await.expect("the sender sends");
    }
}

fn main() -> ExitCode {
    let runtime =
        Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("threads can be started");
    let cases: [(&str, Case<Tokio>); 7] = [
        ("spawn_join", sched::spawn_join),
        ("spawn_local_many", sched::spawn_local_many),
        ("spawn_remote", sched::spawn_remote),
        ("yield_many", sched::yield_many),
        ("ping_pong", sched::ping_pong),
        ("chained_spawn", sched::chained_spawn),
        ("skynet", sched::skynet),
    ];
    sched::run(&Tokio(runtime.handle().clone()), &cases)
}
