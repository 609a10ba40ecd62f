//! The body of the request that is being served.

use std::task::Context;

use bytes::{Bytes, BytesMut};

use crate::body::{Body, BodyError, Demand, Feeder, pipe};
use crate::parse::{ChunkEvent, ChunkedDecoder, Framing, Head};
use crate::status::Status;

/// The body of the request that is being served: what of it is still in the socket, and who wants it.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    decoder: Decoder,
    feeder: Option<Feeder>,
    /// What the reader was last seen to want.
    seen: Option<Demand>,
    /// `100 Continue` has been asked for and not sent.
    pub(super) expects_continue: bool,
    /// Bytes of data that may still come before the limit is passed.
    allowance: u64,
    /// What the peer has to be told, whatever the handler makes of it: the framing is broken, the body too long or too slow.
    pub(super) failed: Option<Status>,
}

#[derive(Debug, Default)]
enum Decoder {
    #[default]
    Done,
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
}

/// Says what a step of the body came to.
#[derive(Debug)]
pub(super) enum Step {
    Data(Bytes),
    End,
    NeedMore,
}

impl Incoming {
    /// Prepares for the body that `head` announces, and takes it at once if it is there as a whole.
    ///
    /// # Errors
    ///
    /// The status to refuse with, if the body is announced to be longer than `limit`.
    pub(super) fn begin(
        &mut self,
        head: &Head,
        limit: u64,
        input: &mut BytesMut,
        cx: &Context<'_>,
    ) -> Result<Body, Status> {
        *self = Self::default();
        let remaining = match head.framing {
            Framing::None => return Ok(Body::empty()),
            Framing::Length(length) if length > limit => return Err(Status::CONTENT_TOO_LARGE),
            Framing::Length(length) if length <= input.len() as u64 => {
                return Ok(Body::from(input.split_to(length as usize).freeze()));
            }
            Framing::Length(length) => {
                self.decoder = Decoder::Length(length);
                Some(length)
            }
            Framing::Chunked => {
                self.decoder = Decoder::Chunked(Box::default());
                None
            }
        };
        self.expects_continue = head.expect_continue && input.is_empty();
        self.allowance = limit;
        let (feeder, reader) = pipe(remaining, cx);
        self.feeder = Some(feeder);
        Ok(Body::incoming(reader))
    }

    /// Whether nothing of the body is left in the socket.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.decoder, Decoder::Done) && self.failed.is_none()
    }

    /// Whether the rest is known to be more than `limit`.
    pub(super) fn exceeds(&self, limit: u64) -> bool {
        matches!(self.decoder, Decoder::Length(left) if left > limit)
    }

    /// How many bytes it would make sense to read at once.
    pub(super) fn read_hint(&self) -> usize {
        match self.decoder {
            Decoder::Done => 0,
            Decoder::Length(left) => left.min(usize::MAX as u64) as usize,
            Decoder::Chunked(_) => usize::MAX,
        }
    }

    /// Whether somebody could still read the body.
    pub(super) fn has_reader(&self) -> bool {
        self.feeder.as_ref().is_some_and(Feeder::has_reader)
    }

    /// Says that the connection's poll begins.
    #[inline]
    pub(super) fn enter(&self, cx: &Context<'_>) {
        if let Some(feeder) = &self.feeder {
            feeder.enter(cx);
        }
    }

    /// Says that the connection's poll ends, and arranges to be woken when the reader's demand changes.
    #[inline]
    pub(super) fn leave(&self, cx: &Context<'_>) {
        if let Some(feeder) = &self.feeder {
            feeder.leave(self.seen.unwrap_or(Demand::NotYet), cx);
        }
    }

    /// Asks the reader whether it waits. [`Demand::Gone`] also where there is no body to be read.
    pub(super) fn demand(&mut self) -> Demand {
        let demand = self.feeder.as_ref().map_or(Demand::Gone, Feeder::demand);
        if demand == Demand::Gone {
            self.feeder = None;
        }
        self.seen = Some(demand);
        demand
    }

    /// Decodes the next piece out of `input`.
    pub(super) fn decode(&mut self, input: &mut BytesMut) -> Result<Step, BodyError> {
        let len = match &mut self.decoder {
            Decoder::Done => return Ok(Step::End),
            Decoder::Length(_) if input.is_empty() => return Ok(Step::NeedMore),
            Decoder::Length(left) => {
                let len = (*left).min(input.len() as u64);
                *left -= len;
                if *left == 0 {
                    self.decoder = Decoder::Done;
                }
                len as usize
            }
            Decoder::Chunked(decoder) => {
                let (framing, event) = decoder.decode(input).map_err(BodyError::Malformed)?;
                let _ = input.split_to(framing);
                match event {
                    ChunkEvent::NeedMore => return Ok(Step::NeedMore),
                    ChunkEvent::Data(len) => len,
                    ChunkEvent::End => {
                        self.decoder = Decoder::Done;
                        return Ok(Step::End);
                    }
                }
            }
        };
        self.allowance = self.allowance.checked_sub(len as u64).ok_or(BodyError::TooLarge)?;
        Ok(Step::Data(input.split_to(len).freeze()))
    }

    /// Hands a decoded piece or the end to the reader. The last piece brings the end with it, so that the reader needs
    /// no further turn.
    pub(super) fn deliver(&mut self, step: Step) {
        if let (Some(feeder), Step::Data(piece)) = (&self.feeder, step) {
            feeder.deliver(piece);
        }
        if self.is_complete()
            && let Some(feeder) = self.feeder.take()
        {
            feeder.finish(Ok(()));
        }
    }

    /// Ends the body with an error. Nothing can be read from the connection after it.
    pub(super) fn fail(&mut self, error: BodyError) {
        self.failed = Some(error.status());
        self.expects_continue = false;
        if let Some(feeder) = self.feeder.take() {
            feeder.finish(Err(error));
        }
    }

    /// Lets nobody read any more: the answer is complete.
    pub(super) fn detach(&mut self) {
        self.feeder = None;
    }
}
