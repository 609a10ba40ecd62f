//! From answers to bytes.

use crate::date::DATE_LINE;
use crate::response::{ContentType, Response};
use crate::status::Status;

/// Says how the peer will know where the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body and no field about one: 1xx, 204, 304.
    Absent,
    /// `Content-Length`. For an answer to HEAD it is what GET would have sent.
    Length(u64),
    /// `Transfer-Encoding: chunked`
    Chunked,
    /// The end of the connection: a stream of unknown length to an HTTP/1.0 peer.
    UntilClose,
}

/// Says what the `Connection` field must tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// HTTP/1.1 and kept: nothing.
    Default,
    /// HTTP/1.0 and kept.
    KeepAlive,
    /// The last answer.
    Close,
}

/// Writes the head of an answer: a handful of copies into a buffer that has the room already.
#[inline]
pub(crate) fn head(
    out: &mut Vec<u8>,
    response: &Response,
    framing: Framing,
    persistence: Persistence,
    date: &[u8; DATE_LINE],
    server: &[u8],
) {
    out.reserve(256 + response.fields.len());
    status_line(out, response.status);
    match framing {
        Framing::Absent | Framing::UntilClose => {}
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Framing::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    match persistence {
        Persistence::Default => {}
        Persistence::KeepAlive => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        Persistence::Close => out.extend_from_slice(b"Connection: close\r\n"),
    }
    if !response.has_date {
        out.extend_from_slice(date);
    }
    out.extend_from_slice(server);
    match &response.content_type {
        ContentType::None => {}
        ContentType::Line(line) => out.extend_from_slice(line.as_bytes()),
        ContentType::Value(value) => {
            out.extend_from_slice(b"Content-Type: ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(&response.fields);
    out.extend_from_slice(b"\r\n");
}

fn status_line(out: &mut Vec<u8>, status: Status) {
    match status.line() {
        Some(line) => out.extend_from_slice(line),
        None => {
            // The space before an empty reason phrase is part of the grammar.
            out.extend_from_slice(b"HTTP/1.1 ");
            out.extend_from_slice(itoa::Buffer::new().format(status.code()).as_bytes());
            out.extend_from_slice(b" \r\n");
        }
    }
}

/// Writes the size line of a chunk.
pub(crate) fn chunk_size(out: &mut Vec<u8>, size: usize) {
    let mut digits = [0; usize::BITS as usize / 4];
    let mut at = digits.len();
    let mut rest = size;
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b"0123456789abcdef"[rest & 15];
        rest >>= 4;
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}
