//! The cases, each written once for every [`TimerQueue`].

use std::hint::black_box;

use super::TimerQueue;
use crate::Random;
use crate::child::Cases;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;
const SECOND: u64 = 1_000 * MILLISECOND;

/// How long a connection may be silent.
const TIMEOUT: u64 = 30 * SECOND;

/// The cases of a queue.
pub fn cases<Q: TimerQueue>(cases: &mut Cases) {
    cases.timed("queue_insert_cancel", || Server::<Q>::new(TIMEOUT), insert_cancel);
    cases.timed("queue_insert_expire", || Server::<Q>::new(3_600 * SECOND), insert_expire);
    cases.timed("queue_server_mix", || Server::<Q>::new(TIMEOUT), server_mix);
}

/// A server with 10,000 connections, each with a live time-out.
struct Server<Q: TimerQueue> {
    queue: Q,
    /// The time-out of each connection.
    keys: Vec<Q::Key>,
    now: u64,
    random: Random,
}

impl<Q: TimerQueue> Server<Q> {
    const CONNECTIONS: u64 = 10_000;

    /// A server whose connections have been opened within ten milliseconds.
    fn new(timeout: u64) -> Self {
        let mut server = Server { queue: Q::new(), keys: Vec::new(), now: 0, random: Random::new() };
        for connection in 0..Self::CONNECTIONS {
            let deadline = timeout + server.random.below(10 * MILLISECOND);
            server.keys.push(server.queue.insert(deadline, connection as u32));
        }
        server
    }
}

/// A time-out that is set and cancelled at once, beside the live ones: an operation is both.
fn insert_cancel<Q: TimerQueue>(server: &mut Server<Q>) -> usize {
    const TIMES: usize = 100_000;
    for number in 0..TIMES {
        let deadline = server.now + TIMEOUT + server.random.below(10 * MILLISECOND);
        let key = server.queue.insert(black_box(deadline), number as u32);
        server.queue.cancel(black_box(key));
    }
    TIMES
}

/// 10,000 sleeps of up to 100 ms that all come to their end, beside time-outs that are far off, while the clock goes on
/// by milliseconds. An operation is a sleep: its insertion and its expiry.
fn insert_expire<Q: TimerQueue>(server: &mut Server<Q>) -> usize {
    const SLEEPS: usize = 10_000;
    const LONGEST: u64 = 100 * MILLISECOND;
    for number in 0..SLEEPS {
        let deadline = server.now + 1 + server.random.below(LONGEST);
        server.queue.insert(black_box(deadline), number as u32);
    }
    let (mut fired, end) = (0, server.now + LONGEST + MILLISECOND);
    while server.now < end {
        server.now += MILLISECOND;
        server.queue.expire(server.now, |value| {
            black_box(value);
            fired += 1;
        });
    }
    assert_eq!(fired, SLEEPS, "each sleep ends once");
    SLEEPS
}

/// Requests that come in every 10 µs, each on some connection, whose time-out it cancels and sets anew. Every
/// thousandth sets a time-out of 5 ms besides, which is not cancelled. The server looks for what has expired after 64
/// requests. An operation is a request.
fn server_mix<Q: TimerQueue>(server: &mut Server<Q>) -> usize {
    const REQUESTS: usize = 64 * 1_000;
    const INTERVAL: u64 = 10 * MICROSECOND;
    let mut fired = 0;
    for request in 1..=REQUESTS {
        server.now += INTERVAL;
        let connection = server.random.below(Server::<Q>::CONNECTIONS) as usize;
        server.queue.cancel(server.keys[connection]);
        server.keys[connection] = server.queue.insert(black_box(server.now + TIMEOUT), connection as u32);
        if request % 1_000 == 0 {
            server.queue.insert(server.now + 5 * MILLISECOND, u32::MAX);
        }
        if request % 64 == 0 {
            server.queue.expire(server.now, |value| fired += usize::from(black_box(value) == u32::MAX));
        }
    }
    // The last one may still be on its way, and one of the run before may have come.
    assert!(fired.abs_diff(REQUESTS / 1_000) <= 1, "each time-out that is not cancelled expires, and no other");
    REQUESTS
}
