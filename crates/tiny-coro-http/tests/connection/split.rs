use proptest::prelude::*;
use tiny_coro_http::Config;

use crate::harness::{Answer, Peer, router};

/// A request, and whether it leaves the connection usable.
fn request() -> impl Strategy<Value = String> {
    let body = "[a-z]{0,40}";
    let chunks = prop::collection::vec("[a-z]{1,20}", 0..4);
    prop_oneof![
        4 => Just("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        1 => Just("\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        1 => Just("GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        1 => Just("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        1 => Just("GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n".to_owned()),
        1 => Just("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned()),
        2 => ("[a-z]{1,9}", 0..40_usize).prop_map(|(name, count)| {
            format!("GET /hello/{name} HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-Some: thing\r\n".repeat(count))
        }),
        3 => (body, prop::sample::select(vec!["echo", "ignore", "stream"])).prop_map(|(body, path)| {
            format!("POST /{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }),
        3 => chunks.prop_map(|chunks| {
            let chunks: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        }),
    ]
}

/// What the peer sees: the bytes without the dates, and whether the connection ended.
fn play(pieces: &[&[u8]], window: usize) -> (String, bool) {
    let mut peer = Peer::new(router(), Config::new());
    for piece in pieces {
        peer.wire().window = window;
        peer.send(piece);
    }
    while peer.is_open() && peer.wire().window == 0 {
        peer.open_window(window);
    }
    peer.open_window(usize::MAX);
    let output = String::from_utf8(peer.take_output()).unwrap();
    let lines = output.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: "));
    (lines.collect(), peer.is_ended())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// P1: any split of the bytes, read and written, gives the same answers.
    #[test]
    fn any_split_gives_the_same_answers(
        requests in prop::collection::vec(request(), 1..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        window in 1..2_000_usize,
    ) {
        let bytes = requests.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let whole = play(&[&bytes], usize::MAX);
        let drops: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &play(&pieces, window));
        prop_assert_eq!(&whole, &play(&drops, usize::MAX));
    }

    /// Whatever comes, in whatever pieces: no panic, no endless loop, and an end once the peer has sent its last byte and time
    /// has passed.
    #[test]
    fn no_bytes_keep_a_connection_alive_for_ever(
        pieces in prop::collection::vec(
            prop_oneof![
                request().prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..30),
                Just(b"POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3".to_vec()),
                Just(b"POST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n".to_vec()),
                Just(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
                Just(b"\r\n".to_vec()),
            ],
            0..6,
        ),
        window in 0..2_000_usize,
        end in 0..3,
    ) {
        let mut peer = Peer::new(router(), Config::new());
        for piece in &pieces {
            peer.wire().window = window;
            peer.send(piece);
        }
        match end {
            0 => peer.send_eof(),
            1 => peer.send_reset(),
            _ => &mut peer,
        };
        for _ in 0..10 {
            peer.pass(std::time::Duration::from_secs(100));
        }
        let waits_for_its_handler = pieces.iter().any(|piece| piece.starts_with(b"GET /never"));
        prop_assert!(!peer.is_open() || waits_for_its_handler && end != 1);
    }

    /// What is encoded is what another parser reads.
    #[test]
    fn answers_survive_encoding_and_parsing(
        code in prop::sample::select(vec![200_u16, 201, 404, 418, 599]),
        headers in prop::collection::vec(("[a-zA-Z][a-zA-Z0-9_-]{0,12}", "([!-~][ -~]{0,20}[!-~])?"), 0..20),
        body in prop::collection::vec(any::<u8>(), 0..10_000),
        pieces in prop::option::of(1..5_000_usize),
    ) {
        use tiny_coro_http::{Body, Request, Response, Router, Status};
        let (sent_headers, sent_body) = (headers.clone(), body.clone());
        let router = Router::new().get("/", move |_: Request| {
            let body = match pieces {
                None => Body::from(sent_body.clone()),
                Some(size) => {
                    let pieces: Vec<_> = sent_body.chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec().into())).collect();
                    Body::stream(futures_lite::stream::iter(pieces), None)
                }
            };
            let start = Response::new(body).with_status(Status::new(code).unwrap());
            let response = sent_headers.iter().fold(start, |response, (name, value)| response.header(&format!("x-{name}"), value));
            async move { response }
        });
        let mut peer = Peer::new(router, Config::new());
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let answers: Vec<Answer> = peer.answers();
        prop_assert_eq!(answers.len(), 1);
        prop_assert_eq!(answers[0].status, code);
        prop_assert!(answers[0].body == body);
        let own = |(name, value): &(String, Vec<u8>)| {
            name.strip_prefix("x-").map(|name| (name.to_owned(), String::from_utf8(value.clone()).unwrap()))
        };
        prop_assert_eq!(answers[0].headers.iter().filter_map(own).collect::<Vec<_>>(), headers);
    }
}
