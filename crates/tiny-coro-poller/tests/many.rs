//! Many descriptors, and too many. In a process of their own and one after the other, since they concern the whole of it.

#![cfg(not(tiny_coro_loom))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use common::{LONG, assert_quiet, pair};
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};

static ALONE: Mutex<()> = Mutex::new(());

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
    let _alone = ALONE.lock().unwrap();
    let count = u32::try_from(room_for(10_000)).unwrap();
    let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
    // All descriptors are of one socket, so that one byte makes all of them readable.
    let all: Vec<_> = (0..count).map(|_| here.try_clone().unwrap()).collect();
    for (index, socket) in (0..count).zip(&all) {
        poller.add(socket, Token::new(index, !index), Interest::READABLE, Mode::Edge).unwrap();
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
        poller.delete(socket).unwrap();
    }
    there.write_all(b"y").unwrap();
    poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty());
}

/// No poller, waker or failed attempt at one keeps a descriptor.
#[test]
#[cfg(target_os = "linux")]
fn descriptors_are_given_back() {
    fn open() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }
    fn set_limit(limit: libc::rlim_t) -> libc::rlim_t {
        let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: both structures outlive the calls.
        unsafe {
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut old), 0);
            let new = libc::rlimit { rlim_cur: limit, ..old };
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const new), 0);
        }
        old.rlim_cur
    }

    let _alone = ALONE.lock().unwrap();
    let before = open();
    let (socket, _peer) = pair();
    for _ in 0..100 {
        let poller = Poller::new().unwrap();
        let waker = poller.waker();
        poller.add(&socket, Token::new(0, 0), Interest::BOTH, Mode::Oneshot).unwrap();
        drop(poller);
        waker.wake().unwrap();
    }
    // Room for none of its descriptors, for one, and so on: what an attempt has opened before it failed is closed.
    let lowest_free = std::os::fd::IntoRawFd::into_raw_fd(socket.try_clone().unwrap());
    // SAFETY: it was opened in the line above, and nobody else has it.
    drop(unsafe { <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(lowest_free) });
    let mut refused = 0;
    for room in 0..8 {
        let old = set_limit(lowest_free as libc::rlim_t + room);
        let result = Poller::new();
        set_limit(old);
        if let Err(error) = result {
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
            refused += 1;
        }
    }
    assert!((2..8).contains(&refused), "{refused} times no poller");
    drop((socket, _peer));
    assert_eq!(open(), before);
}
