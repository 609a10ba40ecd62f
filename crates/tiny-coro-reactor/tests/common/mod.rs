//! What the tests share.
#![expect(dead_code, reason = "each test file uses a part of it")]

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_reactor::Reactor;

/// Longer than any machine should need.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Counts wakes.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A connected pair that never blocks.
pub(crate) fn streams() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, theirs)
}

/// Polls once, for nobody.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Turns until `count` has reached `wakes`. A paused clock moves as far as it has to.
pub(crate) fn turn_until(reactor: &Reactor, count: &Count, wakes: usize) {
    let start = Instant::now();
    while count.get() < wakes {
        assert!(start.elapsed() < LIMIT, "the waker was not woken");
        let limit = (!reactor.is_paused()).then_some(Duration::from_secs(1));
        reactor.turn(limit).unwrap();
    }
}

/// Runs a future to its end on this thread, which turns the reactor and polls only when the future was woken.
pub(crate) fn run<F: Future>(reactor: &Reactor, future: F) -> F::Output {
    let mut future = pin!(future);
    let (count, waker) = Count::new();
    loop {
        let seen = count.get();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        turn_until(reactor, &count, seen + 1);
    }
}

/// Runs a future to its end on this thread, which parks while another turns the reactor.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A thread that turns a reactor until this is dropped.
pub(crate) struct Turning {
    reactor: Reactor,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Turning {
    pub(crate) fn new(reactor: &Reactor) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (reactor, stop) = (reactor.clone(), stop.clone());
            move || {
                while !stop.load(Ordering::Acquire) {
                    reactor.turn(None).unwrap();
                }
            }
        });
        Self { reactor: reactor.clone(), stop, thread: Some(thread) }
    }

    pub(crate) fn thread(&self) -> &thread::JoinHandle<()> {
        self.thread.as_ref().expect("it runs until this is dropped")
    }
}

impl Drop for Turning {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.reactor.notify();
        let ended = self.thread.take().map(thread::JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|result| result.is_ok()));
    }
}

/// Runs `body` on a thread of its own, and fails if it takes longer than any machine should need.
pub(crate) fn watched<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || done.send(body()));
    match ended.recv_timeout(LIMIT) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => panic::resume_unwind(thread.join().expect_err("the body panicked")),
    }
}
