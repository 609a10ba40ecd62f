//! The accept loop.

use std::future::{Pending, pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tiny_coro_net::{TcpListener, TcpStream, ToSocketAddrs};
use tiny_coro_sched::{Sleep, sleep, spawn, timeout};

use crate::config::Config;
use crate::connection::Connection;
use crate::router::Router;
use crate::service::Service;
use crate::tcp::TcpTransport;

/// How long `accept` rests after its first failure, and after many in a row.
const REST: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
/// How long connections that were told to end at once may take for it.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Accepts connections and serves each in a task of its own.
///
/// # Examples
///
/// ```
/// use tiny_coro_http::{Request, Router, Server};
///
/// # fn main() -> std::io::Result<()> {
/// tiny_coro_sched::Runtime::new()?.block_on(async {
///     let router = Router::new().get("/plaintext", |_: Request| async { "Hello, World!" });
///     let server = Server::bind("127.0.0.1:0").await?;
///     println!("listening on http://{}", server.local_addr()?);
///     server.with_graceful_shutdown(std::future::ready(())).serve(router).await
/// })
/// # }
/// ```
#[derive(Debug)]
pub struct Server<S = Pending<()>> {
    listener: TcpListener,
    config: Config,
    shutdown: S,
}

impl Server {
    /// Listens on `address`.
    ///
    /// # Errors
    ///
    /// The operating system's; none of the addresses can be listened on.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nothing listens.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::from_listener(TcpListener::bind(address).await?))
    }

    /// Takes over a socket that listens.
    pub fn from_listener(listener: TcpListener) -> Self {
        Self { listener, config: Config::default(), shutdown: pending() }
    }
}

impl<S: Future<Output = ()>> Server<S> {
    /// Returns the address that the server listens on.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Replaces the limits and time-outs.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Ends the server when `signal` completes: no connection is accepted any more, idle ones are closed, requests in
    /// flight get [`Config::shutdown_timeout`] to be answered.
    #[must_use]
    pub fn with_graceful_shutdown<F: Future<Output = ()>>(self, signal: F) -> Server<F> {
        Server { listener: self.listener, config: self.config, shutdown: signal }
    }

    /// Serves until the shutdown is over; without one, for ever.
    ///
    /// It survives a lack of file descriptors, buffers or memory: it rests a little and tries again, while the
    /// connections wait in the kernel's queue.
    ///
    /// # Errors
    ///
    /// Only if the listening socket itself is of no use.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listener and begins the graceful shutdown of the open connections, without a deadline.
    pub async fn serve(self, router: Router) -> io::Result<()> {
        let grace = self.config.shutdown_timeout;
        let draining = DrainOnDrop(Arc::new(Service::new(router, self.config)));
        let service = &draining.0;
        let mut acceptor = Acceptor { listener: self.listener, rest: REST.0, resting: None };
        let mut shutdown = pin!(self.shutdown);
        let ended = poll_fn(|cx| match shutdown.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => acceptor.poll(service, cx),
        });
        let result = ended.await;
        drop(acceptor);
        service.drain();
        if timeout(grace, all_closed(service)).await.is_err() {
            service.abort();
            // A handler that blocks its thread can't be helped, and must not keep the server from ending.
            let _ = timeout(LAST_CALL, all_closed(service)).await;
        }
        result
    }
}

async fn all_closed(service: &Service) {
    poll_fn(|cx| service.poll_below(1, cx)).await;
}

struct DrainOnDrop(Arc<Service>);

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        self.0.drain();
    }
}

struct Acceptor {
    listener: TcpListener,
    /// How long the next rest is.
    rest: Duration,
    resting: Option<Sleep>,
}

impl Acceptor {
    /// Accepts and spawns as long as there is something to accept; `Ready` only on an error that will not pass.
    fn poll(&mut self, service: &Arc<Service>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(sleep) = &mut self.resting {
                ready!(Pin::new(sleep).poll(cx));
                self.resting = None;
            }
            ready!(service.poll_below(service.config().max_connections, cx));
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, remote)) => {
                    self.rest = REST.0;
                    start(stream, remote, service);
                }
                Err(error) if is_fatal(&error) => return Poll::Ready(Err(error)),
                Err(_) => {
                    // EMFILE, ENFILE, ENOBUFS, ENOMEM: the connection stays in the queue. To try again at once would only
                    // take the processor from those who could close something.
                    self.resting = Some(sleep(self.rest));
                    self.rest = (self.rest * 2).min(REST.1);
                }
            }
        }
    }
}

/// Whether the listener itself is broken. Everything else that `accept` reports has to do with the peer, the network or a
/// lack of something.
fn is_fatal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::NotConnected)
}

fn start(stream: TcpStream, remote: SocketAddr, service: &Arc<Service>) {
    // A peer that is gone already shows itself at the first read.
    let _ = stream.set_nodelay(true);
    spawn(Connection::new(TcpTransport::new(stream), service, remote)).detach();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table A: a lack of descriptors, buffers or memory, and a peer that went away, pass; a listener that is none does not.
    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_broken_listener_ends_the_server() {
        let [enomem, einval, enfile, emfile, enetdown, econnaborted, enobufs] = [12, 22, 23, 24, 100, 103, 105];
        for passing in [enomem, enfile, emfile, enetdown, econnaborted, enobufs] {
            let error = io::Error::from_raw_os_error(passing);
            assert!(!is_fatal(&error), "{error}");
        }
        assert!(is_fatal(&io::Error::from_raw_os_error(einval)));
    }
}
