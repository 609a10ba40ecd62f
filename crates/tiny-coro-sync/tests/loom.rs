//! Models of the protocols: each test names the invariant of the module page that it holds.
//!
//! A coroutine that is never woken shows as a deadlock, a value that is lost as a leaked `Arc`, a value that is seen too
//! early as a race on a cell.
#![cfg(tiny_coro_loom)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc as StdArc;
use std::task::{Context, Poll, Waker};

use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use tiny_coro_sync::{CancellationToken, Mutex, channel, oneshot};

/// Polls once with a waker that nobody listens to.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

// The lock under the channel is private, and the channel's models run on the model checker's own: it is modelled here.
#[path = "../src/spin.rs"]
mod spin;

/// K1: what was done under the lock is seen under the next one, and no access races.
#[test]
fn spin_lock() {
    loom::model(|| {
        let value = Arc::new(spin::SpinLock::new(0));
        let other = value.clone();
        let other = thread::spawn(move || *other.lock() += 1);
        *value.lock() += 1;
        other.join().unwrap();
        assert_eq!(*value.lock(), 2);
    });
}

mod mutex {
    use super::*;

    /// M1, M2: increments under the lock are not lost, and no access races.
    #[test]
    fn mutual_exclusion() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(0));
            let add = |mutex: StdArc<Mutex<i32>>| move || block_on(async { *mutex.lock().await += 1 });
            let others = [thread::spawn(add(mutex.clone())), thread::spawn(add(mutex.clone()))];
            add(mutex.clone())();
            others.into_iter().for_each(|other| other.join().unwrap());
            assert_eq!(*mutex.try_lock().unwrap(), 3);
        });
    }

    /// M1, M2 for `try_lock`: it takes part without ever waiting.
    #[test]
    fn try_lock_excludes() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(0));
            let other = mutex.clone();
            let other = thread::spawn(move || other.try_lock().map(|mut value| *value += 1).is_some());
            block_on(async { *mutex.lock().await += 1 });
            let both = other.join().unwrap();
            assert_eq!(*mutex.try_lock().unwrap(), 1 + i32::from(both));
        });
    }

    /// M3: a waiter that leaves the queue while the lock is handed on strands nobody.
    #[test]
    fn baton_against_cancel() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(()));
            let guard = mutex.clone().try_lock_owned().unwrap();
            let (first, second) = (mutex.clone(), mutex.clone());
            let quitter = thread::spawn(move || drop(poll(pin!(first.lock()))));
            let waiter = thread::spawn(move || drop(block_on(second.lock())));
            drop(guard);
            quitter.join().unwrap();
            waiter.join().unwrap();
            assert!(mutex.try_lock().is_some());
        });
    }

    /// M2: a waiter that has been handed the baton and is dropped passes it on.
    #[test]
    fn granted_waiter_dropped() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(()));
            let guard = mutex.clone().try_lock_owned().unwrap();
            let mut first = Box::pin(mutex.clone().lock_owned());
            assert!(poll(first.as_mut()).is_pending());
            let mut second = Box::pin(mutex.clone().lock_owned());
            assert!(poll(second.as_mut()).is_pending());
            let unlock = thread::spawn(move || drop(guard));
            drop(first);
            drop(block_on(second));
            unlock.join().unwrap();
            assert!(mutex.try_lock().is_some());
        });
    }

    /// M4: waiters get the lock in the order in which they came.
    #[test]
    fn first_come_first_served() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(0));
            let guard = mutex.clone().try_lock_owned().unwrap();
            let queue = [1, 2].map(|place| {
                let mut waiter = Box::pin(mutex.clone().lock_owned());
                assert!(poll(waiter.as_mut()).is_pending());
                (place, waiter)
            });
            let threads = queue.map(|(place, waiter)| {
                thread::spawn(move || {
                    let mut served = block_on(waiter);
                    *served += 1;
                    assert_eq!(*served, place);
                })
            });
            drop(guard);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    /// M2, M4: between the unlock and the heir's poll the lock is never free.
    #[test]
    fn nobody_overtakes_the_heir() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(()));
            let guard = mutex.clone().try_lock_owned().unwrap();
            let mut heir = Box::pin(mutex.clone().lock_owned());
            assert!(poll(heir.as_mut()).is_pending());
            let unlock = thread::spawn(move || drop(guard));
            assert!(mutex.try_lock().is_none());
            drop(block_on(heir));
            unlock.join().unwrap();
        });
    }

    /// L2: a waiter that is polled by another task while it is handed the baton wakes that task, or sees the baton.
    #[test]
    fn waker_replaced() {
        loom::model(|| {
            let mutex = StdArc::new(Mutex::new(()));
            let guard = mutex.clone().try_lock_owned().unwrap();
            let mut waiter = Box::pin(mutex.clone().lock_owned());
            assert!(poll(waiter.as_mut()).is_pending());
            let unlock = thread::spawn(move || drop(guard));
            drop(block_on(waiter));
            unlock.join().unwrap();
        });
    }
}

