//! Whatever a handler puts into an answer, another parser reads that and nothing more: no header and no second answer can be
//! smuggled into it.
#![no_main]

use fuzz::{Choices, answer};
use libfuzzer_sys::fuzz_target;
use tiny_coro_http::{Body, Request, Response, Router, Status};

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let code = 200 + choices.below(400) as u16;
    let mut headers = Vec::new();
    for _ in 0..choices.below(6) {
        let (name, value) = (choices.below(12), choices.below(12));
        let mut text = |len: usize| (0..len).map(|_| char::from(choices.byte())).collect::<String>();
        headers.push((text(name), text(value)));
    }
    let body = choices.rest().to_vec();
    let (sent_headers, sent_body) = (headers.clone(), body.clone());
    let router = Router::new().get("/", move |_: Request| {
        let mut response =
            Response::new(Body::from(sent_body.clone())).with_status(Status::new(code).expect("in range"));
        for (name, value) in &sent_headers {
            // What is invalid is refused here; what is not is written as it is.
            if Response::text("").try_header(name, value).is_ok() {
                response = response.header(name, value);
            }
        }
        async move { response }
    });
    let output = answer(router, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut theirs = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut theirs);
    let parsed = head.parse(&output).expect("another parser reads it");
    let httparse::Status::Complete(len) = parsed else { panic!("half a head") };
    assert_eq!(head.code, Some(code));
    assert!(head.headers.len() <= headers.len() + 6, "a header came from nowhere");
    if !matches!(code, 204 | 205 | 304) {
        assert_eq!(&output[len..], &body[..]);
    } else {
        assert_eq!(output.len(), len, "a body where there is none");
    }
});
