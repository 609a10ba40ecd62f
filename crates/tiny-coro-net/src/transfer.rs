//! Moving bytes: the system calls, and what each result says about the readiness.

use crate::stream::TcpStream;
use bytes::BufMut;
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::net;
use std::task::{Context, Poll, ready};
use tiny_coro_reactor::Direction;

impl TcpStream {
    pub(crate) fn poll_read_buf_shared(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        let room = buffer.chunk_mut().len();
        self.poll_transfer(Direction::Read, cx, room, |stream| recv_buf(stream, buffer))
    }

    pub(crate) async fn read_exact_shared(&self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match poll_fn(|cx| self.poll_read_slice(cx, buffer)).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => buffer = &mut buffer[count..],
            }
        }
        Ok(())
    }

    pub(crate) fn poll_read_slice(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_transfer(Direction::Read, cx, buffer.len(), |mut stream| stream.read(buffer))
    }

    pub(crate) fn poll_read_slices(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        self.poll_transfer(Direction::Read, cx, room, |mut stream| stream.read_vectored(buffers))
    }

    pub(crate) fn poll_write_slice(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_transfer(Direction::Write, cx, buffer.len(), |stream| send(stream, buffer))
    }

    pub(crate) fn poll_write_slices(&self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        self.poll_transfer(Direction::Write, cx, length, |stream| send_vectored(stream, buffers))
    }

    /// Calls `operation` when the direction is ready. One that moved less than `wanted` has used the readiness up: the
    /// next one waits for an event instead of asking the operating system first (epoll(7), question 9).
    #[inline]
    fn poll_transfer(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        wanted: usize,
        mut operation: impl FnMut(&net::TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let ready = ready!(self.source.poll_ready(direction, cx))?;
            match operation(self.source.get_ref()) {
                Ok(count) => {
                    // At the end of the stream there is no next event to wait for.
                    if 0 < count && count < wanted && !ready.is_read_closed() {
                        self.source.clear_ready(direction, ready);
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.source.clear_ready(direction, ready),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

pub(crate) fn send(stream: &net::TcpStream, buffer: &[u8]) -> io::Result<usize> {
    io::Write::write(&mut &*stream, buffer) // the standard library passes MSG_NOSIGNAL
}

pub(crate) fn send_vectored(stream: &net::TcpStream, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    // `writev`, which the standard library uses, cannot be told to raise no SIGPIPE.
    return SockRef::from(stream).send_vectored_with_flags(buffers, libc::MSG_NOSIGNAL);
    #[cfg(not(target_os = "linux"))]
    return io::Write::write_vectored(&mut &*stream, buffers);
}

/// Reads into the spare capacity of `buffer`.
pub(crate) fn recv_buf(stream: &net::TcpStream, buffer: &mut impl BufMut) -> io::Result<usize> {
    // SAFETY: `recv` only writes to the slice, so no byte of it becomes uninitialised.
    let spare = unsafe { buffer.chunk_mut().as_uninit_slice_mut() };
    if spare.is_empty() {
        return Ok(0);
    }
    let count = SockRef::from(stream).recv(spare)?;
    // SAFETY: the operating system has filled the first `count` bytes of the chunk.
    unsafe { buffer.advance_mut(count) };
    Ok(count)
}
