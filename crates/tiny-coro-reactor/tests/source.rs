#![cfg(not(tiny_coro_loom))]
//! Sources: waiting, clearing, two directions, deregistration.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tiny_coro_reactor::{Direction, Reactor, Source, budget};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn pair(reactor: &Reactor) -> (Source<UnixStream>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    (Source::with_reactor(ours, reactor).unwrap(), theirs)
}

fn read(source: &Source<UnixStream>, waker: &Waker) -> Poll<std::io::Result<usize>> {
    let mut buffer = [0; 16];
    source.poll_io(Direction::Read, &mut Context::from_waker(waker), |mut stream| stream.read(&mut buffer))
}

/// Writes until the operating system takes no more.
fn fill(source: &Source<UnixStream>, waker: &Waker) {
    let chunk = [0; 4096];
    let mut cx = Context::from_waker(waker);
    while source.poll_io(Direction::Write, &mut cx, |mut stream| stream.write(&chunk)).is_ready() {}
}

/// Takes what is there, for `fill`'s peer.
fn drain(mut stream: &UnixStream) {
    let mut buffer = [0; 65536];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// Turns until `count` has reached `wakes`; every turn has a deadline.
fn turn_until(reactor: &Reactor, count: &Count, wakes: usize) {
    for _ in 0..100 {
        if count.get() >= wakes {
            return;
        }
        reactor.turn(Some(Duration::from_secs(1))).unwrap();
    }
    panic!("the waker was not woken");
}

#[test]
fn a_waiter_is_woken_when_data_comes_and_again_after_it_was_drained() {
    let reactor = Reactor::new().unwrap();
    let (source, mut peer) = pair(&reactor);
    let (count, waker) = Count::new();
    for round in 1..=3 {
        assert!(read(&source, &waker).is_pending());
        peer.write_all(b"abc").unwrap();
        turn_until(&reactor, &count, round);
        assert!(matches!(read(&source, &waker), Poll::Ready(Ok(3))));
    }
}

/// S6: in the ancestor a reader and a writer on one socket overwrote each other's registration.
#[test]
fn s6_reader_and_writer_on_one_socket_are_both_woken() {
    let reactor = Reactor::new().unwrap();
    let (source, mut peer) = pair(&reactor);
    let (reads, reader) = Count::new();
    let (writes, writer) = Count::new();
    reactor.turn(Some(Duration::ZERO)).unwrap();
    fill(&source, &writer);
    assert!(read(&source, &reader).is_pending());

    peer.write_all(b"x").unwrap();
    turn_until(&reactor, &reads, 1);
    assert!(matches!(read(&source, &reader), Poll::Ready(Ok(1))));

    assert!(read(&source, &reader).is_pending());
    drain(&peer);
    turn_until(&reactor, &writes, 1);
    peer.write_all(b"y").unwrap();
    turn_until(&reactor, &reads, 2);
}

/// S7: in the ancestor closing a socket never woke its waiters.
#[test]
fn s7_deregistration_wakes_both_directions_with_an_error() {
    let reactor = Reactor::new().unwrap();
    let (source, _peer) = pair(&reactor);
    let (reads, reader) = Count::new();
    let (writes, writer) = Count::new();
    reactor.turn(Some(Duration::ZERO)).unwrap();
    fill(&source, &writer);
    assert!(read(&source, &reader).is_pending());

    source.deregister().unwrap();
    assert_eq!((reads.get(), writes.get()), (1, 1));
    let Poll::Ready(Err(error)) = read(&source, &reader) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert!(source.try_io(Direction::Write, |mut stream| stream.write(b"x")).is_err());
    assert_eq!(reactor.sources(), 0);
}

#[test]
fn shutdown_wakes_waiters_and_refuses_new_sources() {
    let reactor = Reactor::new().unwrap();
    let (source, _peer) = pair(&reactor);
    let (reads, reader) = Count::new();
    assert!(read(&source, &reader).is_pending());
    reactor.shutdown();
    assert_eq!(reads.get(), 1);
    let (another, _) = UnixStream::pair().unwrap();
    assert_eq!(Source::with_reactor(another, &reactor).unwrap_err().kind(), ErrorKind::NotConnected);
}

/// R4: events of a source that is gone do not reach the one that has its slot, or its descriptor, now.
#[test]
fn a_late_event_does_not_reach_the_next_source() {
    let reactor = Reactor::new().unwrap();
    for _ in 0..100 {
        let (count, waker) = Count::new();
        let (old, mut peer) = pair(&reactor);
        peer.write_all(b"late").unwrap();
        drop(old);
        let (new, _peer) = pair(&reactor);
        assert!(read(&new, &waker).is_pending());
        reactor.turn(Some(Duration::ZERO)).unwrap();
        assert!(read(&new, &waker).is_pending());
        assert_eq!(count.get(), 0);
    }
    assert_eq!(reactor.sources(), 0);
}

/// A hang-up ends the wait of both directions, and stays.
#[test]
fn hang_up_is_readable_for_good() {
    let reactor = Reactor::new().unwrap();
    let (source, peer) = pair(&reactor);
    let (count, waker) = Count::new();
    assert!(read(&source, &waker).is_pending());
    drop(peer);
    turn_until(&reactor, &count, 1);
    for _ in 0..3 {
        assert!(matches!(read(&source, &waker), Poll::Ready(Ok(0))));
    }
}

/// A source that is always ready hands out as many readinesses as the budget has units, then wakes its task and waits.
#[test]
fn the_budget_makes_a_busy_source_yield() {
    let reactor = Reactor::new().unwrap();
    let (source, _peer) = pair(&reactor);
    reactor.turn(Some(Duration::ZERO)).unwrap();
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    budget::reset(3);
    let granted = (0..10).take_while(|_| source.poll_ready(Direction::Write, &mut cx).is_ready()).count();
    budget::reset(budget::UNLIMITED);
    assert_eq!(granted, 3);
    assert_eq!(count.get(), 1);
}

/// An executor inside a task polls again and again without a new budget: it goes on all the same.
#[test]
fn an_exhausted_budget_does_not_stop_a_nested_executor() {
    let reactor = Reactor::new().unwrap();
    let (source, _peer) = pair(&reactor);
    reactor.turn(Some(Duration::ZERO)).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    budget::reset(1);
    let granted = (0..100_000).filter(|_| source.poll_ready(Direction::Write, &mut cx).is_ready()).count();
    budget::reset(budget::UNLIMITED);
    assert!(granted > 1_000);
}

#[test]
fn two_reactors_do_not_mix() {
    let (first, second) = (Reactor::new().unwrap(), Reactor::new().unwrap());
    let _entered = first.enter();
    {
        let _inner = second.enter();
        let (stream, _peer) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        let _source = Source::new(stream).unwrap();
        assert_eq!((first.sources(), second.sources()), (0, 1));
    }
    let (stream, _peer) = UnixStream::pair().unwrap();
    stream.set_nonblocking(true).unwrap();
    let _source = Source::new(stream).unwrap();
    assert_eq!((first.sources(), second.sources()), (1, 0));
}

#[test]
fn without_a_reactor_the_error_says_what_to_do() {
    let (stream, _peer) = UnixStream::pair().unwrap();
    let error = Source::new(stream).unwrap_err();
    assert!(error.to_string().contains("Reactor::enter"), "{error}");
}
