//! One future on the calling thread.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tiny_coro_parker::Parker;
use tiny_coro_prim::thread::thread_local;

thread_local! {
    /// This thread's parker and its waker, taken while in use: a `block_on` inside another makes its own.
    static CACHED: RefCell<Option<(Parker, Waker)>> = const { RefCell::new(None) };
}

/// Polls `future` until it completes, and sleeps in between.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let (parker, waker) = CACHED.with(|cached| cached.borrow_mut().take()).unwrap_or_else(|| {
        let parker = Parker::new();
        let waker = Waker::from(parker.unparker());
        (parker, waker)
    });
    let mut future = pin!(future);
    let mut cx = Context::from_waker(&waker);
    let output = loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => break output,
            Poll::Pending => parker.park(),
        }
    };
    CACHED.with(|cached| *cached.borrow_mut() = Some((parker, waker)));
    output
}
