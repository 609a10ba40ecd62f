//! A head is decided once: a prefix is not enough, or already what the whole is. And the parser agrees with one that is not ours
//! about what is certainly no head.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tiny_coro_http::parse::{Limits, Status, empty_lines, parse_head};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let bytes = &data[empty_lines(data)..];
    let summary = |len: usize| {
        parse_head(&bytes[..len], &limits).map(|status| match status {
            Status::Complete(head) => {
                Some((head.len, head.method, head.version, head.framing, head.keep_alive, head.headers.len()))
            }
            Status::Partial => None,
        })
    };
    let whole = summary(bytes.len());
    for len in 0..bytes.len().min(300) {
        match summary(len) {
            Ok(None) => {}
            decided => assert_eq!(decided, whole, "decided otherwise at {len}"),
        }
    }
    if let Ok(Some((len, .., headers))) = whole {
        assert!(len <= limits.max_head && bytes[..len].ends_with(b"\r\n\r\n"));
        let mut theirs = [httparse::EMPTY_HEADER; 128];
        let mut request = httparse::Request::new(&mut theirs);
        assert_eq!(request.parse(bytes), Ok(httparse::Status::Complete(len)), "the other parser does not take it");
        assert_eq!(request.headers.len(), headers);
    }
});
