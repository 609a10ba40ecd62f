//! What the examples share, so that each of them can be about one thing: the command line ([`cli`]), a runtime
//! that runs until the work is done or somebody presses Ctrl-C ([`run`], [`run_until_stopped`]), and lines of bounded length ([`read_line`]).
//!
//! The modules of [`mini_redis`] are here too, where `cargo test` finds them.

#![forbid(unsafe_code)]

pub mod cli;
mod lines;
#[path = "../mini_redis/mod.rs"]
pub mod mini_redis;
mod shutdown;

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use futures_lite::future;
use tiny_coro::Runtime;
use tiny_coro::net::{TcpListener, TcpStream};

pub use lines::read_line;
pub use shutdown::{ShutdownSignal, shutdown_signal};

/// What an example's main future returns.
pub type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Makes a runtime with this many workers, or as many as the machine has cores.
///
/// # Errors
///
/// When the system has no descriptor or thread left.
pub fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = Runtime::builder();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.build()
}

/// Waits for a connection, however long the system is short of something: then those that are open go on, and the next
/// is taken when there is room again.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut told = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if !told => {
                eprintln!("cannot accept: {error}");
                told = true;
            }
            // A client that waits sees no difference to ten milliseconds, and the processor sees nothing.
            Err(_) => tiny_coro::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// So long requests in flight may take after Ctrl-C.
pub const GRACE: Duration = Duration::from_secs(3);

/// Runs `program` until it ends or the process is asked to stop, and drops what is still running then.
pub fn run(workers: Option<usize>, program: impl Future<Output = Result>) -> ExitCode {
    run_until_stopped(workers, |stop| {
        future::or(program, async {
            stop.await;
            Ok(())
        })
    })
}

/// Runs the future that `program` makes until it ends. It is told when the process is asked to stop.
pub fn run_until_stopped<F>(workers: Option<usize>, program: impl FnOnce(ShutdownSignal) -> F) -> ExitCode
where
    F: Future<Output = Result>,
{
    let outcome = runtime(workers).map_err(Into::into).and_then(|runtime| {
        let stop = shutdown_signal();
        runtime.block_on(program(stop))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
