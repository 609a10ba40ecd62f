use std::time::Duration;

use tiny_coro_http::{Config, Request, Router};

use crate::harness::{Peer, peer, router};

fn limited() -> Peer {
    let config = Config::new().max_head_size(1_000).max_target_size(200).max_headers(100).max_body_size(100);
    Peer::new(router(), config)
}

/// Sends all, in pieces of each size, and expects one refusal that ends the connection.
fn assert_refused(bytes: &[u8], status: u16) {
    for size in [1, 7, 100, bytes.len()] {
        let mut peer = limited();
        for piece in bytes.chunks(size) {
            peer.send(piece);
        }
        assert!(peer.is_ended(), "{status} in pieces of {size}");
        peer.send_eof();
        assert_eq!(peer.statuses(), [status], "in pieces of {size}");
        assert!(!peer.is_open());
    }
}

#[test]
fn too_much_is_refused_with_its_own_status_wherever_it_is_cut() {
    let line = format!("X: {}\r\n", "x".repeat(2_000));
    assert_refused(format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n").as_bytes(), 431);
    assert_refused(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(150)).as_bytes(), 431);
    assert_refused(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(200)).as_bytes(), 414);
    assert_refused(format!("GET /{}", "x".repeat(3_000)).as_bytes(), 414);
    assert_refused(
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n{}", "x".repeat(101)).as_bytes(),
        413,
    );
    let chunks = "a\r\n0123456789\r\n".repeat(11);
    assert_refused(
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n").as_bytes(),
        413,
    );
    assert_refused(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx", 417);
    // Table B: framing that never comes to the data.
    let extensions =
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;{}", "x".repeat(9_000));
    assert_refused(extensions.as_bytes(), 400);
    let trailers = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
        "X: y\r\n".repeat(3_000)
    );
    assert_refused(trailers.as_bytes(), 400);
}

#[test]
fn what_just_fits_is_served() {
    let mut peer = limited();
    peer.send(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(199)));
    peer.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(99)));
    peer.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{}", "x".repeat(100)));
    peer.send(format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{}\r\n0\r\n\r\n",
        "x".repeat(100)
    ));
    assert_eq!(peer.statuses(), [404, 200, 200, 200]);
    assert!(peer.is_open());
}

/// S12: the ancestor knew 32 headers at most.
#[test]
fn s12_more_than_32_headers_are_served_and_found() {
    let router =
        Router::new().get("/", |request: Request| async move {
            let headers = request.headers();
            assert_eq!(headers.len(), 2_001);
            assert!(headers.iter().skip(1).enumerate().all(|(index, (name, value))| {
                name == format!("X{index}") && value == format!("v{index}").as_bytes()
            }));
            headers.get("x1999").unwrap_or_default().to_owned()
        });
    let mut peer = Peer::new(router, Config::new().max_headers(3_000).max_head_size(60_000));
    let lines: String = (0..2_000).map(|index| format!("X{index}: v{index}\r\n")).collect();
    peer.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
    assert_eq!(peer.answers()[0].text(), "v1999");
}

#[test]
fn a_slow_body_times_out() {
    let mut peer = peer();
    peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0");
    for digit in 1..5 {
        peer.pass(Duration::from_secs(29)).send(digit.to_string());
    }
    assert!(peer.is_open(), "progress renews the time");
    peer.pass(Duration::from_secs(31)).send_eof();
    assert_eq!(peer.statuses(), [408]);
    assert!(!peer.is_open());
}

#[test]
fn a_refused_peer_is_not_listened_to_for_ever() {
    let mut silent = peer();
    silent.send("nonsense\r\n\r\n");
    assert!(silent.is_open() && silent.wire().shut);
    silent.pass(Duration::from_secs(3));
    assert!(!silent.is_open());

    let mut chatty = peer();
    chatty.send("nonsense\r\n\r\n");
    for _ in 0..2_000 {
        chatty.send(vec![b'x'; 1_000]);
    }
    assert!(!chatty.is_open());
}

/// A limit that says none is one of the head's size.
#[test]
fn any_number_of_headers_may_be_allowed() {
    let mut peer = Peer::new(router(), Config::new().max_headers(usize::MAX));
    for lines in [65, 4_000] {
        peer.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a:\r\n".repeat(lines)));
    }
    assert_eq!(peer.statuses(), [200, 200]);
}

/// What a handler left of a body comes in a time that its bytes do not renew.
#[test]
fn a_slow_rest_of_a_body_ends_the_connection() {
    let mut peer = peer();
    peer.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n0");
    for _ in 0..5 {
        assert!(!peer.is_ended());
        peer.pass(Duration::from_secs(7)).send("x");
    }
    assert!(peer.is_ended() && !peer.wire().aborted);
    assert_eq!(peer.statuses(), [200]);
}
