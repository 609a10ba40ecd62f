//! Bodies of requests and answers.

mod error;
mod file;
mod pipe;
mod reader;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_io::AsyncRead;

pub use error::BodyError;
pub(crate) use pipe::{Demand, Feeder, pipe};
use reader::ReadStream;

/// How much room is made for the announced rest of a body before it comes.
const ROOM: usize = 256 * 1024;

type BoxStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// Holds the body of a request or of an answer: nothing, one piece, or a stream of pieces.
///
/// A request body that has not arrived yet is read from the socket only as fast as this stream is polled. An answer's
/// body is polled only as fast as the peer takes it. So neither is ever in memory as a whole unless the application
/// gathers it.
///
/// A request's body can be an answer's body: `Response::new(request.into_body())` is an echo in constant memory.
///
/// # Examples
///
/// ```
/// use tiny_coro_http::Body;
/// # futures_lite::future::block_on(async {
/// let mut body = Body::from("hello");
/// assert_eq!(body.len(), Some(5));
/// assert_eq!(body.bytes(1024).await.unwrap(), "hello");
/// assert!(body.chunk().await.is_none());
/// # });
/// ```
#[derive(Default)]
pub struct Body {
    kind: Kind,
}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Incoming(pipe::Reader),
    Stream {
        stream: BoxStream,
        len: Option<u64>,
    },
}

impl Body {
    /// Makes a body of no bytes.
    pub const fn empty() -> Self {
        Self { kind: Kind::Empty }
    }

    /// Makes a body of what `stream` gives. With a length it is sent as `Content-Length`, else in chunks.
    ///
    /// If the stream fails, or gives more or fewer bytes than `len`, the connection is reset: the peer never takes a
    /// part for the whole.
    pub fn stream<S, E>(stream: S, len: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let stream = Box::pin(MapError { stream: Box::pin(stream) });
        Self { kind: Kind::Stream { stream, len } }
    }

    /// Makes a body of what `reader` gives up to its end, or up to `len` bytes, read in pieces of at most 32 KiB.
    pub fn reader<R>(reader: R, len: Option<u64>) -> Self
    where
        R: AsyncRead + Send + 'static,
    {
        Self { kind: Kind::Stream { stream: Box::pin(ReadStream::new(Box::pin(reader), len)), len } }
    }

    /// Makes a body of the content of `file`, read on the blocking pool in pieces of at most 64 KiB. `file` stands at its start.
    ///
    /// # Errors
    ///
    /// The operating system's, when it is asked for the size.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the file is closed.
    pub async fn file(mut file: tiny_coro_fs::File) -> std::io::Result<Self> {
        let len = file.metadata().await?.len();
        Ok(Self::file_part(file, len))
    }

    /// Makes a body of the next `len` bytes of `file`, from where it stands.
    pub fn file_part(file: tiny_coro_fs::File, len: u64) -> Self {
        Self { kind: Kind::Stream { stream: Box::pin(file::FileStream::new(file, len)), len: Some(len) } }
    }

    pub(crate) fn incoming(reader: pipe::Reader) -> Self {
        Self { kind: Kind::Incoming(reader) }
    }

    /// Returns how many bytes are still to come, if that is known.
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Empty => Some(0),
            Kind::Full(bytes) => Some(bytes.len() as u64),
            Kind::Incoming(reader) => reader.remaining(),
            Kind::Stream { len, .. } => *len,
        }
    }

    /// Whether it is known that nothing is to come.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Waits for the next piece; `None` at the end. A piece is never empty in a request's body.
    ///
    /// # Errors
    ///
    /// [`BodyError`], after which the body is over.
    ///
    /// # Cancel safety
    ///
    /// No byte is lost if the future is dropped before it is ready.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Gathers what is still to come, up to `limit` bytes. Costs no copy if the body is one piece.
    ///
    /// # Errors
    ///
    /// [`BodyError::TooLarge`] as soon as more than `limit` bytes are announced or have come, and whatever the stream
    /// failed with.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was gathered is lost if the future is dropped.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        if self.len().is_some_and(|len| len > limit as u64) {
            return Err(BodyError::TooLarge);
        }
        let Some(first) = self.chunk().await.transpose()? else { return Ok(Bytes::new()) };
        if first.len() > limit {
            return Err(BodyError::TooLarge);
        }
        let Some(second) = self.chunk().await.transpose()? else { return Ok(first) };
        // Room for what is announced, but not on a stranger's word alone.
        let announced = self.len().unwrap_or(0).min(limit.min(ROOM) as u64) as usize;
        let mut whole = BytesMut::with_capacity(first.len() + second.len() + announced);
        whole.extend_from_slice(&first);
        drop(first);
        let mut next = Some(second);
        while let Some(piece) = next {
            if piece.len() > limit - whole.len() {
                return Err(BodyError::TooLarge);
            }
            whole.extend_from_slice(&piece);
            next = self.chunk().await.transpose()?;
        }
        Ok(whole.freeze())
    }

    /// Takes the whole body if it is there in one piece.
    pub(crate) fn take_full(&mut self) -> Option<Bytes> {
        match std::mem::take(&mut self.kind) {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(bytes) => Some(bytes),
            other => {
                self.kind = other;
                None
            }
        }
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let item = match &mut self.kind {
            Kind::Empty => return Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                return Poll::Ready(if bytes.is_empty() { None } else { Some(Ok(bytes)) });
            }
            Kind::Incoming(reader) => reader.poll_next(cx),
            Kind::Stream { stream, len } => {
                let item = stream.as_mut().poll_next(cx);
                if let (Poll::Ready(Some(Ok(piece))), Some(len)) = (&item, len) {
                    *len = len.saturating_sub(piece.len() as u64);
                }
                item
            }
        };
        // A stream need not be polled after its end: forget it, with all that it holds, at once.
        if matches!(item, Poll::Ready(None | Some(Err(_)))) {
            self.kind = Kind::Empty;
        }
        item
    }
}

impl Stream for Body {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_chunk(cx)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("len", &self.len()).finish_non_exhaustive()
    }
}

macro_rules! from_bytes {
    ($($type:ty),*) => {$(
        impl From<$type> for Body {
            fn from(bytes: $type) -> Self {
                Self { kind: Kind::Full(Bytes::from(bytes)) }
            }
        }
    )*};
}

from_bytes!(Bytes, BytesMut, Vec<u8>, String, &'static [u8], &'static str);

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

/// Turns the error of an application's stream into ours.
struct MapError<S> {
    stream: Pin<Box<S>>,
}

impl<S, E> Stream for MapError<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = self.stream.as_mut().poll_next(cx);
        item.map(|item| item.map(|piece| piece.map_err(|error| unbox(error.into()))))
    }
}

/// A `BodyError` that went through an application's stream stays what it was.
fn unbox(error: Box<dyn Error + Send + Sync>) -> BodyError {
    match error.downcast::<BodyError>() {
        Ok(error) => *error,
        Err(error) => BodyError::Other(error),
    }
}
