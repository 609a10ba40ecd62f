//! Requests.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::{fmt, str};

use bytes::Bytes;

use crate::body::Body;
use crate::headers::Headers;
use crate::method::Method;
use crate::parse::{Head, Span, Version};
use crate::router::PathParams;

/// Holds a request whose head has arrived. The body may still be on its way.
///
/// Nothing of the head is copied: every accessor gives a slice of the receive buffer, which the request keeps alive.
pub struct Request {
    method: Method,
    version: Version,
    method_len: u16,
    target: Span,
    authority: Span,
    path: Span,
    query: Option<Span>,
    headers: Headers,
    params: Option<Box<PathParams>>,
    body: Body,
    remote: SocketAddr,
}

impl Request {
    #[inline]
    pub(crate) fn new(head: Head, bytes: Bytes, body: Body, remote: SocketAddr) -> Self {
        Self {
            method: head.method,
            version: head.version,
            method_len: head.method_len,
            target: head.target,
            authority: head.authority,
            path: head.path,
            query: head.query,
            headers: Headers::new(bytes, head.headers),
            params: None,
            body,
            remote,
        }
    }

    /// The parser let only ASCII into the request line, so that this never fails.
    #[inline]
    fn text(&self, span: Span) -> &str {
        str::from_utf8(span.of(self.headers.bytes())).unwrap_or_default()
    }

    /// Returns the method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns the method as it was sent, for those that [`Method`] has no name for.
    pub fn method_str(&self) -> &str {
        self.text(Span::new(0, usize::from(self.method_len)))
    }

    /// Returns the request target as it was sent.
    pub fn target(&self) -> &str {
        self.text(self.target)
    }

    /// Returns the path, not decoded. `*` for `OPTIONS *`, empty for CONNECT.
    #[inline]
    pub fn path(&self) -> &str {
        match self.text(self.path) {
            "" if self.method != Method::Connect => "/",
            path => path,
        }
    }

    /// The path without the check that it is text.
    #[inline]
    pub(crate) fn path_bytes(&self) -> &[u8] {
        match self.path.of(self.headers.bytes()) {
            b"" => b"/",
            path => path,
        }
    }

    /// Returns what stands behind the question mark, not decoded.
    pub fn query(&self) -> Option<&str> {
        self.query.map(|query| self.text(query))
    }

    /// Returns the host that the peer wanted to reach: from the target if that has one, else from `Host`
    /// ([RFC 9112 section 3.2.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2)).
    pub fn host(&self) -> Option<&str> {
        match self.text(self.authority) {
            "" => self.headers.get("host"),
            authority => Some(authority),
        }
    }

    /// Returns the version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Returns the part of the path that stands where the route has `{name}`, not decoded.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.as_deref()?.get(name).map(|range| &self.path()[range])
    }

    /// Returns a path parameter with its `%XX` decoded; `None` if there is no such parameter, if a `%` is not followed
    /// by two hexadecimal digits, or if the result is not UTF-8.
    ///
    /// A decoded parameter can hold `/`, `..` and NUL: check it before it becomes a file name.
    pub fn param_decoded(&self, name: &str) -> Option<Cow<'_, str>> {
        percent_decode(self.param(name)?)
    }

    /// Returns the body, to read from it.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Gives the body away, and drops the rest.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Returns the address of the peer.
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    pub(crate) fn set_params(&mut self, params: PathParams) {
        self.params = Some(Box::new(params));
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method_str())
            .field("target", &self.target())
            .field("version", &self.version)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Decodes `%XX` ([RFC 3986 section 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)). Borrows if there is nothing to decode; `None` if a `%` is not
/// followed by two hexadecimal digits or the result is not UTF-8. A `+` stays a `+`.
///
/// ```
/// use tiny_coro_http::percent_decode;
/// assert_eq!(percent_decode("a%20b").as_deref(), Some("a b"));
/// assert_eq!(percent_decode("%zz"), None);
/// ```
pub fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    let Some(first) = text.find('%') else { return Some(Cow::Borrowed(text)) };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(&text.as_bytes()[..first]);
    let mut bytes = text.as_bytes()[first..].iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(*bytes.next()?).to_digit(16);
        decoded.push((digit()? << 4 | digit()?) as u8);
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}
