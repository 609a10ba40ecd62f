//! An open file.

use crate::buffer::{Buffer, retry};
use crate::open_options::OpenOptions;
use crate::ops::on_pool;
use bytes::Bytes;
use futures_io::{AsyncRead, AsyncSeek, AsyncWrite};
use std::fmt;
use std::fs::{self, Metadata};
use std::future::{Future, poll_fn};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tiny_coro_sched::{Handle, JoinHandle};

/// An open file. Reads, writes and seeks run on the blocking pool, one at a time and in order.
///
/// Data that was written but not flushed is on its way to the operating system, and arrives there even if the file is
/// dropped; only the error, if there is one, is then lost. Call `flush` or [`sync_all`](File::sync_all) to hear of it.
///
/// # Panics
///
/// Every operation, on a thread that is not in a runtime.
pub struct File {
    file: Arc<fs::File>,
    state: State,
    /// Where the seek that is under way goes: an answer to it is none to a later seek elsewhere.
    seeking: Option<SeekFrom>,
}

enum State {
    /// The buffer holds data that was read ahead and not handed out.
    Idle(Buffer),
    Busy(JoinHandle<(Done, Buffer)>),
    /// The thread with the buffer is gone: its runtime ended, or the closure panicked.
    Lost,
}

/// What an operation on the pool has come to.
enum Done {
    Read(io::Result<usize>),
    Write(io::Result<()>),
    Seek(io::Result<u64>),
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// The operating system's.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the file is closed again.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::options().read(true).open(path).await
    }

    /// Opens a file for writing, empties it if it is there and creates it if not.
    ///
    /// # Errors
    ///
    /// The operating system's.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the file may be created all the same.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::options().write(true).create(true).truncate(true).open(path).await
    }

    /// Options to open a file with.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Takes over a file of the standard library.
    pub fn from_std(file: fs::File) -> Self {
        Self { file: Arc::new(file), state: State::Idle(Buffer::default()), seeking: None }
    }

    /// Tells the file's size, times and permissions, with all writes done.
    ///
    /// # Errors
    ///
    /// The operating system's, or that of an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn metadata(&mut self) -> io::Result<Metadata> {
        self.on_file(fs::File::metadata).await
    }

    /// Cuts the file off, or fills it up with zeros, at `size` bytes.
    ///
    /// # Errors
    ///
    /// The operating system's, or that of an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled, the operation is carried out.
    pub async fn set_len(&mut self, size: u64) -> io::Result<()> {
        self.on_file(move |file| file.set_len(size)).await
    }

    /// Writes data and metadata to the disk, and waits for it.
    ///
    /// # Errors
    ///
    /// The operating system's, or that of an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled, the operation is carried out.
    pub async fn sync_all(&mut self) -> io::Result<()> {
        self.on_file(fs::File::sync_all).await
    }

    /// As [`sync_all`](File::sync_all), without metadata that is not needed to read the data.
    ///
    /// # Errors
    ///
    /// The operating system's, or that of an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled, the operation is carried out.
    pub async fn sync_data(&mut self) -> io::Result<()> {
        self.on_file(fs::File::sync_data).await
    }

    /// Reads up to `limit` bytes into memory of their own; empty is the end of the file (or a limit of 0).
    ///
    /// # Errors
    ///
    /// The operating system's, or that of an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a read that is under way when the future is dropped moves the file's position.
    pub async fn read_chunk(&mut self, limit: usize) -> io::Result<Bytes> {
        poll_fn(|cx| self.poll_settled(cx)).await?;
        if let State::Idle(buffer) = &mut self.state
            && !buffer.is_empty()
        {
            let mut chunk = vec![0; limit.min(buffer.rest().len())];
            buffer.move_to(&mut chunk);
            return Ok(chunk.into());
        }
        self.on_file(move |mut file| {
            let mut chunk = vec![0; limit];
            let count = retry(|| file.read(&mut chunk))?;
            chunk.truncate(count);
            Ok(Bytes::from(chunk))
        })
        .await
    }

    /// Writes all of `chunk`, without copying it, and waits until the operating system has it.
    ///
    /// # Errors
    ///
    /// The operating system's, or that of an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled, the chunk is written; a later operation may reach the file before that is done.
    pub async fn write_chunk(&mut self, chunk: Bytes) -> io::Result<()> {
        self.give_back().await?;
        self.on_file(move |mut file| file.write_all(&chunk)).await
    }

    /// Calls `operation` on the pool when all that was begun before is done.
    async fn on_file<T: Send + 'static>(
        &mut self,
        operation: impl FnOnce(&fs::File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        poll_fn(|cx| self.poll_settled(cx)).await?;
        let file = self.file.clone();
        on_pool(move || operation(&file)).await
    }

    /// Moves the file's position back over what was read ahead (invariant F2).
    async fn give_back(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_settled(cx)).await?;
        if self.read_ahead() > 0 {
            poll_fn(|cx| Pin::new(&mut *self).poll_seek(cx, SeekFrom::Current(0))).await?;
        }
        Ok(())
    }

    /// How many bytes were read ahead and not handed out.
    fn read_ahead(&self) -> usize {
        match &self.state {
            State::Idle(buffer) => buffer.rest().len(),
            _ => 0,
        }
    }

    /// Starts an operation with the buffer. The file is idle.
    fn start(&mut self, operation: impl FnOnce(&fs::File, &mut Buffer) -> Done + Send + 'static) {
        let State::Idle(mut buffer) = std::mem::replace(&mut self.state, State::Lost) else {
            unreachable!("an operation starts on an idle file")
        };
        let file = self.file.clone();
        self.state = State::Busy(Handle::current().spawn_mandatory_blocking(move || {
            let done = operation(&file, &mut buffer);
            (done, buffer)
        }));
    }

    /// Waits until no operation is under way, and returns what the last one has come to, if it was not over before.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Done>>> {
        match &mut self.state {
            State::Idle(_) => Poll::Ready(Ok(None)),
            State::Lost => Poll::Ready(Err(io::Error::other("the file was lost with the thread that worked on it"))),
            State::Busy(operation) => {
                let joined = ready!(Pin::new(operation).poll(cx));
                self.state = State::Lost;
                let (done, buffer) = joined?;
                self.state = State::Idle(buffer);
                Poll::Ready(Ok(Some(done)))
            }
        }
    }

    /// As `poll_idle`, for an operation that does not care what came before, but reports a write that failed (invariant F3).
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.poll_idle(cx))? {
            Some(Done::Write(Err(error))) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> Self {
        Self::from_std(file)
    }
}

