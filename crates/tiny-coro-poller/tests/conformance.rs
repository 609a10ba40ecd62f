//! What every backend must do.

#![cfg(not(tiny_coro_loom))]

mod common;

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, assert_quiet, drain, fill, one, pair, ready};
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token, Waker};

const T: Token = Token::new(3, 1);

#[test]
fn level_is_reported_as_long_as_it_holds() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    poller.add(here.as_fd(), T, Interest::READABLE, Mode::Level).unwrap();
    assert_quiet(&poller);
    there.write_all(b"x").unwrap();
    for _ in 0..3 {
        let event = one(&poller);
        assert!(event.token() == T && event.is_readable() && !event.is_writable(), "{event:?}");
    }
    drain(&here);
    assert_quiet(&poller);
}

#[test]
fn edge_is_reported_once_for_each_arrival() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    there.write_all(b"early").unwrap();
    poller.add(here.as_fd(), T, Interest::READABLE, Mode::Edge).unwrap();
    assert!(one(&poller).is_readable(), "what was there before the registration counts");
    assert_quiet(&poller);
    there.write_all(b"more").unwrap();
    assert!(one(&poller).is_readable(), "new data counts even if the old was not read");
    assert_quiet(&poller);
}

#[test]
fn oneshot_is_disarmed_until_modified() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    poller.add(here.as_fd(), T, Interest::READABLE, Mode::Oneshot).unwrap();
    there.write_all(b"x").unwrap();
    one(&poller);
    there.write_all(b"y").unwrap();
    assert_quiet(&poller);
    poller.modify(here.as_fd(), Token::new(3, 2), Interest::READABLE, Mode::Oneshot).unwrap();
    assert_eq!(one(&poller).token(), Token::new(3, 2));
    assert_quiet(&poller);
    poller.delete(here.as_fd()).unwrap();
}

#[test]
fn modify_replaces_everything_and_arms_anew() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    there.write_all(b"x").unwrap();
    poller.add(here.as_fd(), T, Interest::READABLE, Mode::Edge).unwrap();
    one(&poller);
    poller.modify(here.as_fd(), T, Interest::READABLE, Mode::Edge).unwrap();
    assert!(one(&poller).is_readable(), "a condition that holds is reported again");
    poller.modify(here.as_fd(), Token::new(9, 9), Interest::WRITABLE, Mode::Level).unwrap();
    for _ in 0..2 {
        let event = one(&poller);
        assert!(event.token() == Token::new(9, 9) && event.is_writable() && !event.is_readable(), "{event:?}");
    }
}

#[test]
fn writable_means_space() {
    let (poller, (here, there)) = (Poller::new().unwrap(), pair());
    fill(&here);
    poller.add(here.as_fd(), T, Interest::BOTH, Mode::Edge).unwrap();
    assert_quiet(&poller);
    drain(&there);
    assert!(one(&poller).is_writable());
}

#[test]
fn deleted_and_closed_descriptors_are_silent() {
    let poller = Poller::new().unwrap();
    let (here, mut there) = pair();
    poller.add(here.as_fd(), T, Interest::READABLE, Mode::Level).unwrap();
    there.write_all(b"x").unwrap();
    poller.delete(here.as_fd()).unwrap();
    assert_quiet(&poller);
    poller.add(here.as_fd(), T, Interest::READABLE, Mode::Level).unwrap();
    drop(here);
    assert_quiet(&poller);
}

/// P2: all 64 bits.
#[test]
fn tokens_come_back_bit_for_bit() {
    let tokens = [(0, 0), (0, u32::MAX), (u32::MAX - 1, u32::MAX), (u32::MAX - 1, 0), (0x8000_0000, 0x8000_0000)];
    for (index, generation) in tokens {
        let (poller, (here, _there)) = (Poller::new().unwrap(), pair());
        let token = Token::new(index, generation);
        poller.add(here.as_fd(), token, Interest::WRITABLE, Mode::Level).unwrap();
        assert_eq!(one(&poller).token(), token);
    }
}

