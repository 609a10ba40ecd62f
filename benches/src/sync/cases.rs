//! The cases, each written once for every [`Runtime`] and family of [`Channels`] or [`Mutex`].

use std::sync::Arc;

use super::{Channels, Message, Mutex};
use crate::child::Cases;
use crate::runtime::{Runtime, run};

/// The cases of a channel with room for messages.
pub fn channel_cases<R: Runtime, C: Channels>(cases: &mut Cases) {
    cases.timed("channel_ping_pong", R::new, channel_ping_pong::<R, C>);
    cases.timed("channel_4p1c", R::new, channel_4p1c::<R, C>);
}

/// The cases of a channel that may have room for nothing.
pub fn rendezvous_cases<R: Runtime, C: Channels>(cases: &mut Cases) {
    cases.timed("channel_rendezvous", R::new, channel_rendezvous::<R, C>);
}

/// The cases of a lock.
pub fn mutex_cases<R: Runtime, M: Mutex>(cases: &mut Cases) {
    cases.timed("mutex_8x", R::new, mutex_8x::<R, M>);
}

/// Two tasks, a channel each way with room for one message. An operation is a round trip.
fn channel_ping_pong<R: Runtime, C: Channels>(runtime: &mut R) -> usize {
    const TRIPS: usize = 20_000;
    run(runtime, async {
        let (ping, mut pinged) = C::bounded(1);
        let (pong, mut ponged) = C::bounded(1);
        R::detach(async move {
            while let Some(message) = C::receive(&mut pinged).await {
                C::send(&pong, message).await;
            }
        });
        for trip in 0..TRIPS {
            C::send(&ping, trip).await;
            assert_eq!(C::receive(&mut ponged).await, Some(trip));
        }
    });
    TRIPS
}

/// Four tasks send to one, with room for 128 messages. An operation is a message.
fn channel_4p1c<R: Runtime, C: Channels>(runtime: &mut R) -> usize {
    stream::<R, C>(runtime, 128, 4, 25_000)
}

/// One task sends to another, with room for nothing: each send waits for its receive. An operation is a message.
fn channel_rendezvous<R: Runtime, C: Channels>(runtime: &mut R) -> usize {
    stream::<R, C>(runtime, 0, 1, 20_000)
}

fn stream<R: Runtime, C: Channels>(runtime: &R, capacity: usize, senders: usize, each: usize) -> usize {
    let sum: Message = run(runtime, async move {
        let (sender, mut receiver) = C::bounded(capacity);
        for _ in 0..senders {
            let sender = sender.clone();
            R::detach(async move {
                for message in 0..each {
                    C::send(&sender, message).await;
                }
            });
        }
        drop(sender);
        let mut sum = 0;
        while let Some(message) = C::receive(&mut receiver).await {
            sum += message;
        }
        sum
    });
    assert_eq!(sum, senders * (each * (each - 1) / 2), "each message comes once");
    senders * each
}

/// Eight tasks lock, add one and unlock 50,000 times each. An operation is one of these.
fn mutex_8x<R: Runtime, M: Mutex>(runtime: &mut R) -> usize {
    const TASKS: usize = 8;
    const TIMES: usize = 50_000;
    let sum = run(runtime, async {
        let mutex = Arc::new(M::new());
        let adding = |mutex: Arc<M>| async move {
            for _ in 0..TIMES {
                mutex.add_one().await;
            }
        };
        let tasks: Vec<_> = (0..TASKS).map(|_| R::spawn(adding(Arc::clone(&mutex)))).collect();
        for task in tasks {
            R::join(task).await;
        }
        mutex.add_one().await - 1
    });
    assert_eq!(sum, TASKS * TIMES, "the lock keeps the others out");
    TASKS * TIMES
}