impl AsyncRead for File {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, target: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            match ready!(this.poll_idle(cx))? {
                Some(Done::Read(Ok(0))) => return Poll::Ready(Ok(0)),
                Some(Done::Read(Err(error)) | Done::Write(Err(error))) => return Poll::Ready(Err(error)),
                _ => {}
            }
            if let State::Idle(buffer) = &mut this.state
                && (!buffer.is_empty() || target.is_empty())
            {
                return Poll::Ready(Ok(buffer.move_to(target)));
            }
            this.start(|file, buffer| Done::Read(buffer.read_from(file)));
        }
    }
}

impl AsyncWrite for File {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, source: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_settled(cx))?;
        let back = this.read_ahead() as i64;
        let State::Idle(buffer) = &mut this.state else { unreachable!("a settled file is idle") };
        let count = buffer.fill_from(source);
        if count > 0 {
            this.start(move |mut file, buffer| {
                let placed = if back > 0 { file.seek(SeekFrom::Current(-back)).map(drop) } else { Ok(()) };
                Done::Write(placed.and_then(|()| buffer.write_to(file)))
            });
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_settled(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    fn poll_seek(self: Pin<&mut Self>, cx: &mut Context<'_>, target: SeekFrom) -> Poll<io::Result<u64>> {
        let this = self.get_mut();
        loop {
            match ready!(this.poll_idle(cx))? {
                Some(Done::Seek(result)) if this.seeking.take() == Some(target) => return Poll::Ready(result),
                Some(Done::Write(Err(error))) => return Poll::Ready(Err(error)),
                _ => {}
            }
            // The caller's position is before what was read ahead.
            let place = match target {
                SeekFrom::Current(offset) => match offset.checked_sub(this.read_ahead() as i64) {
                    Some(offset) => SeekFrom::Current(offset),
                    None => return Poll::Ready(Err(io::ErrorKind::InvalidInput.into())),
                },
                absolute => absolute,
            };
            this.seeking = Some(target);
            this.start(move |mut file, buffer| {
                let result = file.seek(place);
                if result.is_ok() {
                    buffer.clear();
                }
                Done::Seek(result)
            });
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Idle(_) => "idle",
            State::Busy(_) => "busy",
            State::Lost => "lost",
        };
        f.debug_struct("File").field("file", &self.file).field("state", &state).finish()
    }
}
