//! Request methods.

use std::fmt;

/// Names a request method. Tokens are case-sensitive ([RFC 9110 section 9](https://www.rfc-editor.org/rfc/rfc9110#section-9)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `CONNECT`
    Connect,
    /// Any other token; [`Request::method_str`](crate::Request::method_str) has its text.
    Other,
}

impl Method {
    /// How many methods have a name here ([`Method::Other`] is not one of them).
    pub(crate) const NAMED: usize = 9;

    /// Recognises a method by its exact token.
    pub fn from_token(token: &[u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"PATCH" => Self::Patch,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }

    /// Returns the token; empty for [`Method::Other`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Other => "",
        }
    }

    /// Whether a body in such a request has no meaning that anyone agrees on, so that its presence is more likely an
    /// attempt to smuggle a second request past a proxy.
    pub(crate) const fn body_is_suspect(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Delete | Self::Trace | Self::Connect)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
