//! Fault table C: what two implementations could read differently is refused, and nothing after it is served.

use tiny_coro_http::{Config, Request, Router};

use crate::harness::{Peer, peer, router};

const EVIL: &str = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";

/// Heads, without the line of the method, that make a request ambiguous.
const REFUSED: &[&str] = &[
    // Two framings.
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\ntRANSFER-eNCODING: cHUNKED\r\ncONTENT-lENGTH: 5\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
    // Lengths that are not a number of digits.
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5_\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \"5\"\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nhello",
    // Codings that are not exactly chunked.
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
    // Lines.
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX\r: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\nX: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET /\r\nHost: a\r\n\r\n",
    " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n",
    // Targets.
    "GET evil HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\u{e4} HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /#fragment HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://user@host/ HTTP/1.1\r\nHost: a\r\n\r\n",
    // Host.
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    // Chunks.
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5_\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n;x\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\n\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\ntransfer-encoding: chunked\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n X: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX\r\n\r\n",
    // Versions.
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    // Bodies that have no meaning.
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
];

fn assert_refused(mut peer: Peer, case: &str, cut: usize) {
    peer.send_eof();
    let answers = peer.answers();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [400], "cut at {cut}: {case:?}");
    assert_eq!(answers[0].header("connection"), Some("close"), "{case:?}");
    assert!(!peer.is_open(), "{case:?}");
}

#[test]
fn ambiguous_requests_are_refused_and_nothing_after_them_is_served() {
    for case in REFUSED {
        let bytes = format!("{case}{EVIL}");
        let mut whole = peer();
        whole.send(&bytes);
        assert!(whole.is_ended(), "{case:?}");
        assert_refused(whole, case, 0);
    }
}

/// P1 at the level of the connection: the cut does not matter.
#[test]
fn ambiguous_requests_are_refused_wherever_they_are_cut() {
    for case in REFUSED {
        let bytes = format!("{case}{EVIL}");
        for cut in 1..case.len() {
            let mut peer = peer();
            peer.send(&bytes.as_bytes()[..cut]).send(&bytes.as_bytes()[cut..]);
            assert_refused(peer, case, cut);
        }
        let mut drops = peer();
        for byte in bytes.bytes() {
            drops.send([byte]);
        }
        assert_refused(drops, case, usize::MAX);
    }
}

/// P1: a fault in a line that never ends is found when the input does.
#[test]
fn a_broken_line_without_an_end_is_refused_wherever_it_is_cut() {
    for line in ["GET / HT\u{1}", "GET / HTTP/1.1\r\nHost: a\r\nna me"] {
        for cut in 1..=line.len() {
            let mut peer = peer();
            peer.send(&line.as_bytes()[..cut]).send(&line.as_bytes()[cut..]);
            assert_refused(peer, line, cut);
        }
    }
    let mut unfinished = peer();
    unfinished.send("GET / HT").send("TP/1").send_eof();
    assert!(!unfinished.is_open() && unfinished.take_output().is_empty(), "what is not whole is no fault");
}

/// The other side of strictness: what is allowed is served, and the next request is found where it begins.
#[test]
fn legal_requests_are_served_wherever_they_are_cut() {
    let accepted = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "root"),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "root"),
        ("GET / HTTP/1.1\r\nhOST:a:80\r\nX:\r\nY: \t a\t \r\n\r\n", "root"),
        ("GET / HTTP/1.1\r\nHost: [::1]:8080\r\nX: \u{e4}\r\n\r\n", "root"),
        ("GET /?a=b&c=%20 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "root"),
        ("GET http://example.org HTTP/1.1\r\nHost: a\r\n\r\n", "root"),
        ("GET HTTP://example.org:80?x HTTP/1.1\r\nHost: a\r\n\r\n", "root"),
        ("GET http://example.org/hello/you?x HTTP/1.1\r\nHost: a\r\n\r\n", "you"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello", "hello"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
             2;a=b;c=\"d e\"\r\nhe\r\n0003 ; x\r\nllo\r\n000;z\r\nTrailer-One: a\r\nTwo:\r\n\r\n",
            "hello",
        ),
    ];
    for (case, body) in accepted {
        let bytes = format!("{case}{EVIL}");
        for cut in 0..bytes.len() {
            let mut peer = peer();
            peer.send(&bytes.as_bytes()[..cut]).send(&bytes.as_bytes()[cut..]);
            let bodies: Vec<String> = peer.answers().iter().map(|answer| answer.text().to_owned()).collect();
            assert_eq!(bodies, [body, "evil"], "cut at {cut}: {case:?}");
            assert!(peer.is_open());
        }
    }
}

#[test]
fn nothing_after_connection_close_is_served() {
    for line in ["Connection: close", "connection: x, CLOSE ,y"] {
        let mut peer = peer();
        peer.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n{EVIL}")).send(EVIL).send_eof();
        let answers = peer.answers();
        assert_eq!(answers.len(), 1);
        assert_eq!((answers[0].text(), answers[0].header("connection")), ("root", Some("close")));
        assert!(!peer.is_open());
    }
}

#[test]
fn a_body_on_get_can_be_allowed() {
    let echo = |mut request: Request| async move { request.body_mut().bytes(10).await };
    let mut peer = Peer::new(Router::new().get("/", echo), Config::new().allow_body_on_any_method(true));
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(peer.answers()[0].text(), "hi");
}

#[test]
fn a_handler_that_ignores_a_broken_body_does_not_save_the_connection() {
    let mut peer = Peer::new(router(), Config::new());
    peer.send(format!("POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n{EVIL}")).send_eof();
    assert_eq!(peer.statuses(), [200]);
    assert!(!peer.is_open());
}
