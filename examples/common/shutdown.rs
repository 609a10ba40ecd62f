//! Ctrl-C and SIGTERM as a future.

use std::future::Future;
use std::pin::Pin;
use std::process;
use std::task::{Context, Poll};

use tiny_coro::sync::oneshot;

/// Completes when the process gets SIGINT (Ctrl-C), SIGTERM or SIGHUP. The second signal ends the process at once,
/// should something not want to stop.
///
/// The handler is in place when this function returns.
///
/// # Panics
///
/// When it is called a second time: a process has one handler.
pub fn shutdown_signal() -> ShutdownSignal {
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    // The handler runs on a thread of its own, not inside the signal: it may wake a task.
    let on_signal = move || match sender.take() {
        Some(sender) => drop(sender.send(())),
        None => process::exit(130),
    };
    ctrlc::set_handler(on_signal).expect("shutdown_signal is called once");
    ShutdownSignal(receiver)
}

/// The future of [`shutdown_signal`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is polled"]
pub struct ShutdownSignal(oneshot::Receiver<()>);

impl Future for ShutdownSignal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // An error would mean that the handler is gone, and it never goes.
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
