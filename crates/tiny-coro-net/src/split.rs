//! The two directions of a connection, apart.

use crate::stream::TcpStream;
use bytes::BufMut;
use futures_io::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The reading direction of a borrowed [`TcpStream`]; from [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The writing direction of a borrowed [`TcpStream`]; from [`TcpStream::split`].
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

/// The reading direction of a [`TcpStream`]; from [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf(Arc<TcpStream>);

/// The writing direction of a [`TcpStream`]; from [`TcpStream::into_split`]. Dropping it ends the stream for the peer.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Arc<TcpStream>,
    /// False once the stream is to live on when this half goes.
    close_on_drop: bool,
}

pub(crate) fn borrow(stream: &mut TcpStream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    (ReadHalf(stream), WriteHalf(stream))
}

pub(crate) fn own(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    (OwnedReadHalf(stream.clone()), OwnedWriteHalf { stream, close_on_drop: true })
}

impl OwnedReadHalf {
    /// Puts the connection together again.
    ///
    /// # Errors
    ///
    /// The two halves, if they are not of the same connection.
    pub fn reunite(self, mut write: OwnedWriteHalf) -> Result<TcpStream, (Self, OwnedWriteHalf)> {
        if !Arc::ptr_eq(&self.0, &write.stream) {
            return Err((self, write));
        }
        write.close_on_drop = false;
        drop(write);
        Ok(Arc::try_unwrap(self.0).expect("a connection has one read half and one write half, and both are here"))
    }

    fn stream(&self) -> &TcpStream {
        &self.0
    }
}

impl OwnedWriteHalf {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

impl ReadHalf<'_> {
    fn stream(&self) -> &TcpStream {
        self.0
    }
}

impl WriteHalf<'_> {
    fn stream(&self) -> &TcpStream {
        self.0
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.close_on_drop {
            // The peer may be gone already; there is nobody left to tell.
            let _ = self.stream.close_write();
        }
    }
}

macro_rules! reader {
    ($half:ty) => {
        impl $half {
            /// As [`TcpStream::read`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::read`].
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses no data.
            pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                poll_fn(|cx| self.stream().poll_read_slice(cx, buffer)).await
            }

            /// As [`TcpStream::read_buf`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::read`].
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses no data.
            pub async fn read_buf(&mut self, buffer: &mut impl BufMut) -> io::Result<usize> {
                poll_fn(|cx| self.stream().poll_read_buf_shared(cx, buffer)).await
            }

            /// As [`TcpStream::read_exact`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::read_exact`].
            ///
            /// # Cancel safety
            ///
            /// Not cancel safe, as [`TcpStream::read_exact`].
            pub async fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
                self.stream().read_exact_shared(buffer).await
            }
        }

        impl AsRef<TcpStream> for $half {
            fn as_ref(&self) -> &TcpStream {
                self.stream()
            }
        }

        impl AsyncRead for $half {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
                self.stream().poll_read_slice(cx, buffer)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.stream().poll_read_slices(cx, buffers)
            }
        }
    };
}

macro_rules! writer {
    ($half:ty) => {
        impl $half {
            /// As [`TcpStream::write`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::write`].
            ///
            /// # Cancel safety
            ///
            /// Dropping the future writes nothing.
            pub async fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
                poll_fn(|cx| self.stream().poll_write_slice(cx, buffer)).await
            }

            /// As [`TcpStream::write_all`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::write`].
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
        }

        impl AsRef<TcpStream> for $half {
            fn as_ref(&self) -> &TcpStream {
                self.stream()
            }
        }

        impl AsyncWrite for $half {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
                self.stream().poll_write_slice(cx, buffer)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.stream().poll_write_slices(cx, buffers)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.stream().close_write())
            }
        }
    };
}

reader!(ReadHalf<'_>);
reader!(OwnedReadHalf);
writer!(WriteHalf<'_>);
writer!(OwnedWriteHalf);
