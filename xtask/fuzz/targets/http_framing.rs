//! Framing is what RFC 9112 section 6.3 says of the lines as a whole, told apart by a second, slower reading of them.
#![no_main]

use fuzz::Choices;
use libfuzzer_sys::fuzz_target;
use tiny_coro_http::parse::{Framing, Limits, Status, parse_head};

const NAMES: [&str; 8] = [
    "Content-Length",
    "content-length",
    "Transfer-Encoding",
    "TRANSFER-ENCODING",
    "Host",
    "Connection",
    "Content-Length ",
    "X-Other",
];
const VALUES: [&str; 16] = [
    "0",
    "5",
    "+5",
    "-5",
    "5, 5",
    "0x5",
    "18446744073709551615",
    "18446744073709551616",
    "chunked",
    "Chunked",
    "xchunked",
    "chunked, chunked",
    "identity",
    "close",
    "a",
    "",
];
const METHODS: [&str; 4] = ["POST", "PUT", "GET", "DELETE"];

/// What a careful reader of the lines would decide; `None` if that is to refuse.
fn decide(method: &str, minor: u8, lines: &[(String, Vec<u8>)]) -> Option<Framing> {
    let valid = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !lines.iter().all(|(name, value)| valid(name) && value.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f))) {
        return None;
    }
    let of = |wanted: &str| -> Vec<&[u8]> {
        lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| &value[..]).collect()
    };
    let (lengths, codings, hosts) = (of("content-length"), of("transfer-encoding"), of("host"));
    if lengths.len() + codings.len() > 1 || hosts.len() > 1 || (minor == 1 && hosts.is_empty()) {
        return None;
    }
    let trimmed = |value: &[u8]| String::from_utf8_lossy(value).trim_matches([' ', '\t']).to_owned();
    let framing = match (lengths.first(), codings.first()) {
        (None, None) => Framing::None,
        (_, Some(coding))
            if minor == 1 && !coding.contains(&b'\t') && trimmed(coding).eq_ignore_ascii_case("chunked") =>
        {
            Framing::Chunked
        }
        (Some(length), None) if !length.contains(&b'\t') => {
            let text = trimmed(length);
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            match text.parse::<u64>().ok().filter(|_| digits)? {
                0 => Framing::None,
                length => Framing::Length(length),
            }
        }
        _ => return None,
    };
    let bodiless = matches!(method, "GET" | "DELETE");
    (!(bodiless && framing != Framing::None)).then_some(framing)
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let method = METHODS[choices.below(METHODS.len())];
    let minor = u8::from(!choices.byte().is_multiple_of(4));
    let mut lines = vec![("Host".to_owned(), b"a".to_vec())];
    while !choices.is_empty() && lines.len() < 8 {
        let name = NAMES[choices.below(NAMES.len())].to_owned();
        let mut value = VALUES[choices.below(VALUES.len())].as_bytes().to_vec();
        // Sometimes one byte more, anywhere.
        if choices.byte().is_multiple_of(2) {
            let at = choices.below(value.len() + 1);
            let byte = choices.byte();
            // These would end the line; obs-text in a Host is another matter.
            if !matches!(byte, b'\r' | b'\n') && byte.is_ascii() {
                value.insert(at, byte);
            }
        }
        lines.push((name, value));
    }
    let mut head = format!("{method} / HTTP/1.{minor}\r\n").into_bytes();
    for (name, value) in &lines {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    let ours = match parse_head(&head, &Limits::default()) {
        Ok(Status::Complete(head)) => Some(head.framing),
        Ok(Status::Partial) => panic!("a whole head is not partial"),
        Err(_) => None,
    };
    assert_eq!(ours, decide(method, minor, &lines), "{}", String::from_utf8_lossy(&head));
});
