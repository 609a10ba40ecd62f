//! The transport over a TCP socket.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_io::AsyncWrite;
use tiny_coro_net::TcpStream;
use tiny_coro_sched::{Sleep, sleep_until};

use crate::connection::Transport;

/// A [`Transport`] over a TCP socket and the timer of the runtime. It is polled inside a runtime.
///
/// There is one timer, armed when the connection first waits. While the deadline moves on with every request, the timer
/// stays as it is; when it fires it is armed for the deadline that holds then. A request costs no timer operation.
pub struct TcpTransport {
    stream: TcpStream,
    sleep: Option<Sleep>,
    /// The task that `sleep` wakes.
    waker: Option<Waker>,
}

impl TcpTransport {
    /// Takes over a connected socket.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, sleep: None, waker: None }
    }

    fn is_armed(&self, deadline: Instant, now: Instant, waker: &Waker) -> bool {
        let early_enough =
            self.sleep.as_ref().is_some_and(|sleep| now < sleep.deadline() && sleep.deadline() <= deadline);
        early_enough && self.waker.as_ref().is_some_and(|armed| armed.will_wake(waker))
    }
}

impl Transport for TcpTransport {
    #[inline]
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_ready(cx)
    }

    #[inline]
    fn poll_read_buf(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.stream.poll_read_buf(cx, buffer)
    }

    #[inline]
    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        match slices {
            // The system call for one slice is the cheaper one.
            [slice] => stream.poll_write(cx, slice),
            _ => stream.poll_write_vectored(cx, slices),
        }
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    fn abort(&mut self) {
        // With a linger time of zero, closing sends a reset. If that can't be set, the peer is gone already.
        let _ = self.stream.set_linger(Some(Duration::ZERO));
    }

    #[inline]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[inline]
    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Instant, now: Instant) -> Poll<()> {
        if now >= deadline {
            return Poll::Ready(());
        }
        if self.is_armed(deadline, now, cx.waker()) {
            return Poll::Pending;
        }
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                Pin::new(&mut *sleep).reset(deadline);
                sleep
            }
            empty => empty.insert(sleep_until(deadline)),
        };
        self.waker = Some(cx.waker().clone());
        Pin::new(sleep).poll(cx)
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransport").field("stream", &self.stream).finish_non_exhaustive()
    }
}
