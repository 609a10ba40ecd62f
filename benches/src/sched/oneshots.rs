//! The case that needs a oneshot channel. smol brings none.

use std::future::Future;

use crate::child::Cases;
use crate::runtime::{Countdown, Runtime, TinyCoro, Tokio};

/// A runtime that brings a oneshot channel.
pub trait Oneshots: Runtime {
    /// The half that sends.
    type Sender: Send + 'static;
    /// The half that receives.
    type Receiver: Send + 'static;

    /// A channel for one message.
    fn oneshot() -> (Self::Sender, Self::Receiver);

    /// Sends the message.
    fn send(sender: Self::Sender);

    /// Waits for the message.
    fn receive(receiver: Self::Receiver) -> impl Future<Output = ()> + Send;
}

/// The cases of a runtime with oneshot channels.
pub fn oneshot_cases<R: Oneshots>(cases: &mut Cases) {
    cases.timed("ping_pong", R::new, ping_pong);
}

/// 10,000 pairs of tasks exchange two oneshots.
fn ping_pong<R: Oneshots>(runtime: &mut R) -> usize {
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
    done.recv().expect("a workload does not panic");
    PAIRS
}

impl Oneshots for TinyCoro {
    type Sender = tiny_coro::sync::oneshot::Sender<()>;
    type Receiver = tiny_coro::sync::oneshot::Receiver<()>;

    fn oneshot() -> (Self::Sender, Self::Receiver) {
        tiny_coro::sync::oneshot::channel()
    }

    fn send(sender: Self::Sender) {
        sender.send(()).expect("the receiver waits");
    }

    async fn receive(receiver: Self::Receiver) {
        receiver.await.expect("the sender sends");
    }
}

impl Oneshots for Tokio {
    type Sender = tokio::sync::oneshot::Sender<()>;
    type Receiver = tokio::sync::oneshot::Receiver<()>;

    fn oneshot() -> (Self::Sender, Self::Receiver) {
        tokio::sync::oneshot::channel()
    }

    fn send(sender: Self::Sender) {
        sender.send(()).expect("the receiver waits");
    }

    async fn receive(receiver: Self::Receiver) {
        receiver.await.expect("the sender sends");
    }
}
