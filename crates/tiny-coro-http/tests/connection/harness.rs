use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tiny_coro_http::{Body, Config, Connection, Request, Response, Router, Service, Status, Transport};

/// What the two ends of a scripted connection share.
pub(crate) struct Wire {
    /// Each entry is what one read finds.
    input: VecDeque<Vec<u8>>,
    eof: bool,
    reset: bool,
    pub(crate) output: Vec<u8>,
    pub(crate) writes: usize,
    /// How many bytes the peer still takes.
    pub(crate) window: usize,
    pub(crate) aborted: bool,
    pub(crate) shut: bool,
    now: Instant,
    deadline: Option<Instant>,
}

struct Script(Arc<Mutex<Wire>>);

impl Transport for Script {
    fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.0.lock().unwrap();
        if wire.input.is_empty() && !wire.eof && !wire.reset { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_read_buf(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        let room = buffer.capacity() - buffer.len();
        assert!(room > 0, "a read into no room would look like the end");
        if let Some(mut piece) = wire.input.pop_front() {
            if piece.len() > room {
                wire.input.push_front(piece.split_off(room));
            }
            buffer.extend_from_slice(&piece);
            return Poll::Ready(Ok(piece.len()));
        }
        match (wire.reset, wire.eof) {
            (true, _) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            (false, true) => Poll::Ready(Ok(0)),
            (false, false) => Poll::Pending,
        }
    }

    fn poll_write_vectored(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        if wire.window == 0 {
            return Poll::Pending;
        }
        assert!(!wire.shut, "written after the end was sent");
        wire.writes += 1;
        let mut count = 0;
        for slice in slices {
            let take = slice.len().min(wire.window);
            wire.output.extend_from_slice(&slice[..take]);
            wire.window -= take;
            count += take;
        }
        Poll::Ready(Ok(count))
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().shut = true;
        Ok(())
    }

    fn abort(&mut self) {
        self.0.lock().unwrap().aborted = true;
    }

    fn now(&self) -> Instant {
        self.0.lock().unwrap().now
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, deadline: Instant, now: Instant) -> Poll<()> {
        self.0.lock().unwrap().deadline = Some(deadline);
        if now >= deadline { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The peer of a connection under test, and the hand that polls it.
pub(crate) struct Peer {
    wire: Arc<Mutex<Wire>>,
    connection: Option<Pin<Box<Connection<Script>>>>,
    pub(crate) result: Option<io::Result<()>>,
    pub(crate) service: Arc<Service>,
    wakes: Arc<Counter>,
}

impl Peer {
    pub(crate) fn new(router: Router, config: Config) -> Self {
        let now = Instant::now();
        let wire = Arc::new(Mutex::new(Wire {
            input: VecDeque::new(),
            eof: false,
            reset: false,
            output: Vec::new(),
            writes: 0,
            window: usize::MAX,
            aborted: false,
            shut: false,
            now,
            deadline: None,
        }));
        let service = Arc::new(Service::new(router, config));
        let remote = SocketAddr::from((Ipv4Addr::LOCALHOST, 1234));
        let connection = Connection::new(Script(Arc::clone(&wire)), &service, remote);
        let mut peer =
            Self { wire, connection: Some(Box::pin(connection)), result: None, service, wakes: Arc::default() };
        peer.run();
        peer
    }

    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap()
    }

    /// Lets the connection find `bytes` in one read, and runs it.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        if !bytes.as_ref().is_empty() {
            self.wire().input.push_back(bytes.as_ref().to_vec());
        }
        self.run()
    }

    pub(crate) fn send_eof(&mut self) -> &mut Self {
        self.wire().eof = true;
        self.run()
    }

    pub(crate) fn send_reset(&mut self) -> &mut Self {
        self.wire().reset = true;
        self.run()
    }

    pub(crate) fn open_window(&mut self, bytes: usize) -> &mut Self {
        self.wire().window = bytes;
        self.run()
    }

    /// Lets time pass, and runs the connection if its deadline is reached.
    pub(crate) fn pass(&mut self, time: Duration) -> &mut Self {
        let due = {
            let mut wire = self.wire();
            wire.now += time;
            wire.deadline.is_some_and(|deadline| deadline <= wire.now)
        };
        if due { self.run() } else { self }
    }

    /// Polls until nothing more happens by itself.
    pub(crate) fn run(&mut self) -> &mut Self {
        let waker = Waker::from(Arc::clone(&self.wakes));
        let mut cx = Context::from_waker(&waker);
        for _ in 0..1_000_000 {
            let Some(connection) = &mut self.connection else { return self };
            let before = self.wakes.0.load(Ordering::SeqCst);
            if let Poll::Ready(result) = connection.as_mut().poll(&mut cx) {
                self.result = Some(result);
                self.connection = None;
            } else if self.wakes.0.load(Ordering::SeqCst) == before {
                return self;
            }
        }
        panic!("the connection never comes to rest");
    }

    /// Whether a waker was called since the last time.
    pub(crate) fn was_woken(&self) -> bool {
        self.wakes.0.swap(0, Ordering::SeqCst) > 0
    }

    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether the peer sees the end: the socket is closed, or our side of it.
    pub(crate) fn is_ended(&self) -> bool {
        self.connection.is_none() || self.wire().shut
    }

    pub(crate) fn drop_connection(&mut self) {
        self.connection = None;
    }

    /// Takes what was written so far.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.wire().output)
    }

