use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use bytes::Bytes;
use tiny_coro_http::{Body, BodyError, Config, Request, Response, Router, Status};

use crate::harness::{Peer, peer, router};

/// S12: the ancestor did not look at `Content-Length`, knew no chunks, and took one read for one request.
#[test]
fn s12_bodies_come_whole_however_they_are_framed_and_cut() {
    let length = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
    let chunked =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    for request in [length, chunked] {
        for size in 1..request.len() {
            let mut peer = peer();
            for piece in request.as_bytes().chunks(size) {
                peer.send(piece);
            }
            assert_eq!(peer.answers()[0].text(), "hello world", "in pieces of {size}");
            assert!(peer.is_open());
        }
    }
}

/// S12: a body that is shorter than announced is an error, not a body.
#[test]
fn s12_a_body_that_ends_early_is_an_error() {
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    let router = Router::new().post("/", move |mut request: Request| {
        let note = note.clone();
        async move {
            let result = request.body_mut().bytes(100).await;
            *note.lock().unwrap() = Some(matches!(result, Err(BodyError::Disconnected)));
        }
    });
    let mut peer = Peer::new(router, Config::new());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel").send_eof();
    assert_eq!(*seen.lock().unwrap(), Some(true));
    assert!(!peer.is_open());
}

#[test]
fn continue_is_sent_when_the_body_is_first_read() {
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
    let mut reads = peer();
    reads.send(head);
    assert_eq!(reads.take_output(), b"HTTP/1.1 100 Continue\r\n\r\n");
    reads.send("hello");
    assert_eq!(reads.answers()[0].text(), "hello");
    assert!(reads.is_open());

    let mut ignores = peer();
    ignores.send(head.replace("echo", "ignore"));
    let answers = ignores.answers();
    assert_eq!((answers.len(), answers[0].status, answers[0].header("connection")), (1, 200, Some("close")));
    assert!(ignores.is_ended());

    let mut too_large = Peer::new(router(), Config::new().max_body_size(4));
    too_large.send(head);
    assert_eq!(too_large.statuses(), [413]);

    let mut at_once = peer();
    at_once.send(format!("{head}hello"));
    assert_eq!(at_once.statuses(), [200], "who has sent the body does not wait");

    let mut streams = peer();
    streams.send(head.replace("echo", "stream"));
    assert!(streams.take_output().starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));

    let mut old = peer();
    old.send(head.replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!(old.take_output(), b"");
}

#[test]
fn an_unread_body_is_skipped_up_to_a_limit() {
    let ignore = |length: usize| format!("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut small = peer();
    small.send(ignore(20_000));
    assert_eq!(small.statuses(), [200]);
    small.send("x".repeat(20_000)).send(next);
    assert_eq!(small.answers()[0].text(), "root");

    let mut large = peer();
    large.send(ignore(100_000));
    assert_eq!(large.answers()[0].header("connection"), Some("close"));
    large.send(next).send_eof();
    assert_eq!(large.statuses(), []);

    let mut endless = peer();
    endless.send("POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..200 {
        endless.send(format!("400\r\n{}\r\n", "x".repeat(0x400)));
    }
    endless.send_eof();
    assert_eq!(endless.statuses(), [200]);
    assert!(!endless.is_open());
}

/// An upload is read only as fast as the handler takes it.
#[test]
fn a_slow_handler_holds_the_peer_back() {
    let gate = Arc::new(Mutex::new((0_usize, None::<Waker>)));
    let inner = gate.clone();
    let router = Router::new().post("/", move |mut request: Request| {
        let gate = inner.clone();
        async move {
            let mut sum = 0;
            while let Some(piece) = request.body_mut().chunk().await.transpose()? {
                sum += piece.len();
                std::future::poll_fn(|cx: &mut Context<'_>| {
                    let mut gate = gate.lock().unwrap();
                    gate.1 = Some(cx.waker().clone());
                    if gate.0 > 0 {
                        gate.0 -= 1;
                        return std::task::Poll::Ready(());
                    }
                    std::task::Poll::Pending
                })
                .await;
            }
            Ok::<_, BodyError>(sum.to_string())
        }
    });
    let mut peer = Peer::new(router, Config::new().max_body_size(u64::MAX));
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    for _ in 0..100 {
        peer.send(vec![b'x'; 10_000]);
    }
    assert!(peer.unread() > 900_000, "only {} bytes left in the socket", peer.unread());
    gate.lock().unwrap().0 = usize::MAX;
    gate.lock().unwrap().1.take().unwrap().wake();
    peer.run();
    assert_eq!(peer.answers()[0].text(), "1000000");
}