mod channels {
    use super::*;

    /// C2, K1: with capacity 0 sender and receiver meet, whoever comes first.
    #[test]
    fn rendezvous() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(0);
            let other = thread::spawn(move || block_on(sender.send(Arc::new(7))).unwrap());
            assert_eq!(*block_on(receiver.recv()).unwrap(), 7);
            other.join().unwrap();
        });
    }

    /// C1: two senders for one place; both get through, in a channel that wakes each when it is its turn.
    #[test]
    fn capacity_one_two_senders() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(1);
            let senders = [1, 2].map(|n| {
                let sender = sender.clone();
                thread::spawn(move || block_on(sender.send(n)).unwrap())
            });
            let got = [block_on(receiver.recv()).unwrap(), block_on(receiver.recv()).unwrap()];
            assert!(got == [1, 2] || got == [2, 1]);
            senders.into_iter().for_each(|sender| sender.join().unwrap());
        });
    }

    /// C2: two receivers that wait, two values: one each.
    #[test]
    fn two_receivers() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(2);
            let receivers =
                [receiver.clone(), receiver].map(|receiver| thread::spawn(move || block_on(receiver.recv())));
            sender.try_send(1).unwrap();
            sender.try_send(2).unwrap();
            let got = receivers.map(|receiver| receiver.join().unwrap().unwrap());
            assert!(got == [1, 2] || got == [2, 1]);
        });
    }

    /// C3, C4: a send that meets a close delivers its value or gives it back.
    #[test]
    fn close_against_send() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(1);
            sender.try_send(Arc::new(1)).unwrap();
            let other = thread::spawn(move || block_on(sender.send(Arc::new(2))).map_err(|error| *error.into_inner()));
            receiver.close();
            let first = receiver.try_recv().unwrap();
            assert_eq!(*first, 1);
            assert!(receiver.try_recv().unwrap_err().is_closed());
            assert_eq!(other.join().unwrap(), Err(2));
        });
    }

    /// C3: a receive that meets a close gets what was sent before it, then the error.
    #[test]
    fn close_against_recv() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(1);
            let other = thread::spawn(move || (block_on(receiver.recv()), block_on(receiver.recv())));
            sender.try_send(1).unwrap();
            sender.close();
            assert_eq!(other.join().unwrap(), (Ok(1), Err(channel::RecvError)));
        });
    }

    /// C4: a value that was reserved for a receive which is dropped is there for the next one.
    #[test]
    fn cancel_after_reservation() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(1);
            let mut quitter = Box::pin(receiver.recv());
            assert!(poll(quitter.as_mut()).is_pending());
            let other = thread::spawn(move || sender.try_send(Arc::new(1)).unwrap());
            drop(quitter);
            assert_eq!(*block_on(receiver.recv()).unwrap(), 1);
            other.join().unwrap();
        });
    }

    /// C2, C3: …and wakes the next one, if that waits already: even in a channel that was closed meanwhile.
    #[test]
    fn cancelled_receiver_passes_on() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded::<Arc<u8>>(0);
            let next = receiver.clone();
            let mut quitter = Box::pin(receiver.recv());
            assert!(poll(quitter.as_mut()).is_pending());
            let next = thread::spawn(move || *block_on(next.recv()).unwrap());
            let sender = thread::spawn(move || block_on(sender.send(Arc::new(1))).unwrap());
            drop(quitter);
            assert_eq!(next.join().unwrap(), 1);
            sender.join().unwrap();
        });
    }

    /// C4: a send that is dropped while a receiver comes was delivered, or its value is dropped. Never both.
    #[test]
    fn cancelled_sender() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(0);
            let value = Arc::new(1);
            let mut quitter = Box::pin(sender.send(value.clone()));
            assert!(poll(quitter.as_mut()).is_pending());
            let other = thread::spawn(move || receiver.try_recv().ok());
            drop(quitter);
            let received = other.join().unwrap();
            assert_eq!(Arc::strong_count(&value), 1 + usize::from(received.is_some()));
        });
    }

    /// C3: the last sender's end ends a receiver's wait.
    #[test]
    fn last_sender_dropped() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded::<u8>(1);
            let second = sender.clone();
            let senders = [sender, second].map(|sender| thread::spawn(move || drop(sender)));
            assert_eq!(block_on(receiver.recv()), Err(channel::RecvError));
            senders.into_iter().for_each(|sender| sender.join().unwrap());
        });
    }

    /// C3, C4: the last receiver's end ends a sender's wait, and drops what was stored.
    #[test]
    fn last_receiver_dropped() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(1);
            let other = thread::spawn(move || {
                let first = block_on(sender.send(Arc::new(1)));
                (first.is_ok(), block_on(sender.send(Arc::new(2))).is_ok())
            });
            drop(receiver);
            assert!(!other.join().unwrap().1, "nobody took the first value, so there was never room for the second");
        });
    }

    /// L2: a receive that is polled by another task while a value comes wakes that task, or sees the value.
    #[test]
    fn waker_replaced() {
        loom::model(|| {
            let (sender, receiver) = channel::bounded(1);
            let mut receive = Box::pin(receiver.recv());
            assert!(poll(receive.as_mut()).is_pending());
            let other = thread::spawn(move || sender.try_send(1).unwrap());
            assert_eq!(block_on(receive), Ok(1));
            other.join().unwrap();
        });
    }
}

