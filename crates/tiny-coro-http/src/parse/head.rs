//! Request line and headers.

use std::mem::MaybeUninit;

use super::framing::{Fields, Framing, is_authority};
use super::{ParseError, Status, Version};
use crate::method::Method;

/// Bounds what a request head may ask for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the whole head, blank line included. At most 65,535, so that an offset fits into 16 bits. Default 16,384.
    pub max_head: usize,
    /// Bytes of the request target. Default 8,192.
    pub max_target: usize,
    /// Header lines. Default 100.
    pub max_headers: usize,
    /// Whether GET, HEAD, DELETE, TRACE and CONNECT may carry a body. Default false: refused, as a smuggling attempt.
    pub any_body: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_head: 16 * 1024, max_target: 8 * 1024, max_headers: 100, any_body: false }
    }
}

/// A piece of the head: offset and length, 4 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u16,
    len: u16,
}

impl Span {
    pub(crate) fn new(start: usize, len: usize) -> Self {
        debug_assert!(start + len <= usize::from(u16::MAX));
        Self { start: start as u16, len: len as u16 }
    }

    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let start = usize::from(self.start);
        start..start + usize::from(self.len)
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.range()]
    }
}

/// How many headers are indexed without an allocation.
const INLINE: usize = 16;

/// Says where each header's name and value stand in the head: 8 bytes a header, on the heap only beyond 16.
#[derive(Clone, Debug, Default)]
pub struct HeaderIndex {
    len: u16,
    inline: [(Span, Span); INLINE],
    spilled: Vec<(Span, Span)>,
}

impl HeaderIndex {
    #[inline]
    fn push(&mut self, entry: (Span, Span)) {
        let len = usize::from(self.len);
        if len < INLINE {
            self.inline[len] = entry;
        } else {
            if len == INLINE {
                self.spilled.extend_from_slice(&self.inline);
            }
            self.spilled.push(entry);
        }
        self.len += 1;
    }

    pub(crate) fn entries(&self) -> &[(Span, Span)] {
        let len = usize::from(self.len);
        if len <= INLINE { &self.inline[..len] } else { &self.spilled }
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A request head, as offsets into the bytes that were parsed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Head {
    /// How many bytes the head takes, blank line included.
    pub len: usize,
    /// The method.
    pub method: Method,
    /// The version.
    pub version: Version,
    /// Where the body ends.
    pub framing: Framing,
    /// Whether the peer wants to keep the connection.
    pub keep_alive: bool,
    /// Whether the peer waits for `100 Continue`.
    pub expect_continue: bool,
    /// Where the headers are.
    pub headers: HeaderIndex,
    pub(crate) method_len: u16,
    pub(crate) target: Span,
    pub(crate) authority: Span,
    pub(crate) path: Span,
    pub(crate) query: Option<Span>,
}

/// Counts the bytes of empty lines before a request line, which a server ought to ignore
/// ([RFC 9112 section 2.2](https://www.rfc-editor.org/rfc/rfc9112#section-2.2)).
pub fn empty_lines(bytes: &[u8]) -> usize {
    bytes.chunks_exact(2).take_while(|pair| pair == b"\r\n").count() * 2
}

/// How many headers the first attempt has room for: on the stack, uninitialised, free of cost.
const SCRATCH: usize = 64;

/// Parses the request head at the start of `bytes`, which begin with the request line (see [`empty_lines`]).
///
/// # Errors
///
/// The first thing that is wrong, in the order of the bytes; what only the whole head can show comes after that.
pub fn parse_head(bytes: &[u8], limits: &Limits) -> Result<Status<Head>, ParseError> {
    let max_head = limits.max_head.min(usize::from(u16::MAX));
    let window = &bytes[..bytes.len().min(max_head)];
    match window {
        [] | [b'\r'] => return Ok(Status::Partial),
        [b'\r' | b'\n', ..] => return Err(ParseError::Malformed("stray line end before the request line")),
        _ => {}
    }
    if window.len() > limits.max_target {
        check_target_length(window, limits.max_target)?;
    }
    let mut scratch = [const { MaybeUninit::uninit() }; SCRATCH];
    // The shortest line that the parser takes for a header is `a:` and a line feed.
    let max_headers = limits.max_headers.min(max_head / 3 + 1);
    let room = max_headers.min(SCRATCH);
    let mut request = httparse::Request::new(&mut []);
    let parsed = match request.parse_with_uninit_headers(window, &mut scratch[..room]) {
        Err(httparse::Error::TooManyHeaders) if max_headers > SCRATCH => {
            let mut scratch = vec![httparse::EMPTY_HEADER; max_headers];
            let mut request = httparse::Request::new(&mut scratch);
            let parsed = request.parse(window);
            return conclude(window, max_head, limits, parsed, &request);
        }
        parsed => parsed,
    };
    conclude(window, max_head, limits, parsed, &request)
}

fn conclude(
    window: &[u8],
    max_head: usize,
    limits: &Limits,
    parsed: httparse::Result<usize>,
    request: &httparse::Request<'_, '_>,
) -> Result<Status<Head>, ParseError> {
    match parsed {
        Ok(httparse::Status::Complete(len)) => examine(&window[..len], limits, request).map(Status::Complete),
        Ok(httparse::Status::Partial) if window.len() == max_head => Err(ParseError::HeadTooLarge),
        Ok(httparse::Status::Partial) => Ok(Status::Partial),
        Err(httparse::Error::TooManyHeaders) => Err(ParseError::TooManyHeaders),
        Err(error) => Err(ParseError::Malformed(match error {
            httparse::Error::HeaderName => "invalid header name",
            httparse::Error::HeaderValue => "invalid header value",
            httparse::Error::NewLine => "invalid line end",
            httparse::Error::Version => "not HTTP/1.0 or HTTP/1.1",
            _ => "invalid request line",
        })),
    }
}

/// Refuses a target that is too long before its end has arrived, so that the peer hears 414 and not 431.
fn check_target_length(window: &[u8], max_target: usize) -> Result<(), ParseError> {
    // A byte that no target may hold ends it here: the parser then reports that byte, as it does when it comes alone.
    let is_end = |&byte: &u8| byte <= b' ' || byte == 0x7f;
    let Some(space) = window.iter().position(is_end) else { return Ok(()) };
    if space == 0 || window[space] != b' ' || !window[..space].iter().all(|&byte| super::is_token_byte(byte)) {
        return Ok(());
    }
    let target = &window[space + 1..];
    let len = target.iter().take(max_target + 1).position(is_end);
    if len.is_none() && target.len() > max_target { Err(ParseError::TargetTooLong) } else { Ok(()) }
}

/// Walks over the lines that httparse accepted: indexes them, and checks what it lets pass (a bare LF as line end).
fn examine(head: &[u8], limits: &Limits, request: &httparse::Request<'_, '_>) -> Result<Head, ParseError> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(ParseError::Malformed("invalid request line"));
    };
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    let target_span = Span::new(method.len() + 1, target.len());
    // The version is eight bytes and one space stands before it.
    let mut cursor = line_end(head, target_span.range().end + 9)?;

