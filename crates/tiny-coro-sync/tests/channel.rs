//! The promises of `channel`.
#![cfg(not(tiny_coro_loom))]

mod common;

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use common::{Wakes, assert_send, assert_sync, block_on, intrusive_waker, poll, poll_once, self_destruction, watchdog};
use futures_core::Stream;
use tiny_coro_sync::channel::{self, Receiver, RecvError, SendError, Sender, TryRecvError, TrySendError};

#[test]
fn bounded_is_full_and_empty() {
    let (sender, receiver) = channel::bounded(2);
    assert_eq!((sender.capacity(), sender.len(), sender.is_empty()), (Some(2), 0, true));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.try_send(1).unwrap();
    block_on(sender.send(2)).unwrap();
    assert!(sender.is_full());
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!((block_on(receiver.recv()), receiver.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

/// Capacity 0: a send is over when, and only when, a receiver has come for the value.
#[test]
fn rendezvous() {
    let (sender, receiver) = channel::bounded(0);
    assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
    let (wakes, waker) = Wakes::new();
    let mut send = Box::pin(sender.send(1));
    assert!(poll(send.as_mut(), &waker).is_pending());
    assert_eq!((receiver.len(), receiver.try_recv(), wakes.take()), (0, Ok(1), 1));
    assert_eq!(poll(send, &waker), Poll::Ready(Ok(())));
    let mut recv = pin!(receiver.recv());
    assert!(poll(recv.as_mut(), &waker).is_pending());
    assert_eq!((sender.try_send(2), wakes.take()), (Ok(()), 1));
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)), "one value for one receiver");
    assert_eq!(poll(recv, &waker), Poll::Ready(Ok(2)));
}

/// C1, R4: senders move up in order, one for each receive, and newcomers don't overtake them.
#[test]
fn senders_move_up_in_order() {
    let (sender, receiver) = channel::bounded(1);
    sender.try_send(0).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut sends: Vec<_> = (1..5).map(|n| Box::pin(sender.send(n))).collect();
    for send in &mut sends {
        assert!(poll(send.as_mut(), &waker).is_pending());
    }
    drop(sends.remove(2)); // 3 is cancelled
    for n in [0, 1, 2, 4] {
        assert!(sender.try_send(9).unwrap_err().is_full());
        assert_eq!(receiver.try_recv(), Ok(n));
        assert_eq!(wakes.take(), usize::from(n != 4));
    }
    for send in sends {
        assert_eq!(poll(send, &waker), Poll::Ready(Ok(())));
    }
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1, "no waker is left behind");
}

/// C2: what was reserved for a receiver is not taken by another one, and goes on when that one gives up: in order.
#[test]
fn reservations() {
    let (sender, receiver) = channel::bounded(1);
    let ((first, first_waker), (second, second_waker)) = (Wakes::new(), Wakes::new());
    let mut recvs = [Box::pin(receiver.recv()), Box::pin(receiver.recv())];
    assert!(poll(recvs[0].as_mut(), &first_waker).is_pending());
    assert!(poll(recvs[1].as_mut(), &second_waker).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!((first.take(), second.take()), (1, 0));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "it is the first one's");
    let [cancelled, mut next] = recvs;
    drop(cancelled);
    assert_eq!((first.take(), second.take()), (0, 1));
    let mut late = pin!(sender.send(2));
    assert!(poll(late.as_mut(), Waker::noop()).is_pending());
    assert_eq!(poll(next.as_mut(), &second_waker), Poll::Ready(Ok(1)));
    assert!(poll(late, Waker::noop()).is_ready());
    assert_eq!(receiver.try_recv(), Ok(2));
}

/// C3: a close ends every wait; what was sent before can be received, what wasn't comes back.
#[test]
fn close_ends_every_wait() {
    let (sender, receiver) = channel::bounded(1);
    let (wakes, waker) = Wakes::new();
    sender.try_send(1).unwrap();
    let mut sends = [Box::pin(sender.send(2)), Box::pin(sender.send(3))];
    sends.iter_mut().for_each(|send| assert!(poll(send.as_mut(), &waker).is_pending()));
    assert!(receiver.close());
    assert!(!sender.close(), "closed already");
    assert!(sender.is_closed() && receiver.is_closed());
    assert_eq!(wakes.take(), 2);
    let [second, third] = sends;
    assert_eq!(
        (poll(third, &waker), poll(second, &waker)),
        (Poll::Ready(Err(SendError(3))), Poll::Ready(Err(SendError(2))))
    );
    assert_eq!(sender.try_send(4), Err(TrySendError::Closed(4)));
    assert_eq!((block_on(receiver.recv()), block_on(receiver.recv())), (Ok(1), Err(RecvError)));

    let (sender, receiver) = channel::bounded::<u8>(1);
    let mut recvs = [Box::pin(receiver.recv()), Box::pin(receiver.recv())];
    recvs.iter_mut().for_each(|recv| assert!(poll(recv.as_mut(), &waker).is_pending()));
    drop(sender);
    assert_eq!(wakes.take(), 2);
    recvs.iter_mut().for_each(|recv| assert_eq!(poll(recv.as_mut(), &waker), Poll::Ready(Err(RecvError))));
}

