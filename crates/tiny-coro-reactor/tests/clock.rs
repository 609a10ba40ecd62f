#![cfg(not(tiny_coro_loom))]
//! The paused clock: it moves by hand, or on its own when there is nothing else to do.

mod common;

use common::{Count, poll_once, run, watched};
use std::future::Future;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc;
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_reactor::{AsyncFd, Interest, Reactor, now};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn stands_moves_and_goes_on() {
    let reactor = Reactor::new().unwrap();
    assert!(!reactor.is_paused());
    reactor.pause();
    assert!(reactor.is_paused());
    let start = reactor.now();
    let real = Instant::now();
    while real.elapsed() < Duration::from_millis(2) {}
    assert_eq!(reactor.now(), start);
    reactor.advance(HOUR);
    assert_eq!(reactor.now(), start + HOUR);
    reactor.pause();
    assert_eq!(reactor.now(), start + HOUR);
    {
        let _entered = reactor.enter();
        assert_eq!(now(), start + HOUR);
    }
    assert!(now() < start + HOUR, "without a reactor it is the operating system's");

    reactor.resume();
    assert!(!reactor.is_paused());
    while reactor.now() < start + HOUR + Duration::from_millis(1) {}
    assert!(reactor.now() < start + 2 * HOUR);
    reactor.resume();
    assert!(reactor.now() >= start + HOUR, "a second resume sets it back");
}

#[test]
fn only_a_paused_clock_can_be_advanced() {
    let reactor = Reactor::new().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| reactor.advance(HOUR))).is_err());
}

#[test]
fn advance_wakes_what_it_passes_and_no_more() {
    let reactor = Reactor::with_timer_shards(2).unwrap();
    reactor.pause();
    let (count, waker) = Count::new();
    let mut sleeps: Vec<_> = (1..=4)
        .map(|hours| {
            let _entered = reactor.enter_shard(hours as usize);
            Box::pin(reactor.sleep(hours * HOUR))
        })
        .collect();
    for sleep in &mut sleeps {
        assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    reactor.advance(2 * HOUR - Duration::from_nanos(1));
    assert_eq!(count.get(), 1);
    reactor.advance(Duration::from_nanos(1));
    assert_eq!(count.get(), 2);
    reactor.advance(Duration::MAX);
    assert_eq!(count.get(), 4);
    assert!(sleeps.iter_mut().all(|sleep| poll_once(sleep).is_ready()));
}

/// A program that sleeps for days ends at once, and the clock shows at each step exactly what it should.
#[test]
fn moves_on_its_own_to_each_deadline() {
    let reactor = Reactor::with_timer_shards(3).unwrap();
    reactor.pause();
    let (start, real) = (reactor.now(), Instant::now());
    run(&reactor, async {
        for day in 1..=100 {
            reactor.sleep(24 * HOUR).await;
            assert_eq!(reactor.now(), start + day * 24 * HOUR);
        }
    });
    assert!(real.elapsed() < common::LIMIT);
}

#[test]
fn a_limited_turn_moves_it_by_no_more_than_its_limit() {
    let reactor = Reactor::new().unwrap();
    reactor.pause();
    let start = reactor.now();
    let mut sleep = pin!(reactor.sleep(HOUR));
    assert!(poll_once(&mut sleep).is_pending());
    reactor.turn(Some(Duration::ZERO)).unwrap(); // hears of the pause
    reactor.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(reactor.now(), start);
    reactor.turn(Some(HOUR / 2)).unwrap();
    assert_eq!(reactor.now(), start + HOUR / 2);
    assert_eq!(reactor.turn(Some(HOUR)).unwrap(), 1);
    assert_eq!(reactor.now(), start + HOUR);
}

/// I/O comes first: while the operating system has something to report, no time passes.
#[test]
fn does_not_move_while_there_are_events() {
    let reactor = Reactor::new().unwrap();
    reactor.pause();
    let start = reactor.now();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let stream = AsyncFd::with_reactor(ours, Interest::READABLE, &reactor).unwrap();
    let mut sleep = pin!(reactor.sleep(HOUR));
    assert!(poll_once(&mut sleep).is_pending());
    theirs.write_all(b"x").unwrap();
    assert!(run(&reactor, stream.readable()).unwrap().ready().is_readable());
    assert_eq!(reactor.now(), start);
    run(&reactor, sleep);
    assert_eq!(reactor.now(), start + HOUR);
}

/// A thread that sleeps for an hour by the real clock hears of the pause, and the hour is over.
#[test]
fn pause_reaches_a_thread_that_sleeps() {
    let reactor = Reactor::new().unwrap();
    let mut sleep = Box::pin(reactor.sleep(HOUR));
    let (count, waker) = Count::new();
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let (done, ended) = mpsc::channel();
    let turning = thread::spawn({
        let reactor = reactor.clone();
        move || {
            while reactor.turn(None).unwrap() == 0 {}
            done.send(()).unwrap();
        }
    });
    reactor.pause();
    ended.recv_timeout(common::LIMIT).expect("it sleeps by the wrong clock");
    turning.join().unwrap();
    assert_eq!(count.get(), 1);
}

/// While it is held, the clock stands, also for a thread that turns the reactor; the last release lets it go on.
#[test]
fn hold_keeps_it_where_it_is() {
    let reactor = Reactor::new().unwrap();
    reactor.pause();
    let start = reactor.now();
    let holds = [reactor.hold_clock(), reactor.hold_clock()];
    let (count, waker) = Count::new();
    let mut sleep = Box::pin(reactor.sleep(HOUR));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    for _ in 0..5 {
        reactor.turn(Some(Duration::from_nanos(1))).unwrap();
    }
    assert_eq!((reactor.now(), count.get()), (start, 0));
    watched(move || {
        let turning = thread::spawn({
            let (reactor, count) = (reactor.clone(), count.clone());
            move || {
                while count.get() == 0 {
                    reactor.turn(None).unwrap();
                }
            }
        });
        for hold in holds {
            assert_eq!(reactor.now(), start);
            drop(hold);
        }
        turning.join().unwrap();
        assert_eq!(reactor.now(), start + HOUR);
    });
}
