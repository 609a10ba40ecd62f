//! A TCP socket that accepts connections.

use crate::addr::{ToSocketAddrs, first_success};
use crate::stream::TcpStream;
use futures_core::Stream;
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tiny_coro_reactor::{Direction, Interest, Reactor, Source};

/// How many connections the operating system completes before they are accepted, at most. It may lower the number.
pub const BACKLOG: i32 = 1024;

/// Accepts TCP connections, IPv4 and IPv6.
///
/// # Examples
///
/// ```
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// use tiny_coro_net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut client = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut server, peer) = listener.accept().await?;
/// assert_eq!(peer, client.local_addr()?);
///
/// client.write_all(b"ping").await?;
/// let mut buffer = [0; 4];
/// server.read_exact(&mut buffer).await?;
/// assert_eq!(&buffer, b"ping");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpListener {
    source: Source<net::TcpListener>,
}

impl TcpListener {
    /// Binds to the first of the addresses that is free, and listens, with `SO_REUSEADDR` and a queue of [`BACKLOG`].
    /// Port 0 lets the operating system choose; see [`local_addr`](TcpListener::local_addr).
    ///
    /// # Errors
    ///
    /// The operating system's for the last address (`AddrInUse`, `PermissionDenied`, …), with the address in the text;
    /// `InvalidInput` for a text that is no address; `NotConnected` outside a runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future binds nothing.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        first_success(&address, async |address| {
            listen(address)
                .and_then(Self::from_std)
                .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
        })
        .await
    }

    /// Takes over a listener of the standard library; it is set to non-blocking mode.
    ///
    /// # Errors
    ///
    /// The operating system's; `NotConnected` outside a runtime.
    pub fn from_std(listener: net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { source: Source::with_interest(listener, &Reactor::current()?, Interest::READABLE)? })
    }

    /// Waits for a connection. Any number of tasks may wait on one listener; each connection goes to one of them.
    ///
    /// # Errors
    ///
    /// The operating system's. Those that concern one connection only (`ConnectionAborted`, `ConnectionReset`) are not
    /// reported: the next one is accepted instead. When it has no descriptor or memory left, the connection stays in the queue:
    /// `sleep` a few milliseconds before trying again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            match self.source.async_io(Direction::Read, net::TcpListener::accept).await {
                Err(error) if is_about_one_connection(&error) => {}
                accepted => return self.adopt(accepted?),
            }
        }
    }

    /// As [`accept`](TcpListener::accept), for hand-written futures. One task at a time waits this way: a second one takes the first
    /// one's place.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        loop {
            match ready!(self.source.poll_io(Direction::Read, cx, net::TcpListener::accept)) {
                Err(error) if is_about_one_connection(&error) => {}
                accepted => return Poll::Ready(self.adopt(accepted?)),
            }
        }
    }

    fn adopt(&self, (stream, peer): (net::TcpStream, SocketAddr)) -> io::Result<(TcpStream, SocketAddr)> {
        stream.set_nonblocking(true)?;
        let source = Source::with_reactor(stream, self.source.reactor())?;
        Ok((TcpStream::from_source(source), peer))
    }

    /// The connections as a stream that does not end.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }
}

/// Makes a listening socket that a restarted server can have at once.
fn listen(address: SocketAddr) -> io::Result<net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows the option means something else: that another program may take the port over.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// True for the errors of a connection that ended while it was in the queue. Linux passes a new socket's pending network
/// errors on through `accept` (accept(2), "Error handling").
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable};
    let kinds = [ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(libc::EPROTO)
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.get_ref().fmt(f)
    }
}

/// The connections of a [`TcpListener`], with the same errors as [`accept`](TcpListener::accept).
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.listener.poll_accept(cx).map(|accepted| Some(accepted.map(|(stream, _)| stream)))
    }
}
