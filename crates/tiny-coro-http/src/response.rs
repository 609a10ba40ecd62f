//! Answers, and what can become one.

use std::borrow::Cow;
use std::{fmt, io};

use bytes::Bytes;

use crate::body::{Body, BodyError};
use crate::parse::{is_token_byte, is_value_byte};
use crate::status::Status;

/// The `Content-Type` of an answer.
#[derive(Debug, Default)]
pub(crate) enum ContentType {
    #[default]
    None,
    /// A whole line.
    Line(&'static str),
    Value(Cow<'static, str>),
}

/// Holds an answer: status, headers, body.
///
/// Headers are written down in their final form when they are added, so that sending is one copy. `Content-Length`,
/// `Transfer-Encoding` and `Connection` are the server's business; it adds a `Date` where the handler has set none.
///
/// # Examples
///
/// ```
/// use tiny_coro_http::{Response, Status};
///
/// let response = Response::text("made").with_status(Status::CREATED).header("location", "/things/7");
/// assert_eq!(response.code(), Status::CREATED);
/// assert!(Response::text("").try_header("x", "a\r\nset-cookie: b").is_err());
/// ```
#[derive(Debug, Default)]
pub struct Response {
    pub(crate) status: Status,
    pub(crate) content_type: ContentType,
    /// Complete lines.
    pub(crate) fields: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) close: bool,
    pub(crate) has_date: bool,
    pub(crate) invalid: bool,
}

impl Response {
    /// Makes a `200 OK` without a `Content-Type`.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Makes a `200 OK` of plain text in UTF-8.
    pub fn text(body: impl Into<Body>) -> Self {
        Self::with_line("Content-Type: text/plain; charset=utf-8\r\n", body)
    }

    /// Makes a `200 OK` of HTML in UTF-8.
    pub fn html(body: impl Into<Body>) -> Self {
        Self::with_line("Content-Type: text/html; charset=utf-8\r\n", body)
    }

    /// Makes a `200 OK` of bytes that are JSON already.
    pub fn json_bytes(body: impl Into<Body>) -> Self {
        Self::with_line("Content-Type: application/json\r\n", body)
    }

    /// Makes a `200 OK` with this `Content-Type`, which is a constant of the program and costs no allocation. One that is
    /// not a valid value has the same effect as in [`header`](Self::header).
    pub fn typed(content_type: &'static str, body: impl Into<Body>) -> Self {
        let invalid = !content_type.bytes().all(is_value_byte);
        let content_type = ContentType::Value(Cow::Borrowed(content_type));
        Self { content_type, invalid, ..Self::new(body) }
    }

    #[inline]
    fn with_line(line: &'static str, body: impl Into<Body>) -> Self {
        Self { content_type: ContentType::Line(line), ..Self::new(body) }
    }

    /// Makes a `200 OK` of the content of a file that stands at its start. It is read as fast as the peer takes it.
    ///
    /// # Errors
    ///
    /// The operating system's, when it is asked for the size.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the file is closed.
    pub async fn file(file: tiny_coro_fs::File) -> io::Result<Self> {
        Ok(Self::new(Body::file(file).await?))
    }

    /// Makes an answer of this status without a body.
    pub fn status(status: Status) -> Self {
        Self { status, ..Self::default() }
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a header. One that [`try_header`](Self::try_header) refuses turns the whole answer into a
    /// `500 Internal Server Error`, so that hostile data in a value can neither split the answer nor go unnoticed.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if self.add(name, value.as_ref()).is_err() {
            self.invalid = true;
        }
        self
    }

    /// Adds a header, after those of the same name; a second `Content-Type` replaces the first, a `Date` that of the server.
    /// `Connection: close` has the effect of [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] if the name is not a token, the value holds CR, LF, NUL or another control character, or the
    /// field is one that the server itself writes.
    pub fn try_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidHeader> {
        self.add(name, value.as_ref())?;
        Ok(self)
    }

    /// Makes this the last answer on its connection.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// Returns the status.
    pub fn code(&self) -> Status {
        self.status
    }

    /// Returns the body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    fn add(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidHeader> {
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(InvalidHeader { what: "the name is not a token" });
        }
        if !value.iter().all(|&byte| is_value_byte(byte)) {
            return Err(InvalidHeader { what: "the value holds a control character" });
        }
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("connection") && value.eq_ignore_ascii_case(b"close") {
            self.close = true;
            return Ok(());
        }
        if ["content-length", "transfer-encoding", "connection", "trailer", "upgrade"].into_iter().any(is) {
            return Err(InvalidHeader { what: "the server itself decides about this field" });
        }
        if is("content-type")
            && let Ok(text) = std::str::from_utf8(value)
        {
            self.content_type = ContentType::Value(Cow::Owned(text.to_owned()));
            return Ok(());
        }
        self.has_date |= is("date");
        self.fields.reserve(name.len() + value.len() + 4);
        self.fields.extend_from_slice(name.as_bytes());
        self.fields.extend_from_slice(b": ");
        self.fields.extend_from_slice(value);
        self.fields.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// Says why a header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHeader {
    what: &'static str,
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid header in an answer: {}", self.what)
    }
}

impl std::error::Error for InvalidHeader {}

/// Turns what a handler returns into an answer.
///
/// A `Result` answers with whichever side it is, so a handler can use `?` on anything whose error knows its status.
pub trait IntoResponse {
    /// Makes the answer.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for Status {
    fn into_response(self) -> Response {
        Response::status(self)
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::status(Status::NO_CONTENT)
    }
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl IntoResponse for $type {
            fn into_response(self) -> Response {
                Response::text(self)
            }
        }
    )*};
}

text!(&'static str, String);

macro_rules! octets {
    ($($type:ty),*) => {$(
        impl IntoResponse for $type {
            fn into_response(self) -> Response {
                Response::typed("application/octet-stream", self)
            }
        }
    )*};
}

octets!(Bytes, Vec<u8>, &'static [u8], Body);

impl<T: IntoResponse> IntoResponse for (Status, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// Answers with [`BodyError::status`]; the peer is not told the details of a failure on our side.
impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        Response::status(self.status())
    }
}

/// `404` for a missing file, `403` where access is denied, else `500`; the peer is not told the details.
impl IntoResponse for io::Error {
    fn into_response(self) -> Response {
        Response::status(match self.kind() {
            io::ErrorKind::NotFound => Status::NOT_FOUND,
            io::ErrorKind::PermissionDenied => Status::FORBIDDEN,
            _ => Status::INTERNAL_SERVER_ERROR,
        })
    }
}
