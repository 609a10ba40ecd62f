//! A file as a body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use tiny_coro_fs::File;

use super::BodyError;

/// How much is read at once: a thread hop for every 64 KiB.
const PIECE: u64 = 64 * 1024;

type Reading = Pin<Box<dyn Future<Output = (File, io::Result<Bytes>)> + Send>>;

/// Gives the next `left` bytes of a file. The pieces are not copied on their way from the blocking pool to the socket.
pub(super) struct FileStream {
    state: State,
    left: u64,
}

enum State {
    Idle(File),
    Reading(Reading),
    Over,
}

impl FileStream {
    pub(super) fn new(file: File, left: u64) -> Self {
        Self { state: State::Idle(file), left }
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.left == 0 {
            this.state = State::Over;
        }
        let mut reading = match std::mem::replace(&mut this.state, State::Over) {
            State::Over => return Poll::Ready(None),
            State::Reading(reading) => reading,
            State::Idle(mut file) => {
                let limit = this.left.min(PIECE) as usize;
                Box::pin(async move {
                    let piece = file.read_chunk(limit).await;
                    (file, piece)
                })
            }
        };
        let Poll::Ready((file, piece)) = reading.as_mut().poll(cx) else {
            this.state = State::Reading(reading);
            return Poll::Pending;
        };
        let piece = piece?;
        if piece.is_empty() {
            // It was truncated after its size was promised.
            let short = io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than its stated length");
            return Poll::Ready(Some(Err(short.into())));
        }
        this.left = this.left.saturating_sub(piece.len() as u64);
        this.state = State::Idle(file);
        Poll::Ready(Some(Ok(piece)))
    }
}
