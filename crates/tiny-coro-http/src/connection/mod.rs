//! One connection: a state machine over a transport.

mod drive;
mod incoming;
mod output;
mod sending;
mod transport;
mod turn;
mod work;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

pub use transport::Transport;
use turn::{Next, Progress, Turn, Wait};
use work::Work;

use crate::service::{Registration, Service, Stage};

/// How many requests one poll serves before other tasks get their turn.
const BUDGET: usize = 512;

/// Serves the requests of one connection: a future that ends with the connection.
///
/// It is a state machine over a [`Transport`], and reads no clock, opens no socket and spawns no task of its own.
///
/// ```text
///            whole head                 answer                    all sent
///   Head ───────────────► Handler ──────────────► Sending ─────────────────┐
///    ▲ ▲                     │ small body                                  │
///    │ │                     └───────────────► ┌──────────────────────┐ ◄──┘
///    │ └────────── nothing left of the body ── │ end of the exchange  │
///    │                                         └──────────────────────┘
///    └── Drain ◄── a little left of the body ──┘    │ close, broken framing, too much left
///                                                   ▼
///                                                 Close ──► Linger ──► end
/// ```
///
/// Poll it as a task: the graceful shutdown wakes the waker of its first poll.
///
/// # Cancel safety
///
/// Dropping it drops the transport, the handler's future and the bodies; a body that was moved elsewhere fails with
/// [`BodyError::Disconnected`](crate::BodyError::Disconnected).
#[must_use = "a connection does nothing unless polled"]
pub struct Connection<T: Transport> {
    transport: T,
    /// Only while there is something to do.
    work: Option<Box<Work>>,
    registration: Registration,
    remote: SocketAddr,
    waiting: Wait,
    deadline: Option<Instant>,
    /// Counted here, since the rest of an idle connection is given back.
    empty_lines: u8,
}

impl<T: Transport> Connection<T> {
    /// Takes over a connection from `remote`.
    pub fn new(transport: T, service: &Arc<Service>, remote: SocketAddr) -> Self {
        let registration = Service::register(service);
        Self { transport, work: None, registration, remote, waiting: Wait::Handler, deadline: None, empty_lines: 0 }
    }

    /// Waits for `wait` to happen; `Ready` if its time is over.
    fn poll_wait(&mut self, wait: Wait, progress: Progress, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if wait != self.waiting || wait.renewed_by(progress) {
            self.waiting = wait;
            // A time-out beyond what the clock can express is none.
            let timeout = wait.timeout(self.registration.service().config());
            self.deadline = timeout.and_then(|timeout| now.checked_add(timeout));
        }
        match self.deadline {
            Some(deadline) => self.transport.poll_deadline(cx, deadline, now),
            None => Poll::Pending,
        }
    }

    fn turn<'a, 'w>(&'a mut self, stage: Stage, now: Instant, cx: &'a mut Context<'w>) -> Turn<'a, 'w, T> {
        Turn {
            io: &mut self.transport,
            service: self.registration.service(),
            cx,
            now,
            remote: self.remote,
            draining: stage != Stage::Serving,
            empty_lines: &mut self.empty_lines,
            budget: BUDGET,
            progress: Progress::default(),
        }
    }

    fn poll_work(&mut self, work: &mut Work, stage: Stage, now: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        work.incoming.enter(cx);
        let ended = loop {
            let mut turn = self.turn(stage, now, cx);
            let next = work.drive(&mut turn);
            let progress = turn.progress;
            let wait = match next {
                Ok(Next::Wait(wait)) => wait,
                Ok(Next::Yield | Next::Again) => break None,
                Ok(Next::Done) => break Some(Ok(())),
                Err(error) => break Some(Err(error)),
            };
            if self.poll_wait(wait, progress, now, cx).is_pending() {
                break None;
            }
            self.waiting = Wait::Handler;
            match work.on_timeout(wait, &mut self.turn(stage, now, cx)) {
                Ok(Next::Done) => break Some(Ok(())),
                Ok(_) => {}
                Err(error) => break Some(Err(error)),
            }
        };
        work.incoming.leave(cx);
        ended.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T: Transport> Future for Connection<T> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let stage = this.registration.observe(cx);
        if stage == Stage::Aborting {
            this.cut_off();
            return Poll::Ready(Ok(()));
        }
        let now = this.transport.now();
        let mut work = match this.work.take() {
            Some(work) => work,
            None => match this.transport.poll_read_ready(cx) {
                Poll::Ready(Ok(())) => Work::take(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if stage == Stage::Draining => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    return this.poll_wait(Wait::Idle, Progress::default(), now, cx).map(|()| Ok(()));
                }
            },
        };
        let polled = this.poll_work(&mut work, stage, now, cx);
        if polled.is_pending() && !work.is_idle() {
            this.work = Some(work);
        } else {
            work.recycle();
        }
        polled
    }
}

impl<T: Transport> Connection<T> {
    /// Gives up what is in hand. An answer that is half sent must not look whole.
    fn cut_off(&mut self) {
        if let Some(work) = self.work.take() {
            if work.is_answering() {
                self.transport.abort();
            }
            work.recycle();
        }
    }
}

impl<T: Transport> Drop for Connection<T> {
    fn drop(&mut self) {
        self.cut_off();
    }
}

impl<T: Transport> fmt::Debug for Connection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("remote", &self.remote)
            .field("waiting", &self.waiting)
            .field("busy", &self.work.is_some())
            .finish_non_exhaustive()
    }
}