    /// Takes the answers that were written so far.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        parse_answers(&self.take_output(), false)
    }

    pub(crate) fn statuses(&mut self) -> Vec<u16> {
        self.answers().iter().map(|answer| answer.status).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&found.1).ok()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Parses a sequence of whole answers with a parser that is not ours. With `heads_only` they are answers to HEAD.
pub(crate) fn parse_answers(mut bytes: &[u8], heads_only: bool) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let parsed = head.parse(bytes).unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(bytes)));
        let httparse::Status::Complete(len) = parsed else { panic!("half a head: {bytes:?}") };
        let mut answer = Answer {
            status: head.code.unwrap(),
            headers: head.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect(),
            body: Vec::new(),
        };
        bytes = &bytes[len..];
        let chunked = answer.header("transfer-encoding") == Some("chunked");
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        assert!(!(chunked && length.is_some()), "two framings");
        if heads_only || matches!(answer.status, 100..=199 | 204 | 304) {
            // No body follows.
        } else if chunked {
            bytes = take_chunks(bytes, &mut answer.body);
        } else if let Some(length) = length {
            answer.body.extend_from_slice(&bytes[..length]);
            bytes = &bytes[length..];
        } else {
            answer.body.extend_from_slice(bytes);
            bytes = &[];
        }
        answers.push(answer);
    }
    answers
}

fn take_chunks<'a>(mut bytes: &'a [u8], body: &mut Vec<u8>) -> &'a [u8] {
    loop {
        let httparse::Status::Complete((start, size)) = httparse::parse_chunk_size(bytes).unwrap() else {
            panic!("half a chunk size")
        };
        let end = start + size as usize;
        body.extend_from_slice(&bytes[start..end]);
        assert_eq!(&bytes[end..end + 2], b"\r\n");
        bytes = &bytes[end + 2..];
        if size == 0 {
            return bytes;
        }
    }
}

/// A router with one of everything.
pub(crate) fn router() -> Router {
    Router::new()
        .get("/", |_: Request| async { "root" })
        .get("/hello/{name}", |request: Request| async move { request.param("name").unwrap_or("?").to_owned() })
        .get("/panic", |_: Request| async { panic_now() })
        .get("/never", |_: Request| std::future::pending::<Response>())
        .get("/evil", |_: Request| async { "evil" })
        .post("/echo", |mut request: Request| async move { request.body_mut().bytes(1 << 20).await })
        .post("/stream", |request: Request| async move { Response::new(request.into_body()) })
        .post("/ignore", |_: Request| async { "ignored" })
        .get("/chunks", |_: Request| async { Response::new(pieces(["one", "", "two"], None)) })
        .get("/sized", |_: Request| async { Response::new(pieces(["one", "two"], Some(6))) })
        .get("/broken", |_: Request| async { Response::new(broken()) })
        .get("/status/{code}", |request: Request| async move {
            let code = request.param("code").and_then(|code| code.parse().ok()).and_then(Status::new);
            Response::text("body").with_status(code.unwrap_or(Status::BAD_REQUEST))
        })
}

fn panic_now() -> Response {
    panic!("this panic is part of the test")
}

pub(crate) fn pieces<const N: usize>(pieces: [&'static str; N], len: Option<u64>) -> Body {
    let items = pieces.map(|piece| Ok::<_, io::Error>(piece.into()));
    Body::stream(futures_lite::stream::iter(items), len)
}

pub(crate) fn broken() -> Body {
    let items = [Ok("part".into()), Err(io::Error::other("the source failed"))];
    Body::stream(futures_lite::stream::iter(items), None)
}

pub(crate) fn peer() -> Peer {
    Peer::new(router(), Config::new())
}

impl Peer {
    /// How many bytes were sent and not read by the connection.
    pub(crate) fn unread(&self) -> usize {
        self.wire().input.iter().map(Vec::len).sum()
    }
}
