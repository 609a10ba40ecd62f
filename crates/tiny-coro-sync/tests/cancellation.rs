//! Cancellation tokens.
#![cfg(not(tiny_coro_loom))]

use futures_lite::future::{self, block_on};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use tiny_coro_sync::CancellationToken;

/// Cancelling goes down the tree and neither up nor sideways.
#[test]
fn cancelling_goes_down() {
    let root = CancellationToken::new();
    let (left, right) = (root.child_token(), root.child_token());
    let leaf = left.child_token();
    left.cancel();
    assert!(left.is_cancelled() && leaf.is_cancelled());
    assert!(!root.is_cancelled() && !right.is_cancelled());
    root.cancel();
    root.cancel();
    assert!(right.is_cancelled() && right.child_token().is_cancelled());
    block_on(leaf.cancelled_owned());
}

/// A token whose own handles are gone still passes on what it hears to its children.
#[test]
fn a_link_without_handles_holds() {
    let root = CancellationToken::new();
    let leaf = root.child_token().child_token().child_token();
    root.cancel();
    assert!(leaf.is_cancelled());
}

/// A very long chain neither overflows the stack when it is cancelled nor when it is dropped.
#[test]
fn a_long_chain() {
    let root = CancellationToken::new();
    let mut leaf = root.clone();
    for _ in 0..200_000 {
        leaf = leaf.child_token();
    }
    root.cancel();
    assert!(leaf.is_cancelled());
    drop(root);
    drop(leaf);
}

/// Every waiter is woken once; one that was dropped is not.
#[test]
fn waiters_are_woken() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let token = CancellationToken::new();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(token.cancelled())).collect();
    for waiter in &mut waiting {
        assert!(waiter.as_mut().poll(&mut cx).is_pending());
        assert!(waiter.as_mut().poll(&mut cx).is_pending());
    }
    waiting.truncate(7);
    let child = token.child_token();
    let mut below = Box::pin(child.cancelled());
    assert!(below.as_mut().poll(&mut cx).is_pending());
    token.cancel();
    assert_eq!(count.0.load(Ordering::SeqCst), 8);
    assert!(waiting.iter_mut().all(|waiter| waiter.as_mut().poll(&mut cx).is_ready()));
    assert!(below.as_mut().poll(&mut cx).is_ready());
}

/// `run_until_cancelled`: the output of a future that is ready, `None` once cancelled.
#[test]
fn run_until_cancelled() {
    let token = CancellationToken::new();
    assert_eq!(block_on(token.run_until_cancelled(async { 5 })), Some(5));
    let canceller = token.clone();
    let thread = thread::spawn(move || canceller.cancel());
    assert_eq!(block_on(token.run_until_cancelled(future::pending::<()>())), None);
    thread.join().unwrap();
    assert_eq!(block_on(token.run_until_cancelled(async { 6 })), Some(6));
}

/// A guard cancels unless it is disarmed.
#[test]
fn guards() {
    let token = CancellationToken::new();
    let back = token.clone().drop_guard().disarm();
    assert!(!back.is_cancelled());
    drop(token.clone().drop_guard());
    assert!(back.is_cancelled());
    let mut waiting = Box::pin(token.cancelled());
    assert_eq!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
}
