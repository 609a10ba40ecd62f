//! The incremental request parser.

use std::fmt;

use memchr::memchr;

use super::args::{Args, Span};
use super::{inline, parse_integer};

/// A line (inline request, array header, bulk header) may be this long.
pub(crate) const MAX_LINE: usize = 64 * 1024;
/// An array may have this many arguments.
pub(crate) const MAX_ARGS: i64 = 1024 * 1024;
/// One argument may be this long.
pub(crate) const MAX_BULK: i64 = 512 * 1024 * 1024;
/// One whole request may be this long: what a client can make the server hold.
pub(crate) const MAX_FRAME: usize = 1024 * 1024 * 1024;

/// A vector of argument slots above this is given back after the request that needed it.
const KEPT_SLOTS: usize = 1024;

/// What [`Parser::parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The request isn't whole: call again with the same bytes and more behind them.
    Partial,
    /// The first so many bytes were a request; its arguments (none for an empty line) are [`Parser::args`].
    Complete(usize),
}

/// A frame that is not RESP: R4. The text is what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    ArrayLength,
    ArrayHeaderTooLong,
    NotABulk(u8),
    BulkLength,
    BulkHeaderTooLong,
    BulkEnd,
    InlineTooLong,
    UnbalancedQuotes,
    FrameTooLong,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProtocolError::ArrayLength => "invalid multibulk length",
            ProtocolError::ArrayHeaderTooLong => "too big mbulk count string",
            ProtocolError::NotABulk(found) if found.is_ascii_graphic() => {
                return write!(f, "expected '$', got '{}'", *found as char);
            }
            ProtocolError::NotABulk(found) => return write!(f, "expected '$', got '{}'", found.escape_ascii()),
            ProtocolError::BulkLength => "invalid bulk length",
            ProtocolError::BulkHeaderTooLong => "too big bulk count string",
            ProtocolError::BulkEnd => "expected CRLF after the bulk",
            ProtocolError::InlineTooLong => "too big inline request",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::FrameTooLong => "too big request",
        })
    }
}

/// Where the parser stands in the current request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte, or somewhere in the first line.
    Start,
    /// In the header of the next of `missing` arguments.
    Header { missing: u32 },
    /// In the text, `len` bytes long, of the next of `missing` arguments.
    Text { missing: u32, len: u32 },
}

