//! Where a request body ends.

use super::{ParseError, Version};
use crate::method::Method;

/// Says where the body of a request ends ([RFC 9112 section 6.3](https://www.rfc-editor.org/rfc/rfc9112#section-6.3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body: the next byte begins the next request.
    None,
    /// Exactly so many bytes, at least one.
    Length(u64),
    /// Chunks, up to the one of size zero and the trailer section.
    Chunked,
}

/// Gathers the header fields that decide about framing and persistence, and refuses every combination on which two
/// implementations could disagree.
///
/// A request whose end is doubtful is never guessed at: it is refused and the connection closed, because what follows
/// could be read as a second request by one party and as a body by the other (request smuggling).
#[derive(Clone, Debug, Default)]
pub struct Fields {
    content_length: Option<u64>,
    chunked: bool,
    hosts: u8,
    close: bool,
    keep_alive: bool,
    expect_continue: bool,
    expectation_failed: bool,
}

const fn refuse<T>(what: &'static str) -> Result<T, ParseError> {
    Err(ParseError::Malformed(what))
}

impl Fields {
    /// Takes one header line into account. `raw` is what stood between the colon and the line end, `value` the same
    /// without the white space around it.
    ///
    /// # Errors
    ///
    /// [`ParseError::Malformed`] if the line alone already makes the request ambiguous.
    #[inline]
    pub fn observe(&mut self, name: &[u8], value: &[u8], raw: &[u8]) -> Result<(), ParseError> {
        // Every name of interest has a length of its own: most lines cost one comparison.
        match name.len() {
            // Every request has this one.
            4 if matches!(name, [b'h' | b'H', b'o' | b'O', b's' | b'S', b't' | b'T']) => self.host(value),
            6 if name.eq_ignore_ascii_case(b"expect") => self.expect(value),
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.length(value, raw),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.coding(value, raw),
            _ => Ok(()),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), ParseError> {
        self.hosts += 1;
        if self.hosts > 1 {
            return refuse("more than one Host");
        }
        if is_authority(value) { Ok(()) } else { refuse("invalid Host") }
    }

    fn expect(&mut self, value: &[u8]) -> Result<(), ParseError> {
        if value.eq_ignore_ascii_case(b"100-continue") {
            self.expect_continue = true;
        } else {
            self.expectation_failed = true;
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) -> Result<(), ParseError> {
        for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
        Ok(())
    }

    fn length(&mut self, value: &[u8], raw: &[u8]) -> Result<(), ParseError> {
        if self.content_length.is_some() {
            return refuse("more than one Content-Length");
        }
        if value.is_empty() || raw.contains(&b'\t') {
            return refuse("invalid Content-Length");
        }
        // `str::parse` would accept a sign; only digits are a length.
        let mut length = 0_u64;
        for &byte in value {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return refuse("invalid Content-Length");
            }
            match length.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit))) {
                Some(sum) => length = sum,
                None => return refuse("Content-Length does not fit into 64 bits"),
            }
        }
        self.content_length = Some(length);
        Ok(())
    }

    fn coding(&mut self, value: &[u8], raw: &[u8]) -> Result<(), ParseError> {
        if self.chunked {
            return refuse("more than one Transfer-Encoding");
        }
        // One coding is spoken here. A list, a parameter or a tab, on which parsers differ, is refused with the rest.
        if raw.contains(&b'\t') || !value.eq_ignore_ascii_case(b"chunked") {
            return refuse("Transfer-Encoding is not exactly chunked");
        }
        self.chunked = true;
        Ok(())
    }

    /// Decides the framing once every line was observed.
    ///
    /// # Errors
    ///
    /// [`ParseError::Malformed`] if the lines together are ambiguous, [`ParseError::Expectation`] for an unknown `Expect`.
    pub fn framing(&self, method: Method, version: Version, any_body: bool) -> Result<Framing, ParseError> {
        if self.hosts == 0 && version == Version::Http11 {
            return refuse("missing Host");
        }
        let framing = match (self.chunked, self.content_length) {
            (true, Some(_)) => return refuse("both Transfer-Encoding and Content-Length"),
            (true, None) if version == Version::Http10 => return refuse("Transfer-Encoding in HTTP/1.0"),
            (true, None) => Framing::Chunked,
            (false, None | Some(0)) => Framing::None,
            (false, Some(length)) => Framing::Length(length),
        };
        if framing != Framing::None && method.body_is_suspect() && !any_body {
            return refuse("a body where the method gives it no meaning");
        }
        if self.expectation_failed && version == Version::Http11 {
            return Err(ParseError::Expectation);
        }
        Ok(framing)
    }

    /// Whether the peer wants to keep the connection ([RFC 9112 section 9.3](https://www.rfc-editor.org/rfc/rfc9112#section-9.3)).
    pub fn wants_keep_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    /// Whether the peer waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self, version: Version) -> bool {
        self.expect_continue && version == Version::Http11
    }
}

/// Whether `value` is `uri-host [ ":" port ]` with a host that is not empty.
pub(super) fn is_authority(value: &[u8]) -> bool {
    let host = match value {
        [b'[', rest @ ..] => match rest.iter().position(|&byte| byte == b']') {
            Some(len) if len > 0 && rest[..len].iter().all(|&byte| is_literal_byte(byte)) => len + 2,
            _ => return false,
        },
        _ => value.iter().take_while(|&&byte| REG_NAME[usize::from(byte)]).count(),
    };
    match &value[host..] {
        _ if host == 0 => false,
        [] => true,
        [b':', port @ ..] => port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// What may stand between the brackets of an IP literal.
const fn is_literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_' | b'~')
}

/// unreserved, percent and sub-delims of [RFC 3986 section 3.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2).
const fn is_reg_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*')
        || matches!(byte, b'+' | b',' | b';' | b'=')
}

/// The same as a table: a host is looked at with every request.
static REG_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_reg_name_byte(byte as u8);
        byte += 1;
    }
    table
};