    let mut headers = HeaderIndex::default();
    let mut fields = Fields::default();
    for header in request.headers.iter() {
        let name = Span::new(cursor, header.name.len());
        let colon = name.range().end;
        let value_start = skip_blanks(head, colon + 1);
        let value = Span::new(value_start, header.value.len());
        let end = skip_blanks(head, value.range().end);
        fields.observe(header.name.as_bytes(), header.value, head.get(colon + 1..end).unwrap_or_default())?;
        headers.push((name, value));
        cursor = line_end(head, end)?;
    }
    if line_end(head, cursor)? != head.len() {
        return Err(ParseError::Malformed("invalid line end"));
    }

    let parsed_method = Method::from_token(method.as_bytes());
    let parts = split_target(parsed_method, target.as_bytes(), target_span)?;
    if target.len() > limits.max_target {
        return Err(ParseError::TargetTooLong);
    }
    Ok(Head {
        len: head.len(),
        method: parsed_method,
        version,
        framing: fields.framing(parsed_method, version, limits.any_body)?,
        keep_alive: fields.wants_keep_alive(version),
        expect_continue: fields.expects_continue(version),
        headers,
        method_len: method.len() as u16,
        target: target_span,
        authority: parts.authority,
        path: parts.path,
        query: parts.query,
    })
}

#[inline]
fn line_end(head: &[u8], at: usize) -> Result<usize, ParseError> {
    match head.get(at..at + 2) {
        Some(b"\r\n") => Ok(at + 2),
        _ => Err(ParseError::Malformed("a line does not end with CR LF")),
    }
}

#[inline]
fn skip_blanks(head: &[u8], mut at: usize) -> usize {
    while matches!(head.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

struct TargetParts {
    authority: Span,
    path: Span,
    query: Option<Span>,
}

/// Splits the target by its form ([RFC 9112 section 3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
fn split_target(method: Method, target: &[u8], span: Span) -> Result<TargetParts, ParseError> {
    let base = span.range().start;
    let empty = Span::new(base, 0);
    // One pass: the first question mark, and whether all bytes are allowed.
    let mut question = None;
    for (at, &byte) in target.iter().enumerate() {
        match byte {
            b'?' if question.is_none() => question = Some(at),
            b'#' | ..=b' ' | 0x7f.. => {
                return Err(ParseError::Malformed("a byte in the request target that must be percent-encoded"));
            }
            _ => {}
        }
    }
    let path_from = |start: usize| {
        let path = Span::new(base + start, question.unwrap_or(target.len()) - start);
        (path, question.map(|at| Span::new(base + at + 1, target.len() - at - 1)))
    };
    let invalid = Err(ParseError::Malformed("invalid request target"));
    match target {
        _ if method == Method::Connect => {
            if !is_authority(target) {
                return invalid;
            }
            Ok(TargetParts { authority: span, path: empty, query: None })
        }
        [b'/', ..] => {
            let (path, query) = path_from(0);
            Ok(TargetParts { authority: empty, path, query })
        }
        b"*" if method == Method::Options => Ok(TargetParts { authority: empty, path: span, query: None }),
        _ => {
            let Some(scheme) = scheme_len(target) else { return invalid };
            let rest = &target[scheme..];
            let end = rest.iter().position(|&byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
            if !is_authority(&rest[..end]) {
                return invalid;
            }
            let (path, query) = path_from(scheme + end);
            Ok(TargetParts { authority: Span::new(base + scheme, end), path, query })
        }
    }
}

fn scheme_len(target: &[u8]) -> Option<usize> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .map(<[u8]>::len)
}
