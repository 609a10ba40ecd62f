//! Real threads, many operations, random cancellations, exact counts.
#![cfg(not(tiny_coro_loom))]

mod common;

use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use common::{Random, block_on, poll, poll_once};
use tiny_coro_sync::channel::{self, TrySendError};
use tiny_coro_sync::{Mutex, oneshot};

/// M1 to M4: increments are exact while other waiters come, are handed the baton and go.
#[test]
fn mutex_with_cancel_storm() {
    let mutex = Arc::new(Mutex::new(0_u64));
    let threads: Vec<_> = (1..=6)
        .map(|seed| {
            let mutex = mutex.clone();
            thread::spawn(move || {
                let mut random = Random(seed);
                let mut added = 0;
                for _ in 0..10_000 {
                    let mut lock = pin!(mutex.lock());
                    let patient = random.below(4) != 0;
                    let served = match poll(lock.as_mut(), Waker::noop()) {
                        Poll::Ready(guard) => Some(guard),
                        Poll::Pending if patient => Some(block_on(lock)),
                        Poll::Pending => {
                            thread::yield_now(); // time to be handed the baton, and then dropped
                            None
                        }
                    };
                    if let Some(mut value) = served {
                        *value += 1;
                        added += 1;
                    }
                }
                added
            })
        })
        .collect();
    let added: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(*mutex.try_lock().expect("nobody has the lock"), added);
}

/// C4: received + returned + cancelled = sent, counted and summed, with receivers that keep giving up.
fn channel_accounts(capacity: usize, senders: u64, receivers: u64, each: u64) {
    let (sender, receiver) = channel::bounded(capacity);
    let producers: Vec<_> = (0..senders)
        .map(|n| {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut random = Random(n + 1);
                let mut sum = 0;
                for value in n * each..(n + 1) * each {
                    let rest = if random.below(8) == 0 {
                        sender.try_send(value).err()
                    } else {
                        Some(TrySendError::Full(value))
                    };
                    if let Some(value) = rest.map(TrySendError::into_inner) {
                        block_on(sender.send(value)).unwrap();
                    }
                    sum += value;
                }
                sum
            })
        })
        .collect();
    drop(sender);
    let consumers: Vec<_> = (0..receivers)
        .map(|n| {
            let receiver = receiver.clone();
            thread::spawn(move || {
                let mut random = Random(n + 99);
                let (mut count, mut sum) = (0, 0);
                loop {
                    let mut recv = pin!(receiver.recv());
                    let patient = random.below(4) != 0;
                    let received = match poll(recv.as_mut(), Waker::noop()) {
                        Poll::Ready(received) => received,
                        Poll::Pending if patient => block_on(recv),
                        Poll::Pending => {
                            thread::yield_now(); // time to be completed, and then dropped
                            continue;
                        }
                    };
                    match received {
                        Ok(value) => {
                            count += 1;
                            sum += value
                        }
                        Err(_) => return (count, sum),
                    }
                }
            })
        })
        .collect();
    drop(receiver);
    let sent: u64 = producers.into_iter().map(|thread| thread.join().unwrap()).sum();
    let received =
        consumers.into_iter().map(|thread| thread.join().unwrap()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert_eq!(received, (senders * each, sent));
}

#[test]
fn rendezvous_accounts() {
    channel_accounts(0, 3, 3, 3_000);
}

#[test]
fn capacity_one_accounts() {
    channel_accounts(1, 4, 1, 3_000);
}

#[test]
fn capacity_eight_accounts() {
    channel_accounts(8, 3, 2, 10_000);
}

/// C4: senders that give up: what was received is what wasn't dropped with its future.
#[test]
fn cancelled_senders_account() {
    let (sender, receiver) = channel::bounded(1);
    let alive = Arc::new(());
    let producers: Vec<_> = (1..=3)
        .map(|seed| {
            let (sender, alive) = (sender.clone(), alive.clone());
            thread::spawn(move || {
                let mut random = Random(seed);
                for _ in 0..5_000 {
                    if random.below(2) == 0 {
                        let _ = poll_once(sender.send(alive.clone()));
                    } else {
                        block_on(sender.send(alive.clone())).unwrap();
                    }
                }
            })
        })
        .collect();
    drop(sender);
    let mut count = 0;
    while let Ok(value) = block_on(receiver.recv()) {
        count += 1;
        drop(value);
    }
    producers.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(count <= 15_000);
    assert_eq!(Arc::strong_count(&alive), 1, "no value leaked");
}

/// O1 to O3: pairs that race in every way; each value is received, returned or dropped.
#[test]
fn oneshot_races() {
    let (give, take) = mpsc::channel::<oneshot::Receiver<Arc<()>>>();
    let alive = Arc::new(());
    let value = alive.clone();
    let other = thread::spawn(move || {
        let mut random = Random(7);
        let mut received = 0;
        for mut receiver in take {
            received += match random.below(3) {
                0 => u64::from(block_on(receiver).is_ok()),
                1 => {
                    drop(receiver);
                    0
                }
                _ => {
                    receiver.close();
                    u64::from(receiver.try_recv().is_ok())
                }
            };
        }
        received
    });
    let mut returned = 0;
    for _ in 0..20_000 {
        let (sender, receiver) = oneshot::channel();
        give.send(receiver).unwrap();
        returned += u64::from(sender.send(value.clone()).is_err());
    }
    drop((give, value));
    let received = other.join().unwrap();
    assert!(received + returned <= 20_000 && received > 0);
    assert_eq!(Arc::strong_count(&alive), 1, "no value leaked");
}
