use std::time::Duration;

use tiny_coro_http::{Config, Request, Response, Router};

use crate::harness::{Peer, peer, pieces, router};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn all_pipelined_answers_leave_in_one_write_and_in_order() {
    let mut peer = peer();
    let names: Vec<String> = (0..16).map(|index| format!("n{index}")).collect();
    let requests: String = names.iter().map(|name| format!("GET /hello/{name} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    peer.send(requests);
    assert_eq!(peer.wire().writes, 1);
    let bodies: Vec<String> = peer.answers().iter().map(|answer| answer.text().to_owned()).collect();
    assert_eq!(bodies, names);
}

#[test]
fn answers_that_are_ready_are_not_held_back_by_a_handler_that_is_not() {
    let mut peer = peer();
    peer.send(format!("{GET}{GET}GET /never HTTP/1.1\r\nHost: a\r\n\r\n{GET}"));
    assert_eq!(peer.statuses(), [200, 200]);
    assert_eq!(peer.wire().writes, 1);
}

#[test]
fn streamed_answers_keep_their_place_in_the_pipeline() {
    let mut peer = peer();
    peer.send(format!(
        "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n{GET}GET /sized HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody{GET}"
    ));
    let bodies: Vec<String> = peer.answers().iter().map(|answer| answer.text().to_owned()).collect();
    assert_eq!(bodies, ["onetwo", "root", "onetwo", "body", "root"]);
    assert_eq!(peer.wire().writes, 1);
}

/// Table B: a deep pipeline from a peer that never reads. What is served, and kept in memory, has a bound.
#[test]
fn a_peer_that_does_not_read_gets_no_more_served() {
    let served = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = served.clone();
    let router = Router::new().get("/", move |_: Request| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async { "x".repeat(1_000) }
    });
    let mut peer = Peer::new(router, Config::new().output_limit(10_000));
    peer.open_window(0);
    for _ in 0..1_000 {
        peer.send(GET);
    }
    let count = || served.load(std::sync::atomic::Ordering::SeqCst);
    assert!((1..=11).contains(&count()), "{} requests served", count());
    peer.open_window(usize::MAX);
    assert_eq!(peer.statuses().len(), 1_000);

    peer.open_window(0).send(GET.repeat(100)).pass(Duration::from_secs(31));
    assert!(!peer.is_open() && peer.wire().aborted, "a write that makes no progress ends");
}

#[test]
fn http_1_0_closes_unless_asked_to_keep_alive() {
    let mut peer = peer();
    peer.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(peer.answers()[0].header("connection"), Some("keep-alive"));
    assert!(peer.is_open());
    peer.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(peer.answers()[0].header("connection"), Some("close"));
    assert!(peer.is_ended() && !peer.send_eof().is_open());
}

#[test]
fn http_1_0_gets_a_stream_of_unknown_length_up_to_the_end_of_the_connection() {
    let mut peer = peer();
    peer.send("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = &peer.answers()[0];
    assert_eq!((answer.header("transfer-encoding"), answer.header("content-length")), (None, None));
    assert_eq!((answer.text(), answer.header("connection")), ("onetwo", Some("close")));
    assert!(peer.is_ended() && !peer.send_eof().is_open() && !peer.wire().aborted);
}

#[test]
fn a_half_closed_peer_still_gets_its_answers() {
    let router = Router::new().get("/", |_: Request| async {
        futures_lite::future::yield_now().await;
        Response::new(pieces(["late"], None))
    });
    let mut peer = Peer::new(router, Config::new());
    peer.wire().window = 0;
    peer.send(GET.repeat(2)).send_eof();
    peer.open_window(usize::MAX);
    assert_eq!(peer.statuses(), [200, 200]);
    assert!(!peer.is_open() && !peer.wire().aborted);
}

#[test]
fn a_reset_drops_a_handler_that_waits() {
    struct Bomb(std::sync::Arc<std::sync::atomic::AtomicBool>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let dropped = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = dropped.clone();
    let router = Router::new().get("/", move |_: Request| {
        let bomb = Bomb(flag.clone());
        async move {
            std::future::pending::<()>().await;
            drop(bomb);
        }
    });
    let mut peer = Peer::new(router, Config::new());
    peer.send(GET);
    assert!(peer.is_open());
    peer.send_reset();
    assert!(matches!(&peer.result, Some(Err(_))));
    assert!(dropped.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(peer.service.open_connections(), 0);
}

#[test]
fn a_drain_ends_idle_connections_and_lets_the_others_answer() {
    let mut idle = peer();
    idle.send(GET);
    idle.was_woken();
    idle.service.drain();
    assert!(idle.was_woken(), "an idle connection must hear of the shutdown");
    idle.run();
    assert!(!idle.is_open() && idle.service.open_connections() == 0);

    let mut busy = peer();
    busy.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha");
    busy.service.drain();
    busy.run();
    assert!(busy.is_open());
    busy.send("lf");
    let answer = &busy.answers()[0];
    assert_eq!((answer.text(), answer.header("connection")), ("half", Some("close")));
    assert!(busy.is_ended() && !busy.send_eof().is_open());
}

/// H1: whoever was woken for one stage of the shutdown is woken for the next.
#[test]
fn each_stage_of_the_shutdown_wakes_a_busy_connection() {
    let mut busy = peer();
    busy.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n").was_woken();
    busy.service.drain();
    assert!(busy.was_woken());
    busy.run();
    assert!(busy.is_open() && !busy.was_woken());
    busy.service.abort();
    assert!(busy.was_woken());
    assert!(!busy.run().is_open());
}

#[test]
fn an_abort_ends_everything_and_never_looks_like_a_clean_end() {
    let router = Router::new().get("/", |_: Request| async {
        let head = futures_lite::stream::iter([Ok::<_, std::io::Error>("part".into())]);
        let tail = futures_lite::stream::pending();
        Response::new(tiny_coro_http::Body::stream(futures_lite::StreamExt::chain(head, tail), None))
    });
    let mut peer = Peer::new(router, Config::new());
    peer.send("GET / HTTP/1.0\r\n\r\n");
    peer.service.abort();
    peer.run();
    assert!(!peer.is_open() && peer.wire().aborted);
}

#[test]
fn keep_alive_and_head_time_out() {
    let config = || Config::new().keep_alive_timeout(Duration::from_secs(60)).head_timeout(Duration::from_secs(10));
    let mut idle = Peer::new(router(), config());
    idle.pass(Duration::from_secs(59)).send(GET).pass(Duration::from_secs(59));
    assert!(idle.is_open(), "every request starts the time anew");
    idle.take_output();
    idle.pass(Duration::from_secs(2));
    assert!(!idle.is_open() && idle.take_output().is_empty(), "an idle peer is not told anything");

    // Table B: one byte a second. The time for a head is not renewed by its bytes.
    let mut slow = Peer::new(router(), config());
    for byte in GET.bytes() {
        slow.send([byte]).pass(Duration::from_secs(1));
    }
    slow.send_eof();
    assert_eq!(slow.statuses(), [408]);
    assert!(!slow.is_open());
}

/// Line ends before a request line are no request: they neither renew its time nor go on for ever.
#[test]
fn empty_lines_put_nothing_off() {
    let config = || Config::new().keep_alive_timeout(Duration::from_secs(60)).head_timeout(Duration::from_secs(10));
    let mut slow = Peer::new(router(), config());
    for byte in b"\r\n\r\n" {
        slow.send([*byte]).pass(Duration::from_secs(14));
    }
    assert!(slow.is_open());
    slow.pass(Duration::from_secs(5));
    assert!(!slow.is_open() && slow.take_output().is_empty(), "the time to wait for a request has passed");

    let mut late = Peer::new(router(), config());
    late.send("\r\n").pass(Duration::from_secs(50)).send("G").pass(Duration::from_secs(9)).send("ET / HTTP/1.1\r\n");
    assert!(late.is_open(), "the first byte of the request line begins the time for the head");
    late.pass(Duration::from_secs(2)).send_eof();
    assert_eq!(late.statuses(), [408]);

    for size in [1, 2, 3, 1_000] {
        let mut flood = peer();
        for piece in "\r\n".repeat(500).as_bytes().chunks(size) {
            flood.send(piece);
        }
        assert!(flood.is_ended(), "in pieces of {size}");
        assert_eq!(flood.statuses(), [400]);
    }
    let mut polite = peer();
    for _ in 0..100 {
        polite.send("\r\n".repeat(8)).send(GET);
    }
    assert_eq!(polite.statuses(), [200; 100]);
}

/// What comes after the last answer is taken, so that it does not become a reset that destroys the answer.
#[test]
fn late_input_after_the_last_answer_is_taken_for_a_while() {
    let mut late = peer();
    late.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(late.wire().shut && late.is_open());
    late.send(GET);
    assert_eq!((late.statuses(), late.unread()), (vec![200], 0));
    assert!(late.is_open());
    assert!(!late.send_eof().is_open() && !late.wire().aborted);

    let mut silent = Peer::new(router(), Config::new().linger_timeout(Duration::from_secs(5)));
    silent.send("GET / HTTP/1.0\r\n\r\n").pass(Duration::from_secs(4));
    assert!(silent.is_open());
    silent.pass(Duration::from_secs(2));
    assert!(!silent.is_open() && !silent.wire().aborted);

    let mut first = peer();
    first.wire().window = 0;
    first.send("GET / HTTP/1.0\r\n\r\n").send_eof().open_window(usize::MAX);
    assert!(!first.is_open(), "a peer that has sent its end is not waited for");
}
