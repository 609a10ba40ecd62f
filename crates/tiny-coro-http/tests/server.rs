//! The whole stack: a runtime, sockets on the loopback interface, and clients that know only `std`.
#![cfg(not(tiny_coro_loom))]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_fs::File;
use tiny_coro_http::{Body, BodyError, Config, Request, Response, Router, Server, Status};
use tiny_coro_sched::{Runtime, sleep};
use tiny_coro_sync::oneshot;

/// No wait in these tests is longer: a hang is a failure.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A server in a runtime of its own.
struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: Receiver<std::io::Result<()>>,
}

impl TestServer {
    fn start(router: Router, config: Config) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (address_sender, address) = channel();
        let (ended_sender, ended) = channel();
        thread::spawn(move || {
            let runtime = Runtime::builder().worker_threads(2).build().unwrap();
            let result = runtime.block_on(async move {
                let server = Server::bind("127.0.0.1:0").await?;
                address_sender.send(server.local_addr()?).unwrap();
                let signal = async move {
                    let _ = stopped.await;
                };
                server.config(config).with_graceful_shutdown(signal).serve(router).await
            });
            drop(runtime);
            let _ = ended_sender.send(result);
        });
        Self { address: address.recv_timeout(WATCHDOG).unwrap(), stop: Some(stop), ended }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        stream.set_write_timeout(Some(WATCHDOG)).unwrap();
        stream
    }

    /// Sends one request that asks for the end of the connection, and returns all that comes back.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) {
        self.signal();
        self.ended.recv_timeout(WATCHDOG).expect("the server must end").unwrap();
    }

    fn signal(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn hello() -> Router {
    Router::new()
        .get("/", |_: Request| async { "hello" })
        .get("/slow", |_: Request| async {
            sleep(Duration::from_millis(200)).await;
            "slow"
        })
        .get("/never", |_: Request| std::future::pending::<Response>())
        .post("/echo", |request: Request| async move { Response::new(request.into_body()) })
}

fn temporary(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("tiny-coro-http-{}-{name}", std::process::id()))
}

#[test]
fn requests_are_served_over_real_sockets() {
    let server = TestServer::start(hello(), Config::new());
    assert!(server.ask(GET).ends_with("\r\n\r\nhello"));

    let mut stream = server.connect();
    stream.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(99).as_bytes()).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 100);

    // A half-closed peer still gets its answer.
    let mut half = server.connect();
    half.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("slow"));
    drop((stream, half));
    server.stop();
}