mod oneshots {
    use super::*;

    /// O1: the receiver is woken and sees the value.
    #[test]
    fn send_against_recv() {
        loom::model(|| {
            let (sender, receiver) = oneshot::channel();
            let other = thread::spawn(move || sender.send(Arc::new(7)).unwrap());
            assert_eq!(*block_on(receiver).unwrap(), 7);
            other.join().unwrap();
        });
    }

    /// O2, O3: a receiver that waits is woken by a sender that ends unsent.
    #[test]
    fn sender_dropped() {
        loom::model(|| {
            let (sender, receiver) = oneshot::channel::<Arc<u8>>();
            let other = thread::spawn(move || drop(sender));
            assert!(block_on(receiver).is_err());
            other.join().unwrap();
        });
    }

    /// O3: the value is dropped once and the memory freed once, whoever ends first; also with a waker registered.
    #[test]
    fn send_against_drop() {
        for registered in [false, true] {
            loom::model(move || {
                let (sender, mut receiver) = oneshot::channel();
                if registered {
                    assert!(poll(Pin::new(&mut receiver)).is_pending());
                }
                let value = Arc::new(7);
                let sent = value.clone();
                let other = thread::spawn(move || drop(sender.send(sent)));
                drop(receiver);
                other.join().unwrap();
                assert_eq!(Arc::strong_count(&value), 1);
            });
        }
    }

    /// O1: a send that meets a close is received or comes back.
    #[test]
    fn send_against_close() {
        loom::model(|| {
            let (sender, mut receiver) = oneshot::channel();
            let other = thread::spawn(move || sender.send(Arc::new(7)).is_ok());
            receiver.close();
            let received = block_on(receiver).is_ok();
            assert_eq!(other.join().unwrap(), received);
        });
    }

    /// O2: a receiver that is polled by another task while the value comes wakes that task, or sees the value.
    #[test]
    fn waker_replaced() {
        loom::model(|| {
            let (sender, mut receiver) = oneshot::channel();
            assert!(poll(Pin::new(&mut receiver)).is_pending());
            let other = thread::spawn(move || sender.send(7).unwrap());
            assert_eq!(block_on(receiver), Ok(7));
            other.join().unwrap();
        });
    }