/// A download is produced only as fast as the peer takes it.
#[test]
fn a_slow_peer_holds_the_stream_back() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let router = Router::new().get("/", move |_: Request| {
        let counter = counter.clone();
        async move {
            let stream = futures_lite::stream::repeat_with(move || {
                counter.fetch_add(10_000, Ordering::SeqCst);
                Ok::<_, io::Error>(Bytes::from(vec![b'x'; 10_000]))
            });
            Response::new(Body::stream(stream, None))
        }
    });
    let mut peer = Peer::new(router, Config::new());
    peer.open_window(0).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(made.load(Ordering::SeqCst) <= 80_000);
    for _ in 0..50 {
        peer.open_window(100_000);
    }
    let made = made.load(Ordering::SeqCst);
    assert!((5_000_000 - 100..=5_100_000).contains(&made), "{made}");
    peer.drop_connection();
}

#[test]
fn an_echo_of_any_size_goes_through_bounded_memory() {
    let mut peer = Peer::new(router(), Config::new().max_body_size(u64::MAX));
    peer.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    peer.open_window(0);
    for index in 0..100_u8 {
        peer.send(vec![index; 10_000]);
    }
    assert!(peer.unread() > 800_000);
    for _ in 0..200 {
        peer.open_window(7_000);
    }
    let answer = peer.answers().remove(0);
    assert!(
        answer.body.len() == 1_000_000
            && answer.body.chunks(10_000).zip(0..).all(|(piece, index)| piece == [index; 10_000])
    );
    assert!(peer.is_open());
}

#[test]
fn a_body_may_be_read_by_another_task() {
    let (sender, receiver) = std::sync::mpsc::channel::<Body>();
    let sender = Mutex::new(sender);
    let router = Router::new().post("/", move |request: Request| {
        sender.lock().unwrap().send(request.into_body()).unwrap();
        std::future::pending::<()>()
    });
    let mut peer = Peer::new(router, Config::new());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none");
    let mut body = receiver.recv().unwrap();
    let woken = Arc::new(AtomicBool::new(false));
    struct Flag(Arc<AtomicBool>);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let waker = Waker::from(Arc::new(Flag(woken.clone())));
    let mut cx = Context::from_waker(&waker);
    let mut poll = || std::pin::pin!(body.chunk()).poll(&mut cx).map(|piece| piece.map(|piece| piece.unwrap()));
    peer.was_woken();
    assert!(poll().is_pending() && peer.was_woken(), "B1: the connection hears that a piece is wanted");
    peer.run();
    assert!(woken.swap(false, Ordering::SeqCst), "B3: the reader hears that a piece is there");
    assert_eq!(poll(), std::task::Poll::Ready(Some("one".into())));
    assert!(poll().is_pending());
    peer.send("two");
    assert!(woken.swap(false, Ordering::SeqCst));
    assert_eq!(poll(), std::task::Poll::Ready(Some("two".into())));
    assert_eq!(poll(), std::task::Poll::Ready(None));
}

#[test]
fn a_body_outlives_its_connection_as_an_error() {
    let (sender, receiver) = std::sync::mpsc::channel::<Body>();
    let sender = Mutex::new(sender);
    let router = Router::new().post("/", move |request: Request| {
        sender.lock().unwrap().send(request.into_body()).unwrap();
        async { Status::ACCEPTED }
    });
    let mut peer = Peer::new(router, Config::new());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none");
    assert_eq!(peer.statuses(), [202]);
    let mut body = receiver.recv().unwrap();
    let end = futures_lite::future::block_on(body.bytes(100));
    assert!(matches!(end, Err(BodyError::Disconnected)), "{end:?}");
}
