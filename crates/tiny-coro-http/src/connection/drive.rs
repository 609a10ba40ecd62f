//! The phases of a connection.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use super::incoming::Step;
use super::sending::Sending;
use super::transport::Transport;
use super::turn::{Next, Turn, Wait};
use super::work::{Exchange, Phase, READ_SIZE, Work};
use crate::body::{Body, BodyError, Demand};
use crate::encode::{self, Framing, Persistence};
use crate::handler::Outcome;
use crate::parse::{self, Head, Limits, ParseError, Version};
use crate::request::Request;
use crate::response::Response;
use crate::router::Dispatch;
use crate::status::Status;

/// How much a peer may still send after we have said our last word.
const LINGER_LIMIT: usize = 1024 * 1024;
/// A piece of a body costs as much of the budget as so many requests.
const PIECE_COST: usize = 8;
/// How many empty lines may stand before a request line: some clients send one behind a body.
const MAX_EMPTY_LINES: usize = 8;

/// The steps of the connection's state machine: one method a phase.
impl Work {
    /// Goes on until there is something to wait for.
    pub(super) fn drive<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        loop {
            if turn.budget == 0 {
                let _ = self.flush(turn)?;
                turn.cx.waker().wake_by_ref();
                return Ok(Next::Yield);
            }
            let next = match self.phase {
                Phase::Head => self.on_head(turn)?,
                Phase::Handler => self.on_handler(turn)?,
                Phase::Sending(_) => self.on_sending(turn)?,
                Phase::Drain { left } => self.on_drain(left, turn)?,
                Phase::Close { linger } => self.on_close(linger, turn)?,
                Phase::Linger { left } => self.on_linger(left, turn),
            };
            if !matches!(next, Next::Again) {
                return Ok(next);
            }
        }
    }

    /// What `wait` was about did not happen in time.
    pub(super) fn on_timeout<T: Transport>(&mut self, wait: Wait, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        match (wait, &self.phase) {
            (Wait::Head, _) => Ok(self.refuse(Status::REQUEST_TIMEOUT, turn)),
            (Wait::Body, Phase::Handler | Phase::Sending(_)) => {
                self.incoming.fail(BodyError::TimedOut);
                Ok(Next::Again)
            }
            (Wait::Drain, _) => {
                self.phase = Phase::Close { linger: true };
                Ok(Next::Again)
            }
            (Wait::Write, _) => Err(turn.abort(io::ErrorKind::TimedOut)),
            _ => Ok(Next::Done),
        }
    }

    fn flush<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Poll<()>> {
        match self.output.poll_flush(turn.io, turn.cx, &mut turn.progress.wrote) {
            Poll::Ready(result) => result.map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    /// Reads once; `Ready(0)` at the end.
    fn fill<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Poll<usize>> {
        if self.read_closed {
            return Ok(Poll::Ready(0));
        }
        self.make_room();
        match turn.read(&mut self.input) {
            Poll::Ready(Ok(count)) => {
                self.read_closed = count == 0;
                Ok(Poll::Ready(count))
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn on_head<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        // Back-pressure: who does not read its answers gets no more requests served.
        if self.output.pending() >= turn.config().output_limit && self.flush(turn)?.is_pending() {
            return Ok(Next::Wait(Wait::Write));
        }
        match self.next_head(&turn.service.config().limits, turn.empty_lines) {
            Ok(parse::Status::Complete(head)) => return Ok(self.begin(head, turn)),
            Ok(parse::Status::Partial) => {}
            Err(error) => return Ok(self.refuse(error.status(), turn)),
        }
        // Every whole request is answered: all answers leave in one write.
        if self.flush(turn)?.is_pending() {
            return Ok(Next::Wait(Wait::Write));
        }
        // Half an empty line begins no request, and does not start the time for one.
        let is_idle = matches!(&self.input[..], [] | [b'\r']);
        Ok(match self.fill(turn)? {
            // What came without a line end was not looked at.
            Poll::Ready(0) => match parse::parse_head(&self.input, &turn.config().limits) {
                Err(error) => self.refuse(error.status(), turn),
                Ok(_) => Next::Done,
            },
            Poll::Ready(_) => Next::Again,
            Poll::Pending if turn.draining && is_idle => Next::Done,
            Poll::Pending if is_idle => Next::Wait(Wait::Idle),
            Poll::Pending => Next::Wait(Wait::Head),
        })
    }

    fn next_head(&mut self, limits: &Limits, empty_lines: &mut u8) -> Result<parse::Status<Head>, ParseError> {
        if let Some(b'\r') = self.input.first() {
            let skip = parse::empty_lines(&self.input);
            let count = usize::from(*empty_lines) + skip / 2;
            if count > MAX_EMPTY_LINES {
                return Err(ParseError::Malformed("too many empty lines before the request line"));
            }
            *empty_lines = count as u8;
            let _ = self.input.split_to(skip);
            self.scanned = self.scanned.saturating_sub(skip);
        }
        let len = self.input.len();
        // A head that comes in drops is parsed once a line, not once a drop.
        let fresh = &self.input[self.scanned..];
        if fresh.is_empty() || self.scanned > 0 && len <= limits.max_target && !fresh.contains(&b'\n') {
            self.scanned = len;
            return Ok(parse::Status::Partial);
        }
        let parsed = parse::parse_head(&self.input, limits);
        self.scanned = if matches!(parsed, Ok(parse::Status::Partial)) { len } else { 0 };
        parsed
    }

    fn begin<T: Transport>(&mut self, head: Head, turn: &mut Turn<'_, '_, T>) -> Next {
        turn.spend(1);
        *turn.empty_lines = 0;
        self.exchange = Exchange {
            head_only: head.method == crate::Method::Head,
            http10: head.version == Version::Http10,
            keep_alive: head.keep_alive,
        };
        let bytes = self.input.split_to(head.len).freeze();
        let limit = turn.config().max_body_size;
        let body = match self.incoming.begin(&head, limit, &mut self.input, turn.cx) {
            Ok(body) => body,
            Err(status) => return self.refuse(status, turn),
        };
        let request = Request::new(head, bytes, body, turn.remote);
        match turn.service.router().dispatch(request, &mut self.slots) {
            Dispatch::Started => {
                self.phase = Phase::Handler;
                Next::Again
            }
            Dispatch::Answered(response) => self.respond(response, turn),
            Dispatch::Panicked => self.respond(after_panic(), turn),
        }
    }

    fn on_handler<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        match self.slots.poll(turn.cx) {
            Poll::Ready(Outcome::Response(response)) => Ok(self.respond(response, turn)),
            Poll::Ready(Outcome::Panicked) => Ok(self.respond(after_panic(), turn)),
            Poll::Pending => self.attend(turn),
        }
    }

    /// While the application is busy: brings it the request's body, sends what is ready, notices a peer that is gone.
    fn attend<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        let demand = self.incoming.demand();
        if demand == Demand::Wanted {
            return self.feed(turn);
        }
        let flushed = self.flush(turn)?;
        // With a body under way nothing is read that is not wanted; without one, the next requests or a reset may come.
        while demand == Demand::Gone && !self.read_closed && self.input.len() < READ_SIZE / 2 {
            if self.fill(turn)?.is_pending() {
                break;
            }
        }
        Ok(Next::Wait(if flushed.is_pending() { Wait::Write } else { Wait::Handler }))
    }

    /// Brings the reader of the body, who waits for it, one step forward.
    fn feed<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        match self.incoming.decode(&mut self.input) {
            Ok(Step::NeedMore) => {}
            Ok(step) => {
                turn.spend(PIECE_COST);
                self.incoming.deliver(step);
                return Ok(Next::Again);
            }
            Err(error) => {
                self.incoming.fail(error);
                return Ok(Next::Again);
            }
        }
        if std::mem::take(&mut self.incoming.expects_continue) {
            self.output.inline().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        let flushed = self.flush(turn)?;
        Ok(match self.fill(turn)? {
            Poll::Ready(0) => {
                self.incoming.fail(BodyError::Disconnected);
                Next::Again
            }
            Poll::Ready(_) => Next::Again,
            Poll::Pending => Next::Wait(if flushed.is_pending() { Wait::Write } else { Wait::Body }),
        })
    }

    fn respond<T: Transport>(&mut self, response: Response, turn: &mut Turn<'_, '_, T>) -> Next {
        let mut response = match self.incoming.failed {
            // A request whose end is in doubt is a bad one, whatever the handler made of it.
            Some(status) => Response::status(status),
            None if response.invalid || response.status.code() < 200 => Response::status(Status::INTERNAL_SERVER_ERROR),
            None => response,
        };
        let mut body = std::mem::take(&mut response.body);
        let mut framing = self.framing(response.status, &body);
        if self.exchange.head_only || matches!(framing, Framing::Absent) || response.status == Status::RESET_CONTENT {
            body = Body::empty();
            if response.status == Status::RESET_CONTENT {
                framing = Framing::Length(0);
            }
        }
        let full = body.take_full();
        self.exchange.keep_alive &= !response.close && !turn.draining && framing != Framing::UntilClose;
        self.settle_rest(full.is_none(), turn.config().drain_limit);
        self.encode(&response, framing, turn);
        match full {
            Some(bytes) => {
                self.output.push(bytes);
                self.finish(turn)
            }
            None => {
                self.phase = Phase::Sending(Sending::new(body, framing));
                Next::Again
            }
        }
    }

    fn framing(&self, status: Status, body: &Body) -> Framing {
        match body.len() {
            _ if status.forbids_body() => Framing::Absent,
            Some(length) => Framing::Length(length),
            None if self.exchange.http10 => Framing::UntilClose,
            None => Framing::Chunked,
        }
    }

    /// Decides what the rest of the request's body means for the connection, before the answer's head says so.
    fn settle_rest(&mut self, streamed: bool, drain_limit: u64) {
        if self.incoming.is_complete() {
            return;
        }
        let may_be_read = streamed && self.incoming.has_reader();
        if self.incoming.failed.is_some() || !may_be_read && self.incoming.exceeds(drain_limit) {
            self.exchange.keep_alive = false;
        } else if self.incoming.expects_continue && may_be_read {
            // The stream of the answer may turn out to read the request: the interim answer can't come after the final one.
            self.incoming.expects_continue = false;
            self.output.inline().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        } else if self.incoming.expects_continue {
            // Nobody knows whether the peer will send the body after all.
            self.exchange.keep_alive = false;
        }
    }

    fn encode<T: Transport>(&mut self, response: &Response, framing: Framing, turn: &Turn<'_, '_, T>) {
        let persistence = match (self.exchange.keep_alive, self.exchange.http10) {
            (false, _) => Persistence::Close,
            (true, true) => Persistence::KeepAlive,
            (true, false) => Persistence::Default,
        };
        let date = self.date.line(turn.now);
        encode::head(self.output.inline(), response, framing, persistence, date, &turn.config().server_line);
    }

    /// Ends the exchange: the answer is in the output.
    fn finish<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> Next {
        turn.progress.finished = true;
        self.incoming.detach();
        let limit = turn.config().drain_limit;
        let complete = self.incoming.is_complete();
        let hopeless = self.incoming.failed.is_some() || self.incoming.expects_continue || self.incoming.exceeds(limit);
        self.phase = match () {
            // What the peer sends before it sees the end is not there yet.
            () if !self.exchange.keep_alive => Phase::Close { linger: true },
            () if complete => Phase::Head,
            () if hopeless => Phase::Close { linger: true },
            () => Phase::Drain { left: limit },
        };
        Next::Again
    }

    /// Answers bytes that are not a request, or one that is not wanted. Nothing after it is looked at.
    fn refuse<T: Transport>(&mut self, status: Status, turn: &mut Turn<'_, '_, T>) -> Next {
        self.exchange = Exchange { head_only: false, http10: false, keep_alive: false };
        self.encode(&Response::status(status), Framing::Length(0), turn);
        self.phase = Phase::Close { linger: true };
        Next::Again
    }

    fn on_sending<T: Transport>(&mut self, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        if self.output.pending() >= turn.config().output_limit && self.flush(turn)?.is_pending() {
            // Back-pressure: neither stream is polled. What the reader wants is noted, so that it is no news when we leave.
            let _ = self.incoming.demand();
            return Ok(Next::Wait(Wait::Write));
        }
        let Phase::Sending(sending) = &mut self.phase else { return Ok(Next::Again) };
        // The stream is dropped after a panic, whatever state that left it in.
        let polled = catch_unwind(AssertUnwindSafe(|| sending.body.poll_chunk(turn.cx)));
        let result = match polled {
            Ok(Poll::Pending) => return self.attend(turn),
            Ok(Poll::Ready(Some(Ok(piece)))) => {
                turn.spend(PIECE_COST);
                sending.push(piece, &mut self.output).map(|()| None)
            }
            Ok(Poll::Ready(None)) => sending.finish(&mut self.output).map(Some),
            Ok(Poll::Ready(Some(Err(error)))) => Err(error),
            Err(_) => Err(BodyError::Other("the stream of an answer panicked".into())),
        };
        match result {
            Ok(None) => Ok(Next::Again),
            Ok(Some(())) => Ok(self.finish(turn)),
            // The head is out: only a connection that breaks tells the peer that this is not the whole.
            Err(error) => Err(turn.abort(error)),
        }
    }

    fn on_drain<T: Transport>(&mut self, left: u64, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        match self.incoming.decode(&mut self.input) {
            Ok(Step::NeedMore) => {}
            Ok(Step::End) => {
                self.phase = Phase::Head;
                return Ok(Next::Again);
            }
            Ok(Step::Data(data)) => {
                turn.spend(1);
                self.phase = match left.checked_sub(data.len() as u64) {
                    Some(left) => Phase::Drain { left },
                    None => Phase::Close { linger: true },
                };
                return Ok(Next::Again);
            }
            Err(_) => {
                self.phase = Phase::Close { linger: true };
                return Ok(Next::Again);
            }
        }
        let flushed = self.flush(turn)?;
        Ok(match self.fill(turn)? {
            Poll::Ready(0) => {
                self.phase = Phase::Close { linger: false };
                Next::Again
            }
            Poll::Ready(_) => Next::Again,
            Poll::Pending => Next::Wait(if flushed.is_pending() { Wait::Write } else { Wait::Drain }),
        })
    }

    fn on_close<T: Transport>(&mut self, linger: bool, turn: &mut Turn<'_, '_, T>) -> io::Result<Next> {
        if self.flush(turn)?.is_pending() {
            return Ok(Next::Wait(Wait::Write));
        }
        if !linger || self.read_closed || turn.io.shutdown_write().is_err() {
            return Ok(Next::Done);
        }
        self.phase = Phase::Linger { left: LINGER_LIMIT };
        Ok(Next::Again)
    }

    fn on_linger<T: Transport>(&mut self, left: usize, turn: &mut Turn<'_, '_, T>) -> Next {
        self.input.clear();
        match self.fill(turn) {
            Ok(Poll::Pending) => Next::Wait(Wait::Linger),
            Ok(Poll::Ready(1..)) if left > self.input.len() => {
                turn.spend(1);
                self.phase = Phase::Linger { left: left - self.input.len() };
                Next::Again
            }
            // The end, too much, or a reset by a peer that has heard enough: there is nobody left to tell.
            _ => Next::Done,
        }
    }
}

fn after_panic() -> Response {
    Response::status(Status::INTERNAL_SERVER_ERROR).close()
}