/// C3: nobody is told "closed and empty" while a value may still come back from a receiver that gives up.
#[test]
fn closed_but_reserved() {
    let (sender, receiver) = channel::bounded(0);
    let (wakes, waker) = Wakes::new();
    let mut recvs = [Box::pin(receiver.recv()), Box::pin(receiver.recv())];
    recvs.iter_mut().for_each(|recv| assert!(poll(recv.as_mut(), &waker).is_pending()));
    sender.try_send(1).unwrap();
    drop(sender);
    let [first, mut second] = recvs;
    assert_eq!(wakes.take(), 1);
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let mut third = Box::pin(receiver.recv());
    assert!(poll(third.as_mut(), &waker).is_pending());
    drop(first);
    assert_eq!(poll(second, &waker), Poll::Ready(Ok(1)));
    assert_eq!(poll(third, &waker), Poll::Ready(Err(RecvError)));
    assert_eq!(wakes.take(), 2, "the second for the value, the third for the end");
}

/// The last half to go closes; the last receiver drops what nobody will receive.
#[test]
fn last_half_closes() {
    let (sender, receiver) = channel::unbounded();
    let (second_sender, second_receiver) = (sender.clone(), receiver.clone());
    assert!(sender.same_channel(&second_sender) && receiver.same_channel(&second_receiver));
    assert_eq!((receiver.sender_count(), sender.receiver_count(), sender.capacity()), (2, 2, None));
    drop((sender, receiver));
    let value = Arc::new(());
    second_sender.try_send(value.clone()).unwrap();
    assert_eq!((second_sender.sender_count(), second_receiver.receiver_count()), (1, 1));
    drop(second_receiver);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(second_sender.try_send(value).unwrap_err().is_closed());
}

/// C4: the value of a send that is dropped, polled or not, is dropped with it, once.
#[test]
fn cancelled_send_drops_its_value() {
    let (sender, receiver) = channel::bounded(0);
    let value = Arc::new(());
    drop(sender.send(value.clone()));
    assert!(poll_once(sender.send(value.clone())).is_pending());
    assert_eq!(Arc::strong_count(&value), 1);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn stream_ends_with_the_channel() {
    let (sender, receiver) = channel::bounded(1);
    let (wakes, waker) = Wakes::new();
    let mut stream = Box::pin(receiver.into_stream());
    let mut next = || stream.as_mut().poll_next(&mut std::task::Context::from_waker(&waker));
    assert!(next().is_pending());
    sender.try_send(1).unwrap();
    assert_eq!((wakes.take(), next()), (1, Poll::Ready(Some(1))));
    assert!(next().is_pending());
    drop(sender);
    assert_eq!((wakes.take(), next(), next()), (1, Poll::Ready(None), Poll::Ready(None)));
}

/// R1: wakers, and values that are dropped, may come back to the channel: no lock is held.
#[test]
fn user_code_runs_outside_the_lock() {
    struct Nosy(Sender<Nosy>);
    impl Drop for Nosy {
        fn drop(&mut self) {
            self.0.len();
        }
    }
    watchdog(|| {
        let (sender, receiver) = channel::bounded(1);
        let (inner_sender, inner_receiver) = (sender.clone(), receiver.clone());
        let waker = intrusive_waker(move || {
            let _ = poll_once(inner_receiver.recv());
            let _ = poll_once(inner_sender.send(7));
        });
        let mut recv = Box::pin(receiver.recv());
        let _ = poll(recv.as_mut(), &waker);
        drop(recv);
        let mut sends = [Box::pin(sender.send(1)), Box::pin(sender.send(2)), Box::pin(sender.send(3))];
        for send in &mut sends {
            let _ = poll(send.as_mut(), &waker);
            let _ = poll(send.as_mut(), Waker::noop());
            let _ = poll(send.as_mut(), &waker);
        }
        receiver.try_recv().unwrap();
        drop(sends);
        receiver.close();

        let (sender, receiver) = channel::unbounded();
        sender.try_send(Nosy(sender.clone())).unwrap();
        drop(receiver);
        drop(sender.try_send(Nosy(sender.clone())));
    });
}

/// S5: the receiver is freed while it is being woken, and its value goes on.
#[test]
fn s5_waiter_freed_while_it_is_woken() {
    let (sender, receiver) = channel::bounded(0);
    let (bomb, waker) = self_destruction();
    let mut stream = Box::pin(receiver.clone().into_stream());
    assert!(stream.as_mut().poll_next(&mut std::task::Context::from_waker(&waker)).is_pending());
    *bomb.lock().unwrap() = Some(stream);
    sender.try_send(1).unwrap();
    assert!(bomb.lock().unwrap().is_none());
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn errors_say_what_failed() {
    assert_eq!(SendError(1).to_string(), "sending on a closed channel");
    assert_eq!(format!("{:?} {:?}", SendError(Cell::new(1)), TrySendError::Full(1)), "SendError(..) Full(..)");
    assert_eq!(TrySendError::from(SendError(1)).into_inner(), 1);
    assert_eq!(TryRecvError::from(RecvError).to_string(), RecvError.to_string());
    let (sender, _receiver) = channel::bounded::<Cell<u8>>(1);
    assert_eq!(format!("{sender:?}"), "Sender { len: 0, capacity: 1, closed: false }");
}

/// A `T: Send` is enough for everything.
#[test]
fn auto_traits() {
    fn check(sender: &Sender<Cell<u8>>, receiver: &Receiver<Cell<u8>>) {
        assert_send(sender);
        assert_sync(sender);
        assert_send(receiver);
        assert_sync(receiver);
        assert_send(&sender.send(Cell::new(1)));
        assert_send(&receiver.recv());
        assert_send(&receiver.clone().into_stream());
    }
    let (sender, receiver) = channel::bounded(1);
    check(&sender, &receiver);
}
