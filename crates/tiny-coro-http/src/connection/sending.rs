//! The body of the answer that is being sent.

use bytes::Bytes;

use super::output::Output;
use crate::body::{Body, BodyError};
use crate::encode::{Framing, chunk_size};

/// The body of an answer whose head is written: what is left of it and how it is framed.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) body: Body,
    framing: Framing,
}

impl Sending {
    pub(super) fn new(body: Body, framing: Framing) -> Self {
        Self { body, framing }
    }

    /// Appends a piece.
    ///
    /// # Errors
    ///
    /// If the stream gives more than it said. Nothing of the surplus goes out.
    pub(super) fn push(&mut self, piece: Bytes, output: &mut Output) -> Result<(), BodyError> {
        if piece.is_empty() {
            return Ok(()); // A chunk of size zero would be the end.
        }
        match &mut self.framing {
            Framing::Chunked => {
                chunk_size(output.inline(), piece.len());
                output.push(piece);
                output.inline().extend_from_slice(b"\r\n");
            }
            Framing::Length(left) => {
                *left = left.checked_sub(piece.len() as u64).ok_or_else(|| wrong_length("longer"))?;
                output.push(piece);
            }
            Framing::UntilClose | Framing::Absent => output.push(piece),
        }
        Ok(())
    }

    /// Appends the end.
    ///
    /// # Errors
    ///
    /// If the stream gave less than it said.
    pub(super) fn finish(&mut self, output: &mut Output) -> Result<(), BodyError> {
        match self.framing {
            Framing::Chunked => output.inline().extend_from_slice(b"0\r\n\r\n"),
            Framing::Length(1..) => return Err(wrong_length("shorter")),
            Framing::Length(0) | Framing::UntilClose | Framing::Absent => {}
        }
        Ok(())
    }
}

fn wrong_length(how: &str) -> BodyError {
    BodyError::Other(format!("the body of an answer is {how} than its stated length").into())
}
