//! The parser's promises, R1 to R4.

use proptest::prelude::*;

use super::parser::{MAX_ARGS, MAX_BULK, MAX_LINE, ProtocolError};
use super::{Parser, Status};

/// What a stream turns out to be: its requests, and the error that ended it, if one did.
type Reading = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

/// Reads `stream` as it would come in pieces that end at `cuts`.
fn read(stream: &[u8], cuts: impl IntoIterator<Item = usize>) -> Reading {
    let mut parser = Parser::new();
    let (mut requests, mut start) = (Vec::new(), 0);
    for end in cuts.into_iter().chain([stream.len()]) {
        loop {
            let input = &stream[start..end.max(start)];
            match parser.parse(input) {
                Ok(Status::Partial) => break,
                Ok(Status::Complete(len)) => {
                    requests.push(parser.args(input).iter().map(<[u8]>::to_vec).collect());
                    start += len;
                }
                Err(error) => return (requests, Some(error)),
            }
        }
    }
    (requests, None)
}

fn encode(request: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", request.len()).into_bytes();
    for argument in request {
        bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        bytes.extend_from_slice(argument);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[test]
fn malformed_frames_have_the_texts_of_redis_at_every_split() {
    let long = "1".repeat(MAX_LINE + 1);
    for (frame, text) in [
        ("*x\r\n", "invalid multibulk length"),
        ("*\r\n", "invalid multibulk length"),
        ("*01\r\n", "invalid multibulk length"),
        ("*+1\r\n", "invalid multibulk length"),
        ("*1\rx", "invalid multibulk length"),
        (&format!("*{}\r\n", MAX_ARGS + 1), "invalid multibulk length"),
        ("*99999999999999999999\r\n", "invalid multibulk length"),
        ("*1\r\nPING\r\n", "expected '$', got 'P'"),
        ("*1\r\n\x01", "expected '$', got '\\x01'"),
        ("*2\r\n$4\r\nECHO\r\n:1\r\n", "expected '$', got ':'"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$04\r\n", "invalid bulk length"),
        (&format!("*1\r\n${}\r\n", MAX_BULK + 1), "invalid bulk length"),
        ("*1\r\n$4\r\nPINGPONG\r\n", "expected CRLF after the bulk"),
        (&format!("*{long}"), "too big mbulk count string"),
        (&format!("*1\r\n${long}"), "too big bulk count string"),
        (&long, "too big inline request"),
        ("PING \"a\r\n", "unbalanced quotes in request"),
        ("PING \"a\"b\r\n", "unbalanced quotes in request"),
        ("PING 'a\r\n", "unbalanced quotes in request"),
    ] {
        let cuts: Vec<usize> = if frame.len() < 100 { (0..frame.len()).collect() } else { vec![1, 5, 9] };
        for cut in cuts {
            let (requests, error) = read(frame.as_bytes(), [cut]);
            assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(text), "{frame:.40?} cut at {cut}");
            assert_eq!(requests, Vec::<Vec<Vec<u8>>>::new());
        }
    }
}

#[test]
fn inline_requests_are_split_as_by_redis() {
    for (line, arguments) in [
        ("PING\r\n", &["PING"][..]),
        ("PING\n", &["PING"]),
        ("  get \t k  \r\n", &["get", "k"]),
        ("\r\n", &[]),
        ("ECHO 'a b'\r\n", &["ECHO", "a b"]),
        ("ECHO \"\\x41\\n\\t\\q\\\"\"\r\n", &["ECHO", "A\n\tq\""]),
        ("ECHO 'it\\'s' \"\"\r\n", &["ECHO", "it's", ""]),
        ("$4\r\n", &["$4"]),
        ("\0\0\r\n", &[]),
    ] {
        let expected: Vec<Vec<u8>> = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
        for cut in 0..line.len() {
            assert_eq!(read(line.as_bytes(), [cut]), (vec![expected.clone()], None), "{line:?} cut at {cut}");
        }
    }
}

#[test]
fn empty_and_negative_arrays_are_no_request() {
    let (requests, error) = read(b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n", []);
    assert_eq!(error, None);
    assert_eq!(requests, [vec![], vec![], vec![b"PING".to_vec()]]);
}

/// R2: a frame that claims half a gigabyte or a million arguments costs what it has sent.
#[test]
fn nothing_is_allocated_for_what_is_only_claimed() {
    let mut parser = Parser::new();
    let claim = format!("*{MAX_ARGS}\r\n${MAX_BULK}\r\nabc");
    assert_eq!(parser.parse(claim.as_bytes()), Ok(Status::Partial));
    assert!(parser.args(claim.as_bytes()).is_empty());
    assert_eq!(parser.missing(claim.as_bytes()), MAX_BULK as usize - 1);
}

fn requests() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let argument = proptest::collection::vec(any::<u8>(), 0..40);
    proptest::collection::vec(proptest::collection::vec(argument, 1..6), 1..5)
}

proptest! {
    /// R1 for what clients send: any pipeline, cut at every byte and at any set of bytes.
    #[test]
    fn requests_are_read_back_however_the_bytes_are_cut(
        requests in requests(),
        mut cuts in proptest::collection::vec(0..400_usize, 0..20),
    ) {
        let stream: Vec<u8> = requests.iter().flat_map(|request| encode(request)).collect();
        cuts.retain(|cut| *cut < stream.len());
        cuts.sort_unstable();
        prop_assert_eq!(&read(&stream, cuts).0, &requests);
        prop_assert_eq!(read(&stream, 0..stream.len()), (requests, None));
    }

    /// R1 for what nobody should send: bytes that nearly are a request.
    #[test]
    fn rubbish_is_read_the_same_however_the_bytes_are_cut(
        stream in proptest::collection::vec(proptest::sample::select(b"*$13-\r\n\r\n x\"'\\".to_vec()), 0..60),
    ) {
        prop_assert_eq!(read(&stream, 0..stream.len()), read(&stream, []));
    }
}
