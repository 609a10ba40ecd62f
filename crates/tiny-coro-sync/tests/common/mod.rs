//! What the tests share: wakers that count, a `block_on` with a deadline, a watchdog.
#![expect(dead_code, reason = "each test file uses a part of it")]

use std::cell::RefCell;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long anything may block before the test fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// Counts its wakes. Its reference count tells how many wakers are alive.
#[derive(Debug, Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::new(Self::default());
        (wakes.clone(), wakes.into())
    }

    /// Returns the count and starts again.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls once, with `waker`.
pub(crate) fn poll<P: DerefMut<Target: Future>>(
    mut future: Pin<P>,
    waker: &Waker,
) -> Poll<<<P as Deref>::Target as Future>::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// Polls once, with a waker that nobody listens to, and drops the future.
pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    poll(pin!(future), Waker::noop())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives `future` on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Poll::Ready(output) = poll(future.as_mut(), &waker) {
            return output;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "a coroutine was not woken within {DEADLINE:?}");
        thread::park_timeout(left);
    }
}

/// Runs `test` on a thread of its own and fails if it hangs.
pub(crate) fn watchdog(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    if finished.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("the test hangs");
    }
    thread.join().unwrap();
}

thread_local! {
    static INTRUSION: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Returns a waker that calls `intrusion` whenever it is cloned, woken or dropped: user code at its worst.
pub(crate) fn intrusive_waker(intrusion: impl Fn() + 'static) -> Waker {
    fn intrude() {
        // Not while it runs: the intrusion may use wakers itself. Nor when the thread is about to end.
        let _ = INTRUSION.try_with(|cell| {
            if let Ok(intrusion) = cell.try_borrow()
                && let Some(intrusion) = &*intrusion
            {
                intrusion();
            }
        });
    }
    const VTABLE: RawWakerVTable = RawWakerVTable::new(
        |_| {
            intrude();
            RawWaker::new(std::ptr::null(), &VTABLE)
        },
        |_| intrude(),
        |_| intrude(),
        |_| intrude(),
    );
    INTRUSION.with(|cell| *cell.borrow_mut() = Some(Box::new(intrusion)));
    // SAFETY: the functions never look at the data pointer, and are safe to call from anywhere.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) }
}

/// A waker that drops `what` when it is woken: the coroutine it wakes is gone before the wake is over.
pub(crate) fn self_destruction<T: Send + 'static>() -> (Arc<std::sync::Mutex<Option<T>>>, Waker) {
    struct Bomb<T>(Arc<std::sync::Mutex<Option<T>>>);
    impl<T: Send> Wake for Bomb<T> {
        fn wake(self: Arc<Self>) {
            let what = self.0.lock().unwrap().take();
            drop(what);
        }
    }
    let what = Arc::new(std::sync::Mutex::new(None));
    (what.clone(), Arc::new(Bomb(what)).into())
}

/// A small random number generator: the same numbers every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

pub(crate) fn assert_send<T: Send>(_: &T) {}
pub(crate) fn assert_sync<T: Sync>(_: &T) {}
