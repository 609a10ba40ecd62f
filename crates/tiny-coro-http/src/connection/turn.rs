//! One poll of a connection, and what it comes to.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::transport::Transport;
use crate::config::Config;
use crate::service::Service;

/// One poll of a connection: what it may use, and what it has achieved.
pub(super) struct Turn<'a, 'w, T> {
    pub(super) io: &'a mut T,
    pub(super) service: &'a Service,
    pub(super) cx: &'a mut Context<'w>,
    pub(super) now: Instant,
    pub(super) remote: SocketAddr,
    pub(super) draining: bool,
    /// How many empty lines have come since the last request.
    pub(super) empty_lines: &'a mut u8,
    /// How many requests and pieces may still be handled before other tasks get their turn.
    pub(super) budget: usize,
    pub(super) progress: Progress,
}

/// What happened in a turn that gives the peer new time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) read: bool,
    pub(super) wrote: bool,
    pub(super) finished: bool,
}

impl<T> Turn<'_, '_, T> {
    pub(super) fn config(&self) -> &Config {
        self.service.config()
    }

    pub(super) fn spend(&mut self, cost: usize) {
        self.budget = self.budget.saturating_sub(cost);
    }
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Next {
    /// Look at the phase again.
    Again,
    /// Nothing can be done; wakers are registered.
    Wait(Wait),
    /// The budget is spent; the task has woken itself.
    Yield,
    /// The connection is over.
    Done,
}

/// What a connection waits for. Each but the handler has its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Idle,
    Head,
    Body,
    Drain,
    Write,
    Linger,
    Handler,
}

impl Wait {
    pub(super) fn timeout(self, config: &Config) -> Option<Duration> {
        match self {
            Self::Idle => Some(config.keep_alive_timeout),
            Self::Head => Some(config.head_timeout),
            Self::Body | Self::Drain => Some(config.body_timeout),
            Self::Write => Some(config.write_timeout),
            Self::Linger => Some(config.linger_timeout),
            Self::Handler => None,
        }
    }

    /// Whether `progress` starts the time anew. A head must come within its time however many pieces it comes in, and so
    /// must what nobody reads.
    pub(super) fn renewed_by(self, progress: Progress) -> bool {
        match self {
            Self::Idle | Self::Head => progress.finished,
            Self::Body => progress.read,
            Self::Write => progress.wrote,
            Self::Drain | Self::Linger | Self::Handler => false,
        }
    }
}

impl<T: Transport> Turn<'_, '_, T> {
    /// Makes the end a reset and reports it.
    pub(super) fn abort(&mut self, error: impl Into<io::Error>) -> io::Error {
        self.io.abort();
        error.into()
    }

    pub(super) fn read(&mut self, input: &mut bytes::BytesMut) -> Poll<io::Result<usize>> {
        loop {
            match self.io.poll_read_buf(self.cx, input) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Ok(count)) => {
                    self.progress.read |= count > 0;
                    return Poll::Ready(Ok(count));
                }
                other => return other,
            }
        }
    }
}
