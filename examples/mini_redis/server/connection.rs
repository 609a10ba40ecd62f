//! One client: read what has come, run all of it, send all answers, and only then read again.

use std::io;
use std::net::Shutdown;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BytesMut};
use tiny_coro::net::TcpStream;

use crate::mini_redis::commands::{self, Context, Session, Shared};
use crate::mini_redis::resp::{Parser, Reply, Status};

/// So much room there is for each read.
const READ: usize = 16 * 1024;
/// Answers are sent when there are so many bytes of them, even if more requests wait: a client that doesn't read its
/// answers stops being served, and costs this and one answer more.
const ENOUGH: usize = 256 * 1024;
/// So long a client that was told to go may take to close its end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batch {
    /// No whole request is left.
    Drained,
    /// There may be more, once the answers so far are sent.
    Full,
    /// The client said goodbye, or something that isn't RESP.
    Over,
}

/// A connection with its buffers.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    session: Session,
    parser: Parser,
    input: BytesMut,
    output: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, session: Session) -> Self {
        Connection { stream, session, parser: Parser::new(), input: BytesMut::new(), output: Vec::new() }
    }

    /// Serves the client until it goes.
    pub(super) async fn run(mut self, shared: &Shared) -> io::Result<()> {
        loop {
            let batch = self.execute(shared);
            if !self.output.is_empty() {
                self.stream.write_all(&self.output).await?;
                self.output.clear();
            }
            match batch {
                Batch::Full => {}
                Batch::Over => return self.close().await,
                Batch::Drained if self.read().await? == 0 => return Ok(()),
                Batch::Drained => {}
            }
        }
    }

    /// Runs the requests that are whole. No await: a batch is one turn of the scheduler.
    fn execute(&mut self, shared: &Shared) -> Batch {
        let now = unix_milliseconds();
        let (mut taken, mut count) = (0, 0);
        let batch = loop {
            if self.output.len() >= ENOUGH {
                break Batch::Full;
            }
            let input = &self.input[taken..];
            match self.parser.parse(input) {
                Ok(Status::Partial) => break Batch::Drained,
                Ok(Status::Complete(length)) => {
                    let out = Reply::new(&mut self.output);
                    let mut cx = Context { shared, session: &mut self.session, out, now };
                    commands::execute(&mut cx, self.parser.args(input));
                    taken += length;
                    count += 1;
                    if self.session.closing {
                        break Batch::Over;
                    }
                }
                Err(error) => {
                    Reply::new(&mut self.output).error(format!("ERR Protocol error: {error}").as_bytes());
                    break Batch::Over;
                }
            }
        };
        self.input.advance(taken);
        shared.commands.fetch_add(count, Relaxed);
        batch
    }

    /// Waits for more bytes; 0 is the end. Room is made for what has come, never for what was announced: the buffer
    /// at most doubles. A client that is silent between two requests costs no buffer.
    async fn read(&mut self) -> io::Result<usize> {
        if self.input.is_empty() {
            self.input = BytesMut::new();
            self.output = Vec::new();
            self.stream.readable().await?;
        }
        let missing = self.parser.missing(&self.input);
        self.input.reserve(missing.clamp(READ, self.input.len().max(READ)));
        self.stream.read_buf(&mut self.input).await
    }

    /// Closes so that the last answer arrives: bytes that the client sent and nobody read would turn the close into
    /// a reset, which overtakes it.
    async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let rest = async {
            loop {
                self.input.clear();
                self.input.reserve(READ);
                if self.stream.read_buf(&mut self.input).await? == 0 {
                    return Ok(());
                }
            }
        };
        tiny_coro::timeout(FAREWELL, rest).await.unwrap_or(Ok(()))
    }
}

/// The time, in milliseconds of Unix time.
pub(super) fn unix_milliseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
