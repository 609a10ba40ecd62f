//! Ctrl-C and SIGTERM as a future.

use std::future::Future;
use std::process;

use tiny_coro::sync::oneshot;

/// Completes when the process gets SIGINT (Ctrl-C), SIGTERM or SIGHUP. The second signal ends the process at once,
/// should something not want to stop.
///
/// The handler is in place when this function returns.
///
/// # Panics
///
/// When it is called a second time: a process has one handler.
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    // The handler runs on a thread of its own, not inside the signal: it may wake a task.
    let on_signal = move || match sender.take() {
        Some(sender) => drop(sender.send(())),
        None => process::exit(130),
    };
    ctrlc::set_handler(on_signal).expect("shutdown_signal is called once");
    async move {
        // An error would mean that the handler is gone, and it never goes.
        let _ = receiver.await;
    }
}
