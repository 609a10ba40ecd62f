//! A TCP connection.

use crate::addr::{ToSocketAddrs, first_success};
use crate::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::transfer::{recv_buf, send, send_vectored};
use bytes::BufMut;
use futures_io::{AsyncRead, AsyncWrite};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tiny_coro_reactor::{Direction, Reactor, Source};

/// A TCP connection between this process and a peer.
///
/// Reading and writing take `&mut self`; to do both in two tasks, [`split`](TcpStream::split) it. The `try_` and `poll_…_ready`
/// methods take `&self`, with one waiting task per direction.
///
/// A write to a connection that the peer has closed gives `BrokenPipe`; it raises no signal.
pub struct TcpStream {
    pub(crate) source: Source<net::TcpStream>,
}

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    ///
    /// The operating system's for the last address (`ConnectionRefused`, `TimedOut`, …), with the address in the text;
    /// `InvalidInput` for a text that is no address; `NotConnected` outside a runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the attempt and closes the socket.
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        first_success(&address, async |address| {
            Self::connect_one(address)
                .await
                .map_err(|error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}")))
        })
        .await
    }

    async fn connect_one(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        let started = socket.connect(&address.into());
        let stream = Self::from_source(Source::new(net::TcpStream::from(socket))?);
        match started {
            Ok(()) => return Ok(stream),
            Err(error) if is_under_way(&error) => {}
            Err(error) => return Err(error),
        }
        loop {
            let ready = stream.source.writable().await?;
            if let Some(error) = stream.source.get_ref().take_error()? {
                return Err(error);
            }
            // Writable without an error and without a peer: not there yet.
            match stream.peer_addr() {
                Err(error) if error.kind() == io::ErrorKind::NotConnected && !ready.is_write_closed() => {
                    stream.source.clear_ready(Direction::Write, ready);
                }
                Err(error) => return Err(error),
                Ok(_) => return Ok(stream),
            }
        }
    }

    /// Takes over a connection of the standard library; it is set to non-blocking mode.
    ///
    /// # Errors
    ///
    /// The operating system's; `NotConnected` outside a runtime.
    pub fn from_std(stream: net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::from_source(Source::with_reactor(stream, &Reactor::current()?)?))
    }

    pub(crate) fn from_source(source: Source<net::TcpStream>) -> Self {
        Self { source }
    }

    /// Gives the connection back to the standard library, in non-blocking mode.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        self.source.into_inner()
    }

    /// Reads into `buffer` and returns how many bytes; 0 is the end of the stream (or an empty buffer).
    ///
    /// # Errors
    ///
    /// The operating system's; `ConnectionReset` when the peer broke the connection off.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no data.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read_slice(cx, buffer)).await
    }

    /// Reads into the spare capacity of `buffer` and returns how many bytes; 0 is the end of the stream, or a buffer
    /// that has no room left.
    ///
    /// # Errors
    ///
    /// As [`read`](TcpStream::read).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no data.
    pub async fn read_buf(&mut self, buffer: &mut impl BufMut) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read_buf(cx, buffer)).await
    }

    /// Fills `buffer`.
    ///
    /// # Errors
    ///
    /// As [`read`](TcpStream::read); `UnexpectedEof` if the stream ends first.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was read before the future was dropped is in `buffer`, but how much is not known.
    pub async fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_shared(buffer).await
    }

    /// Writes from `buffer` and returns how many bytes were taken.
    ///
    /// # Errors
    ///
    /// The operating system's; `BrokenPipe` or `ConnectionReset` when the peer is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future writes nothing.
    pub async fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write_slice(cx, buffer)).await
    }

    /// As [`write`](TcpStream::write), from several buffers in one system call.
    ///
    /// # Errors
    ///
    /// As [`write`](TcpStream::write).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future writes nothing.
    pub async fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write_slices(cx, buffers)).await
    }

    /// Writes all of `buffer`.
    ///
    /// # Errors
    ///
    /// As [`write`](TcpStream::write).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a part may have been written when the future is dropped.
    pub async fn write_all(&mut self, mut buffer: &[u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.write(buffer).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => buffer = &buffer[count..],
            }
        }
        Ok(())
    }

    /// Reads without waiting, if data is known to be there.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if not; otherwise as [`read`](TcpStream::read).
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.try_io(Direction::Read, |mut stream| stream.read(buffer))
    }

    /// As [`try_read`](TcpStream::try_read), into the spare capacity of `buffer`.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TcpStream::try_read).
    pub fn try_read_buf(&self, buffer: &mut impl BufMut) -> io::Result<usize> {
        self.source.try_io(Direction::Read, |stream| recv_buf(stream, buffer))
    }

    /// Writes without waiting, if there is room.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; otherwise as [`write`](TcpStream::write).
    pub fn try_write(&self, buffer: &[u8]) -> io::Result<usize> {
        self.source.try_io(Direction::Write, |stream| send(stream, buffer))
    }

    /// As [`try_write`](TcpStream::try_write), from several buffers.
    ///
    /// # Errors
    ///
    /// As [`try_write`](TcpStream::try_write).
    pub fn try_write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.source.try_io(Direction::Write, |stream| send_vectored(stream, buffers))
    }

    /// Reads and leaves the data in the connection. One task at a time waits for a direction.
    ///
    /// # Errors
    ///
    /// As [`read`](TcpStream::read).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.source.poll_io(Direction::Read, cx, |stream| stream.peek(buffer))).await
    }

    /// Waits until a read is worth trying. One task at a time waits for a direction.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn readable(&self) -> io::Result<()> {
        self.source.readable().await.map(drop)
    }

    /// Waits until a write is worth trying. One task at a time waits for a direction.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the runtime has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn writable(&self) -> io::Result<()> {
        self.source.writable().await.map(drop)
    }

    /// As [`readable`](TcpStream::readable), for hand-written futures.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(Direction::Read, cx).map_ok(drop)
    }

    /// As [`writable`](TcpStream::writable), for hand-written futures.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(Direction::Write, cx).map_ok(drop)
    }

    /// As [`read_buf`](TcpStream::read_buf), for hand-written futures.
    #[inline]
    pub fn poll_read_buf(&mut self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        self.poll_read_buf_shared(cx, buffer)
    }

    /// Borrows the two directions, to be used at the same time in one task.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        split::borrow(self)
    }

    /// Parts the two directions, to be used in two tasks. Dropping the write half ends the stream for the peer.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        split::own(self)
    }

    /// The peer's address.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().peer_addr()
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// Sets `TCP_NODELAY`: small writes go out at once instead of waiting to be put together.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.source.get_ref().set_nodelay(nodelay)
    }

    /// Returns the value of `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.get_ref().nodelay()
    }

    /// Sets `SO_LINGER`: with `Some(0)`, closing resets the connection instead of ending it in order.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(self.source.get_ref()).set_linger(linger)
    }

    /// Sets the time to live of outgoing IPv4 packets.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.source.get_ref().set_ttl(ttl)
    }

    /// Returns the time to live of outgoing IPv4 packets.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.source.get_ref().ttl()
    }

    /// Takes the error that is pending on the socket, if there is one.
    ///
    /// # Errors
    ///
    /// The operating system's, of asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.source.get_ref().take_error()
    }

    /// Ends one direction or both. The peer of a shut-down write half reads the end of the stream.
    ///
    /// # Errors
    ///
    /// The operating system's; `NotConnected` when the connection is gone.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.get_ref().shutdown(how)
    }

    /// Ends the write half; a connection that is gone needs no end.
    pub(crate) fn close_write(&self) -> io::Result<()> {
        match self.shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

/// True if a non-blocking `connect` has only begun.
fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::EINPROGRESS)
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_slice(cx, buffer)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_slices(cx, buffers)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_slice(cx, buffer)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_slices(cx, buffers)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.close_write())
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.get_ref().fmt(f)
    }
}
