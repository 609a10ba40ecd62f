//! Why a body ended early.

use std::{error, fmt, io};

use crate::parse::ParseError;
use crate::status::Status;

/// Says why a body ended before its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The body is longer than the limit; the peer is told 413.
    TooLarge,
    /// The chunked coding is broken; the peer is told 400.
    Malformed(ParseError),
    /// The peer stopped sending; it is told 408.
    TimedOut,
    /// The connection ended, or the answer was complete before the body was read.
    Disconnected,
    /// Reading or writing failed.
    Io(io::Error),
    /// A stream made by the application failed, or was not as long as it said.
    Other(Box<dyn error::Error + Send + Sync>),
}

impl BodyError {
    /// The status that says the same to the peer, where the body is that of a request.
    pub fn status(&self) -> Status {
        match self {
            Self::TooLarge => Status::CONTENT_TOO_LARGE,
            Self::Malformed(error) => error.status(),
            Self::TimedOut => Status::REQUEST_TIMEOUT,
            Self::Disconnected => Status::BAD_REQUEST,
            Self::Io(_) | Self::Other(_) => Status::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the body is longer than the limit"),
            Self::Malformed(error) => write!(f, "the body is malformed: {error}"),
            Self::TimedOut => f.write_str("the peer stopped sending the body"),
            Self::Disconnected => f.write_str("the connection ended before the body did"),
            Self::Io(error) => write!(f, "the body could not be read or written: {error}"),
            Self::Other(error) => write!(f, "the body's stream failed: {error}"),
        }
    }
}

impl error::Error for BodyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Other(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl From<io::Error> for BodyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Lets the body be copied into a file or a socket with `?` in functions that return `io::Result`.
impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::Io(inner) => return inner,
            BodyError::TimedOut => io::ErrorKind::TimedOut,
            BodyError::Disconnected => io::ErrorKind::UnexpectedEof,
            BodyError::TooLarge | BodyError::Malformed(_) => io::ErrorKind::InvalidData,
            BodyError::Other(_) => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
