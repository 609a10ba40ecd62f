//! The promises of `oneshot`.
#![cfg(not(tiny_coro_loom))]

mod common;

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker};

use common::{Wakes, assert_send, assert_sync, block_on, poll, self_destruction};
use tiny_coro_sync::channel::{RecvError, TryRecvError};
use tiny_coro_sync::oneshot::{self, Receiver, Sender};

#[test]
fn value_arrives_once() {
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let (wakes, waker) = Wakes::new();
    assert!(poll(Pin::new(&mut receiver), &waker).is_pending());
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!((wakes.take(), poll(Pin::new(&mut receiver), &waker)), (1, Poll::Ready(Ok(1))));
    assert_eq!(poll(Pin::new(&mut receiver), &waker), Poll::Ready(Err(RecvError)), "it is gone");
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1, "no waker is left behind");
}

/// A receiver that stops waiting lets go of its task, however long the sender lives.
#[test]
fn a_dropped_receiver_leaves_no_waker_behind() {
    let (sender, mut receiver) = oneshot::channel();
    let (wakes, waker) = Wakes::new();
    assert!(poll(Pin::new(&mut receiver), &waker).is_pending());
    drop((receiver, waker));
    assert_eq!(Arc::strong_count(&wakes), 1);
    assert_eq!((sender.send(1), wakes.take()), (Err(1), 0));
}

#[test]
fn sender_dropped_is_an_error() {
    let (sender, mut receiver) = oneshot::channel::<u8>();
    let (wakes, waker) = Wakes::new();
    assert!(poll(Pin::new(&mut receiver), &waker).is_pending());
    drop(sender);
    assert_eq!((wakes.take(), block_on(receiver)), (1, Err(RecvError)));
}

/// O1: a value that came before the close can be received, one that comes after goes back.
#[test]
fn close_draws_the_line() {
    let (sender, mut receiver) = oneshot::channel();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));

    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert!(sender.is_closed());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(sender.send(1), Err(1));
    assert_eq!(block_on(receiver), Err(RecvError));
}

/// O3: the value is dropped with the last half, and not before it is useless.
#[test]
fn value_is_dropped_once() {
    let value = Arc::new(());
    let (sender, receiver) = oneshot::channel();
    sender.send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
    let (sender, receiver) = oneshot::channel();
    drop(receiver);
    let value = sender.send(value).unwrap_err();
    assert_eq!(Arc::strong_count(&value), 1);
}

/// A sender may wait for the receiver's end, from one task, then another, and still send.
#[test]
fn closed_wakes_the_sender() {
    let (mut sender, receiver) = oneshot::channel::<u8>();
    let ((old, old_waker), (new, new_waker)) = (Wakes::new(), Wakes::new());
    assert!(poll(pin!(sender.closed()), &old_waker).is_pending());
    assert!(poll(pin!(sender.closed()), &new_waker).is_pending());
    assert_eq!(Arc::strong_count(&old), 2, "the old waker went");
    drop(receiver);
    assert_eq!((old.take(), new.take()), (0, 1));
    block_on(sender.closed());

    let (mut sender, receiver) = oneshot::channel();
    assert!(poll(pin!(sender.closed()), &new_waker).is_pending());
    sender.send(1).unwrap();
    assert_eq!(Arc::strong_count(&new), 2, "a sender that has ended is not to be woken");
    assert_eq!((block_on(receiver), new.take()), (Ok(1), 0));
}

/// S5: the receiver is freed while it is being woken.
#[test]
fn s5_waiter_freed_while_it_is_woken() {
    let (sender, mut receiver) = oneshot::channel();
    let (bomb, waker) = self_destruction::<Receiver<Arc<u8>>>();
    assert!(poll(Pin::new(&mut receiver), &waker).is_pending());
    *bomb.lock().unwrap() = Some(receiver);
    let value = Arc::new(1);
    sender.send(value.clone()).unwrap();
    assert!(bomb.lock().unwrap().is_none());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn auto_traits() {
    fn check(sender: &Sender<Cell<u8>>, receiver: &Receiver<Cell<u8>>) {
        assert_send(sender);
        assert_sync(sender);
        assert_send(receiver);
        assert_sync(receiver);
    }
    let (mut sender, receiver) = oneshot::channel();
    check(&sender, &receiver);
    assert_send(&sender.closed());
    assert_eq!(format!("{receiver:?}"), "Receiver { state: {} }");
    let _ = poll(pin!(sender.closed()), Waker::noop());
    assert_eq!(format!("{sender:?}"), "Sender { state: {\"SENDER_WAITS\"} }");
}
