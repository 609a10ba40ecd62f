//! Ten thousand descriptors. Alone in its process, since it raises the limit for the whole of it.

#![cfg(not(tiny_coro_loom))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

use common::{LONG, assert_quiet, pair};
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};

/// Raises the limit of open files as far as allowed, and returns how many more there may be, up to `wanted`.
fn room_for(wanted: usize) -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives both calls.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max.min(wanted as libc::rlim_t + 64);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
    }
    wanted.min(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX).saturating_sub(64))
}

#[test]
fn each_of_ten_thousand_is_reported_once() {
    let count = u32::try_from(room_for(10_000)).unwrap();
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    // All descriptors are of one socket, so that one byte makes all of them readable.
    let all: Vec<_> = (0..count).map(|_| here.try_clone().unwrap()).collect();
    for (index, socket) in (0..count).zip(&all) {
        poller.add(socket.as_fd(), Token::new(index, !index), Interest::READABLE, Mode::Edge).unwrap();
    }
    there.write_all(b"x").unwrap();
    let (mut events, mut seen) = (Events::with_capacity(1024), Vec::new());
    while seen.len() < all.len() {
        poller.wait(&mut events, Some(LONG)).unwrap();
        assert!(!events.is_empty(), "{} of {count} reported", seen.len());
        for token in events.iter().map(|event| event.token()) {
            assert_eq!(token.generation(), !token.index());
            seen.push(token.index());
        }
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..count));
    assert_quiet(&poller);
    for socket in &all {
        poller.delete(socket.as_fd()).unwrap();
    }
    there.write_all(b"y").unwrap();
    poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty());
}