/// Descriptors are registered, not what is behind them: each of two duplicates has its own token and its own end.
#[test]
fn duplicates_are_registered_on_their_own() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    let duplicate = here.try_clone().unwrap();
    poller.add(&here, Token::new(0, 7), Interest::READABLE, Mode::Level).unwrap();
    poller.add(&duplicate, Token::new(1, 8), Interest::READABLE, Mode::Edge).unwrap();
    there.write_all(b"x").unwrap();
    let mut tokens: Vec<_> = ready(&poller).iter().map(|event| event.token()).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [Token::new(0, 7), Token::new(1, 8)]);
    poller.delete(&here).unwrap();
    drop(here);
    assert_quiet(&poller);
    there.write_all(b"y").unwrap();
    assert_eq!(one(&poller).token(), Token::new(1, 8), "the other one is as it was");
}

/// What `modify`, `delete` and a one-shot's report have replaced says nothing any more.
#[test]
fn replaced_registrations_are_silent() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    for generation in 0..3 {
        let token = Token::new(1, generation);
        poller.add(&here, token, Interest::BOTH, Mode::Oneshot).unwrap();
        assert!(one(&poller).is_writable());
        poller.modify(&here, token, Interest::READABLE, Mode::Level).unwrap();
        assert_quiet(&poller);
        there.write_all(b"x").unwrap();
        poller.modify(&here, Token::new(2, generation), Interest::READABLE, Mode::Oneshot).unwrap();
        assert_eq!(one(&poller).token(), Token::new(2, generation));
        assert_quiet(&poller);
        poller.delete(&here).unwrap();
        assert!(poller.delete(&here).is_err() && poller.modify(&here, token, Interest::BOTH, Mode::Edge).is_err());
        drain(&here);
    }
}

#[test]
fn a_small_buffer_loses_nothing() {
    let poller = Poller::new().unwrap();
    let sockets: Vec<_> = (0..8).map(|_| pair()).collect();
    for (index, (here, _)) in (0..).zip(&sockets) {
        poller.add(here.as_fd(), Token::new(index, 0), Interest::WRITABLE, Mode::Edge).unwrap();
    }
    poller.waker().wake().unwrap();
    let (mut events, mut seen, mut woken) = (Events::with_capacity(0), Vec::new(), 0);
    assert!(events.capacity() >= 1);
    while seen.len() < sockets.len() || woken == 0 {
        poller.wait(&mut events, Some(LONG)).unwrap();
        woken += usize::from(events.woken());
        assert_eq!(events.iter().len(), events.len());
        seen.extend(events.iter().map(|event| event.token().index()));
    }
    seen.sort_unstable();
    assert_eq!((seen, woken), ((0..8).collect(), 1));
    assert_quiet(&poller);
}

#[test]
fn registering_takes_effect_on_a_running_wait() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    there.write_all(b"x").unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| one(&poller));
        poller.add(here.as_fd(), T, Interest::READABLE, Mode::Edge).unwrap();
        assert_eq!(waiter.join().unwrap().token(), T);
    });
}

#[test]
fn wait_takes_at_least_its_timeout() {
    let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4));
    for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(150), Duration::from_millis(3)] {
        let start = Instant::now();
        poller.wait(&mut events, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout && events.is_empty() && !events.woken());
    }
}

/// P3: before, many at once, and again; P6: what is consumed needs no read.
#[test]
fn wakes_before_a_wait_are_one_and_not_lost() {
    let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4));
    let waker = poller.waker();
    for _ in 0..3 {
        for _ in 0..1000 {
            waker.wake().unwrap();
        }
        poller.wait(&mut events, Some(LONG)).unwrap();
        assert!(events.woken() && events.is_empty());
        assert_quiet(&poller);
    }
    waker.wake().unwrap();
    poller.wait(&mut events, Some(Duration::MAX)).unwrap();
    assert!(events.woken());
}

