//! The header fields of a request.

use std::fmt;

use bytes::Bytes;

use crate::parse::{HeaderIndex, Span};

/// Holds the header fields of a request: the bytes as they came, and 8 bytes of index a line.
///
/// # Examples
///
/// ```
/// use tiny_coro_http::Request;
/// fn wants_json(request: &Request) -> bool {
///     request.headers().get("accept").is_some_and(|types| types.contains("application/json"))
/// }
/// ```
pub struct Headers {
    bytes: Bytes,
    index: HeaderIndex,
}

impl Headers {
    pub(crate) fn new(bytes: Bytes, index: HeaderIndex) -> Self {
        Self { bytes, index }
    }

    /// The whole head.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Span> + 'a {
        let matches = move |entry: &&(Span, Span)| entry.0.of(&self.bytes).eq_ignore_ascii_case(name.as_bytes());
        self.index.entries().iter().filter(matches).map(|&(_, value)| value)
    }

    /// Returns the value of the first header of that name, whatever its case; `None` if there is none or it is not UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get_raw(name)?).ok()
    }

    /// Returns the value of the first header of that name, whatever its bytes.
    pub fn get_raw(&self, name: &str) -> Option<&[u8]> {
        self.find(name).next().map(|value| value.of(&self.bytes))
    }

    /// Returns the value of the first header of that name as a reference to the receive buffer that outlives the request.
    pub fn get_bytes(&self, name: &str) -> Option<Bytes> {
        self.find(name).next().map(|value| self.bytes.slice(value.range()))
    }

    /// Returns the values of all headers of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.find(name).map(|value| value.of(&self.bytes))
    }

    /// Returns all headers in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + '_ {
        // A name is a token, which is ASCII.
        let name = |span: Span| std::str::from_utf8(span.of(&self.bytes)).unwrap_or_default();
        self.index.entries().iter().map(move |&(key, value)| (name(key), value.of(&self.bytes)))
    }

    /// Returns how many headers there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)))).finish()
    }
}
