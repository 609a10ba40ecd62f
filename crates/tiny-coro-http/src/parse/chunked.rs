//! The chunked transfer coding.

use super::{ParseError, is_token_byte, is_value_byte};

/// How many bytes of chunk extensions one body may carry in all. They are skipped, never delivered.
const MAX_EXTENSIONS: usize = 4 * 1024;
/// How many bytes the trailer section may take. It is checked and dropped.
const MAX_TRAILERS: usize = 8 * 1024;
/// A 64-bit size has 16 digits; leading zeros count, so that a size can't be dragged out.
const MAX_DIGITS: u8 = 16;

/// Says what a step of [`ChunkedDecoder::decode`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkEvent {
    /// All input is consumed and more is needed.
    NeedMore,
    /// The next so many bytes after the consumed ones are data (at least one). They count as consumed from the next
    /// call on: the caller takes them away together with the others.
    Data(usize),
    /// The body is over, trailers included.
    End,
}

/// Where in [RFC 9112 section 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1) the decoder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    SizeStart,
    Size,
    /// White space after the size: only an extension may follow, a bare `5 ` is read differently by different parsers.
    SizeBlank,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Done,
}

/// Decodes the chunked coding incrementally, strictly, without copying.
///
/// The state machine moves a byte at a time outside of data, so a cut between two bytes can't change the result.
///
/// # Examples
///
/// ```
/// use tiny_coro_http::parse::{ChunkEvent, ChunkedDecoder};
///
/// let mut decoder = ChunkedDecoder::new();
/// assert_eq!(decoder.decode(b"5\r\nhel"), Ok((3, ChunkEvent::Data(3))));
/// assert_eq!(decoder.decode(b"lo\r\n0\r\n\r\n"), Ok((0, ChunkEvent::Data(2))));
/// assert_eq!(decoder.decode(b"\r\n0\r\n\r\n"), Ok((7, ChunkEvent::End)));
/// ```
#[derive(Clone, Debug)]
pub struct ChunkedDecoder {
    state: State,
    digits: u8,
    remaining: u64,
    extensions: usize,
    trailers: usize,
    /// The name of the current trailer, lower case, as far as it can matter.
    name: [u8; 18],
    name_len: usize,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self::new()
    }
}

const fn refuse<T>(what: &'static str) -> Result<T, ParseError> {
    Err(ParseError::Malformed(what))
}

impl ChunkedDecoder {
    /// Makes a decoder that stands before the first chunk.
    pub const fn new() -> Self {
        Self {
            state: State::SizeStart,
            digits: 0,
            remaining: 0,
            extensions: 0,
            trailers: 0,
            name: [0; 18],
            name_len: 0,
        }
    }

    /// Whether the end was seen.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Decodes up to the next piece of data. Returns how many bytes of `input` are framing to be thrown away, and what
    /// follows them.
    ///
    /// # Errors
    ///
    /// [`ParseError::Malformed`] on the first byte that breaks the coding. The decoder is of no use after that.
    pub fn decode(&mut self, input: &[u8]) -> Result<(usize, ChunkEvent), ParseError> {
        let mut at = 0;
        loop {
            match self.state {
                State::Done => return Ok((at, ChunkEvent::End)),
                State::Data => {
                    let available = (input.len() - at) as u64;
                    let len = self.remaining.min(available);
                    if len == 0 {
                        return Ok((at, ChunkEvent::NeedMore));
                    }
                    self.remaining -= len;
                    if self.remaining == 0 {
                        self.state = State::DataCr;
                    }
                    return Ok((at, ChunkEvent::Data(len as usize)));
                }
                _ => match input.get(at) {
                    Some(&byte) => self.state = self.step(byte)?,
                    None => return Ok((at, ChunkEvent::NeedMore)),
                },
            }
            at += 1;
        }
    }

    fn step(&mut self, byte: u8) -> Result<State, ParseError> {
        match self.state {
            State::SizeStart | State::Size | State::SizeBlank | State::Extension | State::SizeLf => self.size(byte),
            State::DataCr if byte == b'\r' => Ok(State::DataLf),
            State::DataLf if byte == b'\n' => Ok(State::SizeStart),
            State::DataCr | State::DataLf => refuse("chunk data does not end with CR LF"),
            _ => self.trailer(byte),
        }
    }

    fn size(&mut self, byte: u8) -> Result<State, ParseError> {
        match (self.state, byte) {
            (State::SizeStart | State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if self.state == State::SizeStart {
                    (self.digits, self.remaining) = (0, 0);
                }
                self.digits += 1;
                if self.digits > MAX_DIGITS {
                    return refuse("chunk size is too long");
                }
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                self.remaining = self.remaining << 4 | u64::from(digit);
                Ok(State::Size)
            }
            (State::Size | State::Extension, b'\r') => Ok(State::SizeLf),
            (State::Size | State::SizeBlank, b';') => self.extension(),
            (State::Size | State::SizeBlank, b' ' | b'\t') => self.extension().map(|_| State::SizeBlank),
            (State::Extension, byte) if is_value_byte(byte) => self.extension(),
            (State::SizeLf, b'\n') if self.remaining == 0 => Ok(State::TrailerStart),
            (State::SizeLf, b'\n') => Ok(State::Data),
            _ => refuse("invalid chunk size line"),
        }
    }

    fn extension(&mut self) -> Result<State, ParseError> {
        self.extensions += 1;
        if self.extensions > MAX_EXTENSIONS { refuse("too many chunk extensions") } else { Ok(State::Extension) }
    }

    fn trailer(&mut self, byte: u8) -> Result<State, ParseError> {
        self.trailers += 1;
        if self.trailers > MAX_TRAILERS {
            return refuse("trailers are too long");
        }
        match (self.state, byte) {
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::TrailerStart | State::TrailerName, byte) if is_token_byte(byte) => {
                if self.state == State::TrailerStart {
                    self.name_len = 0;
                }
                if let Some(slot) = self.name.get_mut(self.name_len) {
                    *slot = byte.to_ascii_lowercase();
                    self.name_len += 1;
                }
                Ok(State::TrailerName)
            }
            (State::TrailerName, b':') if self.names_framing_field() => refuse("a framing field in the trailers"),
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, byte) if is_value_byte(byte) => Ok(State::TrailerValue),
            (State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::EndLf, b'\n') => Ok(State::Done),
            _ => refuse("invalid trailer"),
        }
    }

    /// Fields that decide about framing, routing or the body's meaning must not come after it
    /// ([RFC 9110 section 6.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1)).
    fn names_framing_field(&self) -> bool {
        let name = &self.name[..self.name_len];
        let refused: [&[u8]; 9] = [
            b"content-length",
            b"transfer-encoding",
            b"host",
            b"connection",
            b"trailer",
            b"te",
            b"expect",
            b"upgrade",
            b"content-encoding",
        ];
        refused.contains(&name)
    }
}
