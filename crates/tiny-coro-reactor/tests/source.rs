#![cfg(not(tiny_coro_loom))]
//! Sources: waiting, clearing, two directions, deregistration.

mod common;

use common::{Count, Turning, block_on, run, streams, turn_until, watched};
use std::fs::File;
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tiny_coro_reactor::{Direction, Interest, Reactor, Source, budget};

fn pair(reactor: &Reactor) -> (Source<UnixStream>, UnixStream) {
    let (ours, theirs) = streams();
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
    let (another, _) = streams();
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
        let (stream, _peer) = streams();
        let _source = Source::new(stream).unwrap();
        assert_eq!((first.sources(), second.sources()), (0, 1));
    }
    let (stream, _peer) = streams();
    let _source = Source::new(stream).unwrap();
    assert_eq!((first.sources(), second.sources()), (1, 0));
}

#[test]
fn without_a_reactor_the_error_says_what_to_do() {
    let (stream, _peer) = UnixStream::pair().unwrap();
    let error = Source::new(stream).unwrap_err();
    assert!(error.to_string().contains("Reactor::enter"), "{error}");
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "blocking mode")]
fn a_blocking_descriptor_is_found_by_a_debug_build() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = UnixStream::pair().unwrap();
    let _ = Source::with_reactor(stream, &reactor);
}

/// The futures, in place of the `poll_` methods: `readable`, `writable`, `async_io`.
#[test]
fn futures_wait_and_leave_no_trace_when_dropped() {
    let reactor = Reactor::new().unwrap();
    let (source, mut peer) = pair(&reactor);
    let mut buffer = [0; 16];
    {
        let mut read = pin!(source.async_io(Direction::Read, |mut stream| stream.read(&mut buffer)));
        assert!(read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        peer.write_all(b"abc").unwrap();
        assert_eq!(run(&reactor, read).unwrap(), 3);
    }
    assert!(run(&reactor, source.writable()).unwrap().is_writable());
    let (count, waker) = Count::new();
    assert!(read(&source, &waker).is_pending());
    for _ in 0..3 {
        let mut dropped = pin!(source.readable());
        assert!(dropped.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&count), 3, "a waker stayed behind, besides the polling one's and ours");
}

#[test]
fn only_the_directions_asked_for_can_be_awaited() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = streams();
    let source = Source::with_interest(stream, &reactor, Interest::READABLE).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = source.poll_write_ready(&mut cx) else { panic!("it waits for ever") };
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(source.poll_read_ready(&mut cx).is_pending());
}

/// S7 across threads: a task closes what two others wait for, at whatever moment.
#[test]
fn s7_closing_beside_waiters_reaches_them() {
    watched(|| {
        let reactor = Reactor::new().unwrap();
        let _turning = Turning::new(&reactor);
        for _ in 0..200 {
            let (source, _peer) = pair(&reactor);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let error = block_on(source.readable()).unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::NotConnected);
                    });
                }
                source.deregister().unwrap();
            });
        }
        assert_eq!(reactor.sources(), 0);
    });
}

/// A descriptor whose number somebody gave to another file: leaving says so, and leaves all the same.
#[test]
#[cfg(target_os = "linux")]
fn errors_of_the_poller_are_returned_and_nothing_stays() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = streams();
    let mut source = Source::with_reactor(OwnedFd::from(stream), &reactor).unwrap();
    let (count, waker) = Count::new();
    assert!(source.poll_read_ready(&mut Context::from_waker(&waker)).is_pending());
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    rustix::io::dup2(&file, source.get_mut()).unwrap();
    let error = source.deregister().unwrap_err();
    assert!(error.to_string().contains("delete"), "{error}");
    assert_eq!((reactor.sources(), count.get()), (0, 1));
    source.deregister().unwrap();
}

/// A signal ends a wait early, and is no error: the thread that turns the reactor would panic.
#[test]
fn a_signal_is_no_error() {
    extern "C" fn ignore(_: libc::c_int) {}
    let handler = ignore as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the handler does nothing, which is safe at any moment, and nothing else in this test handles the signal.
    assert_ne!(unsafe { libc::signal(libc::SIGUSR1, handler) }, libc::SIG_ERR);
    watched(|| {
        let reactor = Reactor::new().unwrap();
        let turning = Turning::new(&reactor);
        let (source, mut peer) = pair(&reactor);
        let (count, waker) = Count::new();
        assert!(read(&source, &waker).is_pending());
        for _ in 0..100 {
            // SAFETY: the thread runs until `turning` is dropped.
            unsafe { libc::pthread_kill(turning.thread().as_pthread_t(), libc::SIGUSR1) };
            thread::yield_now();
        }
        assert_eq!(count.get(), 0);
        peer.write_all(b"x").unwrap();
        block_on(source.readable()).unwrap();
    });
}

/// Several reactors in one process, each with its thread: every byte goes to and fro.
#[test]
fn reactors_side_by_side() {
    watched(|| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(ping_pong);
            }
        });
    });
}

fn ping_pong() {
    const ROUNDS: u8 = 200;
    let reactor = Reactor::new().unwrap();
    let _turning = Turning::new(&reactor);
    let (here, there) = streams();
    let ends = [here, there].map(|end| Source::with_reactor(end, &reactor).unwrap());
    let send = async |end: &Source<UnixStream>, byte: u8| {
        end.async_io(Direction::Write, |mut end| end.write(&[byte])).await.unwrap();
    };
    let receive = async |end: &Source<UnixStream>| {
        let mut buffer = [0; 4];
        let count = end.async_io(Direction::Read, |mut end| end.read(&mut buffer)).await.unwrap();
        assert_eq!(count, 1);
        buffer[0]
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(async {
                for round in 0..ROUNDS {
                    assert_eq!(receive(&ends[1]).await, round);
                    send(&ends[1], !round).await;
                }
            });
        });
        block_on(async {
            for round in 0..ROUNDS {
                send(&ends[0], round).await;
                assert_eq!(receive(&ends[0]).await, !round);
            }
        });
    });
}
