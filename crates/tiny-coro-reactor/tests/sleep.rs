#![cfg(not(tiny_coro_loom))]
//! Sleeps: never early, in order, cancelled on drop, noticed by a thread that sleeps already.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_reactor::{Reactor, Sleep};

fn poll(sleep: Pin<&mut Sleep>) -> Poll<()> {
    sleep.poll(&mut Context::from_waker(Waker::noop()))
}

/// S9: in the ancestor a deadline was floored to a millisecond, and the last one was a busy loop.
#[test]
fn s9_a_sleep_is_never_early_and_takes_few_turns() {
    let reactor = Reactor::new().unwrap();
    for micros in [1, 300, 999, 1_500, 2_700] {
        let deadline = Instant::now() + Duration::from_micros(micros);
        let mut sleep = pin!(reactor.sleep_until(deadline));
        let mut turns = 0;
        while poll(sleep.as_mut()).is_pending() {
            reactor.turn(None).unwrap();
            turns += 1;
        }
        assert!(Instant::now() >= deadline);
        assert!(turns <= 2, "{turns} turns for {micros} µs");
    }
}

/// S9: a sleep that is dropped is out of the queue.
#[test]
fn s9_dropping_a_sleep_cancels_it() {
    let reactor = Reactor::new().unwrap();
    let far = Instant::now() + Duration::from_secs(3600);
    let mut sleeps: Vec<_> = (0..1000).map(|_| Box::pin(reactor.sleep_until(far))).collect();
    assert!(sleeps.iter_mut().all(|sleep| poll(sleep.as_mut()).is_pending()));
    assert_eq!(reactor.sleeps(), 1000);
    sleeps.truncate(1);
    assert_eq!(reactor.sleeps(), 1);
    drop(sleeps);
    assert_eq!(reactor.sleeps(), 0);
}

/// R5: a thread that turns the reactor without a limit hears of a deadline that comes later.
#[test]
fn an_earlier_deadline_wakes_the_sleeping_thread() {
    let reactor = Reactor::new().unwrap();
    let (done, ended) = mpsc::channel();
    let turning = thread::spawn({
        let reactor = reactor.clone();
        move || {
            while reactor.turn(None).unwrap() == 0 {}
            done.send(()).unwrap();
        }
    });
    let mut sleep = pin!(reactor.sleep_until(Instant::now() + Duration::from_millis(20)));
    assert!(poll(sleep.as_mut()).is_pending());
    ended.recv_timeout(Duration::from_secs(60)).expect("the thread slept on");
    turning.join().unwrap();
    assert!(poll(sleep.as_mut()).is_ready());
}

#[test]
fn notify_ends_a_turn_also_when_it_comes_first() {
    let reactor = Reactor::new().unwrap();
    reactor.notify();
    assert_eq!(reactor.turn(None).unwrap(), 0);
}

#[test]
fn reset_moves_the_deadline_both_ways() {
    let reactor = Reactor::new().unwrap();
    let now = Instant::now();
    let mut sleep = pin!(reactor.sleep_until(now + Duration::from_secs(3600)));
    assert!(poll(sleep.as_mut()).is_pending());
    sleep.as_mut().reset(now);
    assert!(poll(sleep.as_mut()).is_ready());
    sleep.as_mut().reset(now + Duration::from_secs(3600));
    assert!(poll(sleep.as_mut()).is_pending());
    assert_eq!(reactor.sleeps(), 1);
}

/// A deadline that no clock reaches is accepted, and waits.
#[test]
fn a_far_deadline_waits() {
    let reactor = Reactor::new().unwrap();
    let far = Instant::now().checked_add(Duration::from_secs(86400 * 365 * 200)).unwrap_or_else(Instant::now);
    let mut sleep = pin!(reactor.sleep_until(far));
    assert!(poll(sleep.as_mut()).is_pending());
    reactor.turn(Some(Duration::from_millis(1))).unwrap();
    assert!(poll(sleep.as_mut()).is_pending());
}
