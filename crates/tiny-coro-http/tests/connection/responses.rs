use std::io;

use bytes::Bytes;
use tiny_coro_http::{Body, Config, IntoResponse, Request, Response, Router, Status};

use crate::harness::{Peer, parse_answers, peer, pieces};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn serve(response: impl Fn() -> Response + Send + Sync + 'static) -> Peer {
    let mut peer = Peer::new(
        Router::new().get("/", move |_: Request| {
            let response = response();
            async move { response }
        }),
        Config::new().server_name("test"),
    );
    peer.send(get("/"));
    peer
}

#[test]
fn the_head_has_what_it_must_have() {
    let mut peer = serve(|| Response::text("hello").header("x-one", "1").header("X-Two", "2"));
    let answer = peer.answers().remove(0);
    assert_eq!(answer.status, 200);
    let date = answer.header("date").unwrap();
    let age = std::time::SystemTime::now().duration_since(httpdate::parse_http_date(date).unwrap()).unwrap();
    assert!(age.as_secs() < 60, "{date}");
    let others: Vec<_> = ["content-length", "content-type", "server", "x-one", "x-two", "connection"]
        .map(|name| answer.header(name))
        .into();
    let expected = [Some("5"), Some("text/plain; charset=utf-8"), Some("test"), Some("1"), Some("2"), None];
    assert_eq!(others, expected);
}

#[test]
fn no_body_on_head_1xx_204_304() {
    let mut peer = peer();
    for (path, length) in [("/", Some("4")), ("/sized", Some("6")), ("/chunks", None)] {
        peer.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answers = parse_answers(&peer.take_output(), true);
        assert_eq!((answers.len(), answers[0].status, answers[0].header("content-length")), (1, 200, length));
    }
    for code in [204, 304] {
        peer.send(get(&format!("/status/{code}")));
        let answers = peer.answers();
        assert_eq!((answers.len(), answers[0].status), (1, code));
        assert_eq!((answers[0].header("content-length"), answers[0].header("transfer-encoding")), (None, None));
    }
    peer.send(get("/status/205"));
    assert_eq!(peer.answers()[0].header("content-length"), Some("0"));
    // An interim status can't be an answer: the peer would wait for the final one for ever.
    peer.send(get("/status/101"));
    assert_eq!(peer.statuses(), [500]);
    peer.send(get("/status/799"));
    assert_eq!(peer.statuses(), [799]);
}

#[test]
fn headers_that_would_split_an_answer_are_refused() {
    for (name, value) in [
        ("x", "a\r\nSet-Cookie: b"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x\r\ny", "a"),
        ("x:", "a"),
        ("x y", "a"),
        ("", "a"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade"),
    ] {
        assert!(Response::text("").try_header(name, value).is_err(), "{name:?}: {value:?}");
        let mut peer = serve(move || Response::text("secret").header(name, value));
        let answers = peer.answers();
        assert_eq!((answers.len(), answers[0].status, answers[0].text()), (1, 500, ""), "{name:?}: {value:?}");
    }
}

/// Once the head is out, only a broken connection says that the body is not whole.
#[test]
fn a_body_that_fails_is_never_a_clean_end() {
    for (path, version) in [("/broken", "1.1"), ("/broken", "1.0")] {
        let mut peer = peer();
        peer.send(format!("GET {path} HTTP/{version}\r\nHost: a\r\n\r\n{}", get("/evil")));
        assert!(!peer.is_open() && peer.wire().aborted);
        let output = String::from_utf8(peer.take_output()).unwrap();
        assert!(!output.contains("0\r\n\r\n") && !output.contains("evil"), "{output}");
    }
    for len in [5, 7] {
        let mut peer = serve(move || Response::new(pieces(["one", "two"], Some(len))));
        assert!(!peer.is_open() && peer.wire().aborted, "a body of 6 bytes as one of {len}");
        let output = String::from_utf8(peer.take_output()).unwrap();
        assert!(!output.ends_with("\r\n\r\nonetwo"), "{output}");
    }
    let mut panics = serve(|| {
        let stream =
            futures_lite::stream::repeat_with(|| -> io::Result<Bytes> { panic!("this panic is part of the test") });
        Response::new(Body::stream(stream, None))
    });
    assert!(!panics.is_open() && panics.wire().aborted);
    assert!(!panics.take_output().ends_with(b"0\r\n\r\n"));
}

#[test]
fn a_panic_is_a_500_and_the_end_of_that_connection() {
    let mut peer = peer();
    peer.send(format!("{}{}{}", get("/"), get("/panic"), get("/evil"))).send_eof();
    let answers = peer.answers();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 500]);
    assert_eq!(answers[1].header("connection"), Some("close"));
    assert!(!peer.is_open());

    let in_the_call = |_: Request| -> std::future::Ready<Response> { panic!("this panic is part of the test") };
    let mut early = Peer::new(Router::new().get("/", in_the_call), Config::new());
    early.send(get("/"));
    assert_eq!(early.statuses(), [500]);
}

#[test]
fn large_bodies_are_not_copied() {
    static BODY: [u8; 100_000] = [b'x'; 100_000];
    let mut peer = serve(|| Response::new(&BODY[..]));
    assert_eq!(peer.wire().writes, 1);
    assert_eq!(peer.answers()[0].body, BODY);
}

#[test]
fn common_types_are_answers() {
    let body = |response: Response| {
        let status = response.code().code();
        let mut peer = Peer::new(
            Router::new().get("/", {
                let cell = std::sync::Mutex::new(Some(response));
                move |_: Request| std::future::ready(cell.lock().unwrap().take().unwrap())
            }),
            Config::new(),
        );
        peer.send(get("/"));
        (status, peer.answers().pop().unwrap().text().to_owned())
    };
    assert_eq!(body("a".into_response()), (200, "a".into()));
    assert_eq!(body(String::from("a").into_response()), (200, "a".into()));
    assert_eq!(body(vec![b'a'].into_response()), (200, "a".into()));
    assert_eq!(body((Status::CREATED, "a").into_response()), (201, "a".into()));
    assert_eq!(body(Status::CONFLICT.into_response()), (409, "".into()));
    assert_eq!(body(().into_response()), (204, "".into()));
    assert_eq!(body(Err::<(), _>(io::Error::from(io::ErrorKind::NotFound)).into_response()), (404, "".into()));
}