/// S12: the ancestor blocked its workers on the disk. Here a large file goes to the disk and back through a stream.
#[test]
fn s12_uploads_and_downloads_are_streamed_through_the_disk() {
    let path = Arc::new(temporary("upload"));
    let (up, down) = (path.clone(), path.clone());
    let router = Router::new()
        .put("/file", move |mut request: Request| {
            let path = up.clone();
            async move {
                let mut file = File::create(&*path).await?;
                while let Some(piece) = request.body_mut().chunk().await.transpose()? {
                    file.write_chunk(piece).await?;
                }
                Ok::<_, BodyError>(Status::CREATED)
            }
        })
        .get("/file", move |_: Request| {
            let path = down.clone();
            async move { Response::file(File::open(&*path).await?).await }
        });
    let server = TestServer::start(router, Config::new().max_body_size(u64::MAX));
    let content: Vec<u8> = (0..8_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();

    let mut stream = server.connect();
    write!(stream, "PUT /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", content.len())
        .unwrap();
    stream.write_all(&content).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    drop(stream);

    let mut stream = server.connect();
    stream.write_all(GET.replace("/ ", "/file ").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(&content));
    drop(stream);
    server.stop();
    std::fs::remove_file(&*path).unwrap();
}

#[test]
fn a_refusal_reaches_a_peer_that_is_still_sending() {
    let server = TestServer::start(hello(), Config::new().max_body_size(10));
    let mut stream = server.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n").unwrap();
    stream.write_all(&vec![0; 500_000]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    drop(stream);
    server.stop();
}

#[test]
fn the_last_answer_reaches_a_peer_that_goes_on_sending() {
    let server = TestServer::start(hello(), Config::new());
    let mut stream = server.connect();
    stream.write_all(GET.as_bytes()).unwrap();
    // The answer is here, so the server has nothing left to do but close.
    assert_eq!(stream.peek(&mut [0; 1]).unwrap(), 1);
    for _ in 0..10 {
        stream.write_all(&[b'x'; 1_000]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    drop(stream);
    server.stop();
}

#[test]
fn a_failing_body_is_a_reset() {
    let router = Router::new().get("/", |_: Request| async {
        let pieces = [Ok("part".into()), Err(std::io::Error::other("the source failed"))];
        Response::new(Body::stream(futures_lite::stream::iter(pieces), None))
    });
    let server = TestServer::start(router, Config::new());
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    server.stop();
}

#[test]
fn peers_that_reset_leave_nothing_behind() {
    // A connection that were left would hold the shutdown up for longer than the watchdog waits.
    let server = TestServer::start(hello(), Config::new().shutdown_timeout(2 * WATCHDOG));
    for round in 0..200 {
        let mut stream = server.connect();
        let requests = [
            "GET / HT",
            "GET /never HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
        ];
        stream.write_all(requests[round % 3].as_bytes()).unwrap();
        // With a linger time of zero, closing sends a reset.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    assert!(server.ask(GET).ends_with("hello"));
    // No connection is left that the shutdown would have to wait for.
    server.stop();
}

#[test]
fn the_shutdown_closes_idle_connections_and_finishes_the_others() {
    let (started, has_started) = channel();
    let started = std::sync::Mutex::new(started);
    let router = hello().get("/started", move |_: Request| {
        started.lock().unwrap().send(()).unwrap();
        async {
            sleep(Duration::from_millis(200)).await;
            "slow"
        }
    });
    let mut server = TestServer::start(router, Config::new());
    let mut idle = server.connect();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut buffer = [0; 1_000];
    assert!(idle.read(&mut buffer).unwrap() > 0);
    let mut busy = server.connect();
    busy.write_all(b"GET /started HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    has_started.recv_timeout(WATCHDOG).unwrap();

    server.signal();
    assert_eq!(idle.read(&mut buffer).unwrap(), 0);
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Connection: close") && answer.ends_with("slow"), "{answer}");
    drop(busy);
    server.ended.recv_timeout(WATCHDOG).unwrap().unwrap();
    assert!(TcpStream::connect_timeout(&server.address, Duration::from_secs(1)).is_err());
}

#[test]
fn the_shutdown_does_not_wait_for_ever() {
    let (started, has_started) = channel();
    let router = Router::new().get("/never", move |_: Request| {
        started.send(()).unwrap();
        std::future::pending::<Response>()
    });
    let mut server = TestServer::start(router, Config::new().shutdown_timeout(Duration::from_millis(50)));
    let mut stuck = server.connect();
    stuck.write_all(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    has_started.recv_timeout(WATCHDOG).unwrap();
    let start = Instant::now();
    server.signal();
    server.ended.recv_timeout(WATCHDOG).unwrap().unwrap();
    // Half the default, which would hold if the one that was set did not.
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(matches!(stuck.read(&mut [0; 10]), Ok(0) | Err(_)));
}

#[test]
fn connections_beyond_the_limit_wait_their_turn() {
    let server = TestServer::start(hello(), Config::new().max_connections(2));
    let held: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            assert!(stream.read(&mut [0; 1_000]).unwrap() > 0);
            stream
        })
        .collect();
    let mut waiting = server.connect();
    waiting.write_all(GET.as_bytes()).unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(waiting.read(&mut [0; 1]).is_err(), "served beyond the limit");
    drop(held);
    waiting.set_read_timeout(Some(WATCHDOG)).unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello"));
    drop(waiting);
    server.stop();
}

#[test]
fn idle_connections_time_out() {
    let server = TestServer::start(hello(), Config::new().keep_alive_timeout(Duration::from_secs(1)));
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1_000]).unwrap() > 0);
    }
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    server.stop();
}

#[test]
fn a_server_that_is_dropped_with_its_runtime_ends() {
    let runtime = Runtime::builder().worker_threads(2).build().unwrap();
    let address = runtime.block_on(async {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        tiny_coro_sched::spawn(server.serve(hello())).detach();
        address
    });
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WATCHDOG)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0; 1_000]).unwrap() > 0);
    drop(runtime);
    assert!(matches!(stream.read(&mut [0; 10]), Ok(0) | Err(_)));
}
