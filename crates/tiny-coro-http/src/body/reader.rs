//! An `AsyncRead` as a body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_io::AsyncRead;

use super::BodyError;

/// The largest piece that is read at once. Two of them, one being read and one being sent, bound the memory of a download.
const PIECE: usize = 32 * 1024;

/// Turns an `AsyncRead` into a stream of pieces.
pub(super) struct ReadStream<R> {
    reader: Pin<Box<R>>,
    buffer: BytesMut,
    /// Bytes that are still to be read, where the length is known.
    remaining: Option<u64>,
}

impl<R> ReadStream<R> {
    pub(super) fn new(reader: Pin<Box<R>>, remaining: Option<u64>) -> Self {
        Self { reader, buffer: BytesMut::new(), remaining }
    }
}

impl<R: AsyncRead> Stream for ReadStream<R> {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let want = this.remaining.map_or(PIECE, |left| left.min(PIECE as u64) as usize);
        if want == 0 {
            return Poll::Ready(None);
        }
        // Takes the storage of the last piece again if that was sent meanwhile.
        if this.buffer.len() < want {
            this.buffer.resize(want, 0);
        }
        let read = loop {
            match ready!(this.reader.as_mut().poll_read(cx, &mut this.buffer[..want])) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
                Ok(read) => break read,
            }
        };
        match (read, &mut this.remaining) {
            (0, None) => Poll::Ready(None),
            (0, Some(_)) => {
                let short =
                    io::Error::new(io::ErrorKind::UnexpectedEof, "the source is shorter than its stated length");
                Poll::Ready(Some(Err(short.into())))
            }
            (_, remaining) => {
                *remaining = remaining.map(|left| left - read as u64);
                Poll::Ready(Some(Ok(this.buffer.split_to(read).freeze())))
            }
        }
    }
}
