//! Several threads on one poller.

#![cfg(not(tiny_coro_loom))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, assert_quiet, pair};
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};

const WAITERS: usize = 4;

/// What ended a wait: how many events, and whether a wake.
fn wait(poller: &Poller) -> (usize, bool) {
    let (mut events, start) = (Events::with_capacity(8), Instant::now());
    loop {
        poller.wait(&mut events, Some(LONG)).unwrap();
        if !events.is_empty() || events.woken() {
            return (events.len(), events.woken());
        }
        assert!(start.elapsed() < LONG, "nothing ends this wait");
    }
}

/// An event in these modes, and a wake, end the wait of one thread each.
#[test]
fn an_edge_a_one_shot_and_a_wake_go_to_one_waiter() {
    for mode in [Mode::Edge, Mode::Oneshot] {
        let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
        poller.add(&here, Token::new(0, 0), Interest::READABLE, mode).unwrap();
        thread::scope(|scope| {
            let (send, ended) = mpsc::channel();
            for _ in 0..WAITERS {
                let (send, poller) = (send.clone(), &poller);
                scope.spawn(move || send.send(wait(poller)).unwrap());
            }
            there.write_all(b"x").unwrap();
            assert_eq!(ended.recv_timeout(LONG).unwrap(), (1, false), "{mode:?}");
            for _ in 1..WAITERS {
                poller.waker().wake().unwrap();
                assert_eq!(ended.recv_timeout(LONG).unwrap(), (0, true), "{mode:?}: the others heard nothing of it");
            }
        });
        assert_quiet(&poller);
    }
}

/// In level mode a condition that lasts is everybody's.
#[test]
fn a_level_ends_every_wait() {
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    poller.add(&here, Token::new(0, 0), Interest::READABLE, Mode::Level).unwrap();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..WAITERS).map(|_| scope.spawn(|| wait(&poller))).collect();
        there.write_all(b"x").unwrap();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), (1, false));
        }
    });
}

/// Nobody waits longer than its own timeout because another waits, too.
#[test]
fn timeouts_are_each_threads_own() {
    let (poller, ended) = (Poller::new().unwrap(), AtomicBool::new(false));
    thread::scope(|scope| {
        let endless = scope.spawn(|| {
            let result = wait(&poller);
            ended.store(true, Ordering::Relaxed);
            result
        });
        let mut events = Events::with_capacity(8);
        for timeout in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(5)] {
            let start = Instant::now();
            poller.wait(&mut events, Some(timeout)).unwrap();
            assert!(start.elapsed() >= timeout && events.is_empty() && !events.woken());
            assert!(!ended.load(Ordering::Relaxed), "the other wait goes on");
        }
        poller.waker().wake().unwrap();
        assert_eq!(endless.join().unwrap(), (0, true));
    });
}

/// Each of many one-shots is reported once, while they are armed anew by whoever was told.
#[test]
fn every_arming_is_reported_once() {
    const SOCKETS: usize = 8;
    const ROUNDS: u32 = 200;
    let (poller, left) = (Poller::new().unwrap(), AtomicBool::new(true));
    let sockets: Vec<_> = (0..SOCKETS).map(|_| pair()).collect();
    let arm = |index: usize, round| Token::new(u32::try_from(index).unwrap(), round);
    for (index, (here, there)) in sockets.iter().enumerate() {
        (&mut &*there).write_all(b"x").unwrap();
        poller.add(here, arm(index, 0), Interest::READABLE, Mode::Oneshot).unwrap();
    }
    let (send, seen) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..WAITERS {
            let (poller, left, sockets, send) = (&poller, &left, &sockets, send.clone());
            scope.spawn(move || {
                let mut events = Events::with_capacity(3);
                while left.load(Ordering::Relaxed) {
                    poller.wait(&mut events, Some(LONG)).unwrap();
                    for token in events.iter().map(|event| event.token()) {
                        send.send(token).unwrap();
                        let (index, round) = (token.index() as usize, token.generation() + 1);
                        if round < ROUNDS {
                            poller
                                .modify(&sockets[index].0, arm(index, round), Interest::READABLE, Mode::Oneshot)
                                .unwrap();
                        }
                    }
                }
            });
        }
        let mut tokens: Vec<_> = (0..SOCKETS * ROUNDS as usize).map(|_| seen.recv_timeout(LONG).unwrap()).collect();
        left.store(false, Ordering::Relaxed);
        tokens.sort_unstable();
        let all = (0..SOCKETS).flat_map(|index| (0..ROUNDS).map(move |round| arm(index, round)));
        assert!(tokens.into_iter().eq(all), "a report is missing, or came twice");
        // A wake may stand for another one: until nobody is left.
        drop(send);
        while seen.recv_timeout(Duration::from_millis(1)) != Err(mpsc::RecvTimeoutError::Disconnected) {
            poller.waker().wake().unwrap();
        }
    });
}

/// P3: a thread that wakes and the end of the poller do not disturb each other.
#[test]
fn wakers_do_not_mind_the_end_of_the_poller() {
    for _ in 0..100 {
        let poller = Poller::new().unwrap();
        thread::scope(|scope| {
            let (waker, (send, started)) = (poller.waker(), mpsc::channel());
            scope.spawn(move || {
                for round in 0..100 {
                    waker.wake().unwrap();
                    if round == 10 {
                        send.send(()).unwrap();
                    }
                }
            });
            let mut events = Events::with_capacity(1);
            poller.wait(&mut events, Some(LONG)).unwrap();
            started.recv_timeout(LONG).unwrap();
            drop(poller);
        });
    }
}