/// P3: two threads wake each other in turn; each wake ends a wait, however the two meet.
#[test]
fn wakes_during_a_wait_are_not_lost() {
    const ROUNDS: u32 = 5_000;
    fn wait_for_wake(poller: &Poller) {
        let (mut events, start) = (Events::with_capacity(1), Instant::now());
        while !events.woken() {
            assert!(start.elapsed() < LONG, "a wake was lost");
            poller.wait(&mut events, Some(LONG)).unwrap();
        }
    }
    let (ping, pong) = (Poller::new().unwrap(), Poller::new().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                wait_for_wake(&pong);
                ping.waker().wake().unwrap();
            }
        });
        for _ in 0..ROUNDS {
            pong.waker().wake().unwrap();
            wait_for_wake(&ping);
        }
    });
}

/// P3: what was written before the wake is seen by the wait that reports it.
#[test]
fn wakes_from_many_threads_publish() {
    const ROUNDS: usize = 200;
    let poller = Poller::new().unwrap();
    for _ in 0..ROUNDS {
        let flags: [AtomicBool; 4] = Default::default();
        thread::scope(|scope| {
            for flag in &flags {
                let waker = poller.waker();
                scope.spawn(move || {
                    flag.store(true, Ordering::Relaxed);
                    waker.wake().unwrap();
                });
            }
            let mut events = Events::with_capacity(4);
            while !flags.iter().all(|flag| flag.load(Ordering::Relaxed)) {
                let start = Instant::now();
                poller.wait(&mut events, Some(LONG)).unwrap();
                assert!(start.elapsed() < LONG, "a wake was lost, or came before what it announces");
            }
        });
        // One signal may be left, of a wake whose flag was seen before it.
        poller.wait(&mut Events::with_capacity(4), Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn waker_outlives_its_poller() {
    let waker = Poller::new().unwrap().waker();
    for _ in 0..3 {
        waker.clone().wake().unwrap();
    }
}

#[test]
fn pollers_nest() {
    let (outer, inner, (here, mut there)) = (Poller::new().unwrap(), Poller::new().unwrap(), pair());
    outer.add(inner.as_fd(), T, Interest::READABLE, Mode::Level).unwrap();
    inner.add(here.as_fd(), T, Interest::READABLE, Mode::Level).unwrap();
    assert_quiet(&outer);
    there.write_all(b"x").unwrap();
    assert!(one(&outer).is_readable());
    assert_eq!(ready(&inner).len(), 1);
}

/// A signal ends the wait, and is no error.
#[test]
fn a_signal_is_not_an_error() {
    extern "C" fn ignore(_: libc::c_int) {}
    // SAFETY: the handler does nothing, which is safe at any time; zero is a valid set of flags and an empty mask.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
    }
    let (poller, done) = (Poller::new().unwrap(), AtomicBool::new(false));
    let deadline = Instant::now() + LONG;
    thread::scope(|scope| {
        let (id, this) = std::sync::mpsc::channel();
        scope.spawn({
            let (poller, done) = (&poller, &done);
            move || {
                // SAFETY: no arguments.
                id.send(unsafe { libc::pthread_self() }).unwrap();
                for timeout in [None, Some(LONG)] {
                    let mut events = Events::with_capacity(4);
                    poller.wait(&mut events, timeout).unwrap();
                    assert!(events.is_empty() && !events.woken());
                }
                done.store(true, Ordering::Relaxed);
            }
        });
        let waiter = this.recv().unwrap();
        while !done.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline, "signals do not end the wait");
            // SAFETY: the thread is not joined before the scope ends.
            unsafe { libc::pthread_kill(waiter, libc::SIGUSR1) };
            thread::yield_now();
        }
    });
}

#[test]
fn handles_are_send_and_sync() {
    fn check<X: Send + Sync + std::fmt::Debug>() {}
    check::<Poller>();
    check::<Waker>();
    check::<Events>();
}
