//! The sans-io front: pure functions from bytes to requests.
//!
//! Nothing here reads a socket, keeps a clock or allocates per header. Each function is told all the bytes received so
//! far and answers [`Status::Partial`] when it needs more. **P1**: however the bytes of a message are cut into reads,
//! the result is the same, once the line with the fault or the input is at its end; `tests/properties.rs` and `tests/connection/framing.rs` hold this for every cut.
//!
//! ```
//! use tiny_coro_http::parse::{Framing, Limits, Status, parse_head};
//!
//! let limits = Limits::default();
//! let bytes = b"POST /echo?x=1 HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\nhi";
//! assert!(matches!(parse_head(&bytes[..20], &limits), Ok(Status::Partial)));
//! let Ok(Status::Complete(head)) = parse_head(bytes, &limits) else { panic!() };
//! assert_eq!(head.framing, Framing::Length(2));
//! assert_eq!(&bytes[head.len..], b"hi");
//! ```

mod chunked;
mod framing;
mod head;

pub use chunked::{ChunkEvent, ChunkedDecoder};
pub use framing::{Fields, Framing};
pub(crate) use head::Span;
pub use head::{Head, HeaderIndex, Limits, empty_lines, parse_head};

use std::fmt;

/// Says whether the bytes seen so far are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<T> {
    /// The whole thing was there.
    Complete(T),
    /// Nothing is wrong, but more bytes are needed.
    Partial,
}

/// Tells HTTP/1.0 from HTTP/1.1. Every other version is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0: one request a connection unless `Connection: keep-alive` says otherwise, never chunked.
    Http10,
    /// HTTP/1.1
    Http11,
}

/// Says why bytes are not a request that will be served. The connection answers [`status`](Self::status) and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes break RFC 9112; the text says how.
    Malformed(&'static str),
    /// The request target is longer than [`Limits::max_target`].
    TargetTooLong,
    /// The head is longer than [`Limits::max_head`].
    HeadTooLarge,
    /// There are more headers than [`Limits::max_headers`].
    TooManyHeaders,
    /// An `Expect` header asks for something other than `100-continue`.
    Expectation,
}

impl ParseError {
    /// The status that the peer is to be told.
    pub const fn status(self) -> crate::Status {
        match self {
            Self::Malformed(_) => crate::Status::BAD_REQUEST,
            Self::TargetTooLong => crate::Status::URI_TOO_LONG,
            Self::HeadTooLarge | Self::TooManyHeaders => crate::Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Expectation => crate::Status::EXPECTATION_FAILED,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed request: {what}"),
            Self::TargetTooLong => f.write_str("the request target is longer than the limit"),
            Self::HeadTooLarge => f.write_str("the request head is longer than the limit"),
            Self::TooManyHeaders => f.write_str("the request has more headers than the limit"),
            Self::Expectation => f.write_str("the request expects something other than 100-continue"),
        }
    }
}

impl std::error::Error for ParseError {}

/// Whether `byte` may stand in a header name or a method ([RFC 9110 section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.'
        | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Whether `byte` may stand in a header value: visible, space, tab or obs-text.
pub(crate) const fn is_value_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}