    /// O2: a sender that waits for the receiver's end is woken by it.
    #[test]
    fn closed_against_drop() {
        for registered in [false, true] {
            loom::model(move || {
                let (mut sender, receiver) = oneshot::channel::<u8>();
                if registered {
                    assert!(poll(pin!(sender.closed())).is_pending());
                }
                let other = thread::spawn(move || drop(receiver));
                block_on(sender.closed());
                assert_eq!(sender.send(1), Err(1));
                other.join().unwrap();
            });
        }
    }

    /// O1, O2: a close wakes the sender that waits for it, and what the receiver did before is seen.
    #[test]
    fn closed_against_close() {
        loom::model(|| {
            let (mut sender, mut receiver) = oneshot::channel::<u8>();
            let before = Arc::new(UnsafeCell::new(0));
            let written = before.clone();
            let other = thread::spawn(move || {
                // SAFETY: nobody looks before the channel is closed.
                written.with_mut(|value| unsafe { *value = 7 });
                receiver.close();
                receiver
            });
            block_on(sender.closed());
            // SAFETY: the channel is closed.
            assert_eq!(before.with(|value| unsafe { *value }), 7);
            drop(other.join().unwrap());
        });
    }

    /// O2: a sender that had waited sends while the receiver closes: its waker has one owner all the time.
    #[test]
    fn waker_retracted_against_close() {
        loom::model(|| {
            let (mut sender, mut receiver) = oneshot::channel();
            assert!(poll(pin!(sender.closed())).is_pending());
            let other = thread::spawn(move || {
                receiver.close();
                receiver.try_recv().ok()
            });
            let sent = sender.send(Arc::new(7)).is_ok();
            assert_eq!(other.join().unwrap().is_some(), sent);
        });
    }
}

/// L4: a coroutine that sees by chance that it was served, ends and is freed, does not disturb whoever serves it.
#[test]
fn served_by_chance_while_being_woken() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(0);
        let mut receive = Box::pin(receiver.recv());
        assert!(poll(receive.as_mut()).is_pending());
        let other = thread::spawn(move || sender.try_send(1).unwrap());
        while poll(receive.as_mut()).is_pending() {
            thread::yield_now();
        }
        drop(receive); // the waiter's memory is gone, perhaps before the wake
        drop(receiver);
        other.join().unwrap();
    });
}

mod cancellation {
    use super::*;

    /// X1: a waiter is woken, whether it registers before or after; and sees what came before the call.
    #[test]
    fn x1_wait_against_cancel() {
        loom::model(|| {
            let (token, cell) = (CancellationToken::new(), Arc::new(UnsafeCell::new(0)));
            let (other, written) = (token.clone(), cell.clone());
            let canceller = thread::spawn(move || {
                // SAFETY: read only after the token was seen cancelled.
                written.with_mut(|value| unsafe { *value = 1 });
                other.cancel();
            });
            block_on(token.cancelled());
            // SAFETY: written before `cancel`.
            assert_eq!(cell.with(|value| unsafe { *value }), 1);
            canceller.join().unwrap();
        });
    }

    /// X1: a waiter that is dropped while the token is cancelled takes nobody else's wake along.
    #[test]
    fn x1_drop_against_cancel() {
        loom::model(|| {
            let token = CancellationToken::new();
            let other = token.clone();
            let mut dropped = Box::pin(token.cancelled());
            assert!(poll(dropped.as_mut()).is_pending());
            let canceller = thread::spawn(move || other.cancel());
            drop(dropped);
            block_on(token.cancelled());
            canceller.join().unwrap();
        });
    }

    /// X2: a child that is made while its parent is cancelled is cancelled too.
    #[test]
    fn x2_child_against_cancel() {
        loom::model(|| {
            let token = CancellationToken::new();
            let other = token.clone();
            let canceller = thread::spawn(move || other.cancel());
            let child = token.child_token();
            let grandchild = child.child_token();
            canceller.join().unwrap();
            assert!(child.is_cancelled() && grandchild.is_cancelled());
        });
    }

    /// X2: a child that goes while its parent is cancelled leaves the tree in order.
    #[test]
    fn x2_child_goes_against_cancel() {
        loom::model(|| {
            let token = CancellationToken::new();
            let (first, second) = (token.child_token(), token.child_token());
            let other = token.clone();
            let canceller = thread::spawn(move || other.cancel());
            drop(first);
            canceller.join().unwrap();
            assert!(second.is_cancelled());
        });
    }
}
