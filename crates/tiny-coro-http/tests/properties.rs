//! The parser alone: pure functions from bytes to results.
#![cfg(not(tiny_coro_loom))]

use proptest::prelude::*;
use tiny_coro_http::parse::{ChunkEvent, ChunkedDecoder, Framing, Limits, ParseError, Status, empty_lines, parse_head};

/// Bytes that look enough like a head to come far into the parser.
fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("Host: a\r\n".to_owned()),
        Just("Content-Length: 5\r\n".to_owned()),
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        Just("Expect: 100-continue\r\n".to_owned()),
        Just("\r\n".to_owned()),
        "[ -~]{0,12}(\r\n|\n|\r)",
        "[A-Za-z]{1,9}: ?[ -~]{0,20} ?\r\n",
    ];
    let start = prop_oneof![
        4 => "(GET|POST|OPTIONS|X) (/[a-z/?]{0,20}|\\*|http://a/b) HTTP/1\\.[01]\r\n",
        1 => "[ -~\r\n\t]{0,30}",
    ];
    (start, prop::collection::vec(line, 0..8))
        .prop_map(|(start, lines)| (start + &lines.concat() + "\r\n").into_bytes())
}

/// A chunked body as an honest sender writes it, and its data.
fn chunked() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let chunk = (prop::collection::vec(any::<u8>(), 1..50), "(;[a-z]{1,5}(=[a-z]{1,5})?)?");
    let trailers = prop::collection::vec("X-[a-z]{1,9}: [a-z ]{0,9}\r\n", 0..3);
    (prop::collection::vec(chunk, 0..6), trailers).prop_map(|(chunks, trailers)| {
        let (mut coded, mut data) = (Vec::new(), Vec::new());
        for (chunk, extension) in chunks {
            coded.extend_from_slice(format!("{:X}{extension}\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(&chunk);
            coded.extend_from_slice(b"\r\n");
            data.extend_from_slice(&chunk);
        }
        coded.extend_from_slice(format!("0\r\n{}\r\n", trailers.concat()).as_bytes());
        (coded, data)
    })
}

/// Decodes `input` cut into pieces. Returns the data, how many bytes were taken, and whether the end was seen.
fn decode(input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize, bool), ParseError> {
    let (mut decoder, mut data, mut taken) = (ChunkedDecoder::new(), Vec::new(), 0);
    for &cut in cuts {
        loop {
            let (framing, event) = decoder.decode(&input[taken..cut])?;
            taken += framing;
            match event {
                ChunkEvent::NeedMore => break,
                ChunkEvent::End => return Ok((data, taken, true)),
                ChunkEvent::Data(len) => {
                    data.extend_from_slice(&input[taken..taken + len]);
                    taken += len;
                }
            }
        }
        assert_eq!(taken, cut, "what needs more has taken all");
    }
    Ok((data, taken, false))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// P1: a prefix is either not enough or already what the whole is; more bytes never change a decision.
    #[test]
    fn a_head_is_decided_once(bytes in nearly_a_head(), max_head in 20..300_usize, max_target in 1..40_usize) {
        let mut limits = Limits::default();
        (limits.max_head, limits.max_target, limits.max_headers) = (max_head, max_target, 5);
        let bytes = &bytes[empty_lines(&bytes)..];
        let summary = |len: usize| parse_head(&bytes[..len], &limits).map(|status| match status {
            Status::Complete(head) => Some((head.len, head.method, head.framing, head.keep_alive, head.headers.len())),
            Status::Partial => None,
        });
        let whole = summary(bytes.len());
        for len in 0..bytes.len() {
            match summary(len) {
                Ok(None) => {}
                decided => prop_assert_eq!(decided, whole, "at {} of {:?}", len, String::from_utf8_lossy(bytes)),
            }
        }
        if let Ok(Some((len, ..))) = whole {
            prop_assert!(len <= max_head && bytes[..len].ends_with(b"\r\n\r\n"));
        }
    }

    /// No bytes make the parser panic.
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_head(&bytes, &Limits::default());
        let _ = decode(&bytes, &[bytes.len()]);
    }

    /// P1 for the chunked coding, and decode is the inverse of encode.
    #[test]
    fn chunks_decode_to_their_data_wherever_they_are_cut(
        (coded, data) in chunked(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        rest in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let input = [&coded[..], &rest].concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.push(input.len());
        cuts.sort_unstable();
        prop_assert_eq!(decode(&input, &cuts), Ok((data.clone(), coded.len(), true)), "the next request begins where the body ends");
        let bytewise: Vec<usize> = (1..=input.len()).collect();
        prop_assert_eq!(decode(&input, &bytewise), Ok((data, coded.len(), true)));
    }

    /// P1 where the coding is broken: the cut decides nothing.
    #[test]
    fn damage_is_found_wherever_it_is_cut((coded, _) in chunked(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut input = coded;
        let at = at.index(input.len());
        input[at] = byte;
        let bytewise: Vec<usize> = (1..=input.len()).collect();
        prop_assert_eq!(decode(&input, &[input.len()]), decode(&input, &bytewise));
    }
}

/// The framing rules without a parser around them.
#[test]
fn framing_is_what_the_fields_say() {
    let framing = |lines: &str| {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        match parse_head(bytes.as_bytes(), &Limits::default()) {
            Ok(Status::Complete(head)) => Some(head.framing),
            _ => None,
        }
    };
    assert_eq!(framing(""), Some(Framing::None));
    assert_eq!(framing("Content-Length: 0\r\n"), Some(Framing::None));
    assert_eq!(framing("Content-Length: 18446744073709551615\r\n"), Some(Framing::Length(u64::MAX)));
    assert_eq!(framing("Transfer-Encoding: CHUNKED\r\n"), Some(Framing::Chunked));
    assert_eq!(framing("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), None);
}
