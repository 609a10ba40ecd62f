//! Defects that the ancestor of this crate had, by their names in `docs/architecture.md`.

#![cfg(not(tiny_coro_loom))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, assert_quiet, drain, one, pair};
use tiny_coro_poller::{Events, Interest, Mode, Poller, RegistrationError, Token};

/// The poller's own wake-up was taken for a user's event.
#[test]
fn s4_own_wake_up_is_never_a_user_event() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    for generation in [0, 1, u32::MAX] {
        let reserved = Token::new(Token::RESERVED_INDEX, generation);
        let error = poller.add(here.as_fd(), reserved, Interest::READABLE, Mode::Edge).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let nearest = Token::new(Token::RESERVED_INDEX - 1, u32::MAX);
    poller.add(here.as_fd(), nearest, Interest::READABLE, Mode::Edge).unwrap();
    let reserved = Token::new(Token::RESERVED_INDEX, u32::MAX);
    assert!(poller.modify(here.as_fd(), reserved, Interest::READABLE, Mode::Edge).is_err());

    let (stop, waker, deadline) = (AtomicBool::new(false), poller.waker(), Instant::now() + LONG);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                waker.wake().unwrap();
                thread::yield_now();
            }
        });
        let (mut events, mut user, mut own) = (Events::with_capacity(4), 0, 0);
        while user < 2_000 || own < 100 {
            assert!(Instant::now() < deadline, "under wakes nothing is served: {user} events, {own} wakes");
            there.write_all(b"x").unwrap();
            poller.wait(&mut events, Some(LONG)).unwrap();
            own += u32::from(events.woken());
            for event in &events {
                assert_eq!(event.token(), nearest);
                user += 1;
                drain(&here);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

fn inside(error: &io::Error) -> &RegistrationError {
    error.get_ref().and_then(|inside| inside.downcast_ref()).expect("each registration error says what and on what")
}

/// `epoll_ctl`'s errors were ignored.
#[test]
fn s7_errors_of_the_os_are_returned() {
    let (poller, (here, _there)) = (Poller::new().unwrap(), pair());
    let fd = here.as_raw_fd();
    let check = |result: io::Result<()>, operation, kind| {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), inside(&error).operation(), inside(&error).fd()), (kind, operation, fd));
        assert!(inside(&error).raw_os_error().is_some() && inside(&error).source().is_some());
        assert!(error.to_string().contains(&format!("poller cannot {operation} fd {fd}: ")), "{error}");
    };
    check(poller.delete(here.as_fd()), "delete", ErrorKind::NotFound);
    check(poller.modify(here.as_fd(), Token::new(0, 0), Interest::READABLE, Mode::Edge), "modify", ErrorKind::NotFound);
    poller.add(here.as_fd(), Token::new(0, 0), Interest::READABLE, Mode::Edge).unwrap();
    if cfg!(target_os = "linux") {
        check(poller.add(here.as_fd(), Token::new(0, 0), Interest::BOTH, Mode::Edge), "add", ErrorKind::AlreadyExists);
    }
    poller.delete(here.as_fd()).unwrap();
}

#[test]
fn s7_a_closed_descriptor_is_refused() {
    // SAFETY: not open, but no call that is made with it does more than be refused.
    let closed = unsafe { BorrowedFd::borrow_raw(1_000_000_000) };
    let poller = Poller::new().unwrap();
    for result in [
        poller.add(closed, Token::new(0, 0), Interest::BOTH, Mode::Edge),
        poller.modify(closed, Token::new(0, 0), Interest::BOTH, Mode::Edge),
        poller.delete(closed),
    ] {
        assert_eq!(inside(&result.unwrap_err()).raw_os_error(), Some(libc::EBADF));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn s7_a_regular_file_is_refused() {
    let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let error =
        Poller::new().unwrap().add(file.as_fd(), Token::new(0, 0), Interest::READABLE, Mode::Level).unwrap_err();
    assert_eq!((error.kind(), inside(&error).raw_os_error()), (ErrorKind::PermissionDenied, Some(libc::EPERM)));
    assert!(error.to_string().contains("thread"), "the text says what to do: {error}");
}

/// Deadlines were floored to a millisecond, so that the last one was a busy loop. (The fallback for old kernels has its
/// test beside it.)
#[test]
fn s9_a_deadline_takes_one_wait() {
    let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4));
    for micros in [1, 999, 1_000, 1_001, 2_500] {
        let (deadline, mut waits) = (Instant::now() + Duration::from_micros(micros), 0);
        while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            poller.wait(&mut events, Some(left)).unwrap();
            waits += 1;
        }
        assert!(waits <= 1, "{waits} waits for {micros} µs");
    }
}

/// An event that was fetched before its descriptor was closed and the number reused can be told by the generation.
#[test]
fn stale_events_carry_the_old_generation() {
    let (poller, mut held) = (Poller::new().unwrap(), Events::with_capacity(4));
    let (mut socket, mut peer) = pair();
    let mut reused = false;
    for generation in 0..100 {
        peer.write_all(b"x").unwrap();
        poller.add(socket.as_fd(), Token::new(0, generation), Interest::READABLE, Mode::Edge).unwrap();
        poller.wait(&mut held, Some(LONG)).unwrap();
        let number = socket.as_raw_fd();
        drop((socket, peer));
        (socket, peer) = pair();
        reused |= socket.as_raw_fd() == number;
        let stale = held.iter().next().expect("it was readable");
        assert_eq!(stale.token().generation(), generation);
        assert_quiet(&poller);
        // The new owner of the number is registered afresh: the old registration has gone with its socket.
        poller.add(socket.as_fd(), Token::new(0, generation + 1), Interest::WRITABLE, Mode::Level).unwrap();
        assert_eq!(one(&poller).token().generation(), generation + 1);
        poller.delete(socket.as_fd()).unwrap();
    }
    assert!(reused, "the test is about reused numbers");
}