/// Reads requests from a growing buffer and remembers where it stopped.
///
/// ```text
///          '*' line          '$' line            text and CRLF
///  Start ───────────▶ Header ─────────▶ Text ──────────┐
///    ▲  ╲  other: inline line    ▲        missing > 0  │
///    │   ╲─────▶ Complete        └─────────────────────┤
///    └──────────────── Complete ◀──────── missing = 0 ─┘
/// ```
#[derive(Debug)]
pub(crate) struct Parser {
    state: State,
    /// The bytes before this have been understood.
    position: usize,
    /// No line end lies between `position` and this: a line that comes byte by byte is searched once.
    searched: usize,
    spans: Vec<Span>,
    /// The text of an inline request's arguments, which its escapes make differ from the input.
    inline_text: Vec<u8>,
    is_inline: bool,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Parser {
            state: State::Start,
            position: 0,
            searched: 0,
            spans: Vec::new(),
            inline_text: Vec::new(),
            is_inline: false,
        }
    }

    /// Goes on with the request whose first byte is `input[0]`.
    ///
    /// After [`Status::Complete`] the next call begins a new request: the caller has taken the old one off the front.
    pub(crate) fn parse(&mut self, input: &[u8]) -> Result<Status, ProtocolError> {
        if self.position == 0 && self.state == State::Start {
            self.begin();
        }
        loop {
            let advanced = match self.state {
                State::Start => match input.first() {
                    None => false,
                    Some(b'*') => self.array_header(input)?,
                    Some(_) => return self.inline(input),
                },
                State::Header { missing: 0 } => return Ok(self.complete()),
                State::Header { missing } => self.bulk_header(input, missing)?,
                State::Text { missing, len } => self.bulk_text(input, missing, len)?,
            };
            if !advanced {
                return Ok(Status::Partial);
            }
        }
    }

    /// The arguments of the request that was just [`Status::Complete`]; `input` is what `parse` was given.
    pub(crate) fn args<'a>(&'a self, input: &'a [u8]) -> Args<'a> {
        Args::new(if self.is_inline { &self.inline_text } else { input }, &self.spans)
    }

    /// How many more bytes the argument that is being read needs, so that the caller can make room as they come.
    pub(crate) fn missing(&self, input: &[u8]) -> usize {
        match self.state {
            State::Text { len, .. } => (self.position + len as usize + 2).saturating_sub(input.len()),
            _ => 0,
        }
    }

    fn begin(&mut self) {
        self.spans.clear();
        self.inline_text.clear();
        self.is_inline = false;
        if self.spans.capacity() > KEPT_SLOTS {
            self.spans = Vec::new();
        }
    }

    fn complete(&mut self) -> Status {
        self.state = State::Start;
        self.searched = 0;
        Status::Complete(std::mem::take(&mut self.position))
    }

    fn array_header(&mut self, input: &[u8]) -> Result<bool, ProtocolError> {
        let Some(line) = self.line(input, ProtocolError::ArrayHeaderTooLong, ProtocolError::ArrayLength)? else {
            return Ok(false);
        };
        let missing = match parse_integer(&line[1..]) {
            Some(count @ ..=MAX_ARGS) => count.max(0) as u32,
            _ => return Err(ProtocolError::ArrayLength),
        };
        self.state = State::Header { missing };
        Ok(true)
    }

    fn bulk_header(&mut self, input: &[u8], missing: u32) -> Result<bool, ProtocolError> {
        match input.get(self.position) {
            None => return Ok(false),
            Some(b'$') => {}
            Some(&other) => return Err(ProtocolError::NotABulk(other)),
        }
        let Some(line) = self.line(input, ProtocolError::BulkHeaderTooLong, ProtocolError::BulkLength)? else {
            return Ok(false);
        };
        let len = match parse_integer(&line[1..]) {
            Some(len @ 0..=MAX_BULK) => len as u32,
            _ => return Err(ProtocolError::BulkLength),
        };
        if self.position + len as usize > MAX_FRAME {
            return Err(ProtocolError::FrameTooLong);
        }
        self.state = State::Text { missing, len };
        Ok(true)
    }

    fn bulk_text(&mut self, input: &[u8], missing: u32, len: u32) -> Result<bool, ProtocolError> {
        let end = self.position + len as usize;
        match input.get(end..).unwrap_or(&[]) {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] => return Ok(false),
            _ => return Err(ProtocolError::BulkEnd),
        }
        self.spans.push(Span { start: self.position as u32, len });
        self.position = end + 2;
        self.searched = self.position;
        self.state = State::Header { missing: missing - 1 };
        Ok(true)
    }

    /// Takes a line that ends in CRLF and starts at `position`, and moves behind it.
    fn line<'a>(
        &mut self,
        input: &'a [u8],
        too_long: ProtocolError,
        malformed: ProtocolError,
    ) -> Result<Option<&'a [u8]>, ProtocolError> {
        let from = self.searched.max(self.position);
        let Some(end) = memchr(b'\r', &input[from..]).map(|offset| from + offset) else {
            self.searched = input.len();
            return if input.len() - self.position > MAX_LINE { Err(too_long) } else { Ok(None) };
        };
        if end - self.position > MAX_LINE {
            return Err(too_long);
        }
        match input.get(end + 1) {
            Some(b'\n') => {
                let line = &input[self.position..end];
                self.position = end + 2;
                self.searched = self.position;
                Ok(Some(line))
            }
            Some(_) => Err(malformed),
            None => {
                self.searched = end;
                Ok(None)
            }
        }
    }

    /// An inline request ends at the first line feed; a carriage return before it is not part of it.
    fn inline(&mut self, input: &[u8]) -> Result<Status, ProtocolError> {
        let Some(end) = memchr(b'\n', &input[self.searched..]).map(|offset| self.searched + offset) else {
            self.searched = input.len();
            return if input.len() > MAX_LINE { Err(ProtocolError::InlineTooLong) } else { Ok(Status::Partial) };
        };
        if end > MAX_LINE {
            return Err(ProtocolError::InlineTooLong);
        }
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        self.is_inline = true;
        inline::split(line, &mut self.inline_text, &mut self.spans)
            .map_err(|inline::Unbalanced| ProtocolError::UnbalancedQuotes)?;
        self.position = end + 1;
        Ok(self.complete())
    }
}
