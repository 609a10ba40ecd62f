//! Errors of the OS that cannot be had for the asking: a system call filter injects them into one thread.
//!
//! The product has no hooks for this. `seccomp(2)` makes chosen calls of the calling thread fail, without privileges and for
//! good; so each fault has a thread of its own, and another thread shows that the poller has survived it.

#![cfg(all(target_os = "linux", not(tiny_coro_loom)))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, assert_quiet, drain, one, pair};
use tiny_coro_poller::{Events, Interest, Mode, Poller, RegistrationError, Token};

const T: Token = Token::new(5, 5);

/// Every call by which a wait may reach the kernel.
#[cfg(target_arch = "x86_64")]
const WAITS: &[libc::c_long] = &[libc::SYS_epoll_wait, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];
#[cfg(not(target_arch = "x86_64"))]
const WAITS: &[libc::c_long] = &[libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];

/// A call, the value its second argument must have (`epoll_ctl`'s operation), and the error it shall return.
type Fault = (libc::c_long, Option<libc::c_int>, libc::c_int);

/// Makes one call of this thread fail from here on. Returns false where the kernel has no filters.
fn inject((call, second_argument, errno): Fault) -> bool {
    use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};
    let load = |offset| sock_filter { code: (BPF_LD | BPF_W | BPF_ABS) as u16, jt: 0, jf: 0, k: offset };
    let skip_unless =
        |value, count| sock_filter { code: (BPF_JMP | BPF_JEQ | BPF_K) as u16, jt: 0, jf: count, k: value };
    let answer = |with| sock_filter { code: (BPF_RET | BPF_K) as u16, jt: 0, jf: 0, k: with };
    // `struct seccomp_data`: the number at 0, six 64-bit arguments from 16 on.
    let low_half = 16 + 8 + if cfg!(target_endian = "big") { 4 } else { 0 };
    let mut program = vec![load(0), skip_unless(u32::try_from(call).unwrap(), 1)];
    if let Some(value) = second_argument {
        program[1].jf = 3;
        program.extend([load(low_half), skip_unless(value as u32, 1)]);
    }
    program.push(answer(libc::SECCOMP_RET_ERRNO | errno as u32));
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    let filter = libc::sock_fprog { len: u16::try_from(program.len()).unwrap(), filter: program.as_mut_ptr() };
    // SAFETY: integers, then a program that outlives the call.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) == 0
    }
}

/// Runs `test` on a thread of its own, on which these calls fail.
fn with_faults(faults: &[Fault], test: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if faults.iter().all(|fault| inject(*fault)) {
                test();
            } else {
                eprintln!("NOT RUN: no system call filters here: {}", io::Error::last_os_error());
            }
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

fn control(operation: libc::c_int, errno: libc::c_int) -> [Fault; 1] {
    [(libc::SYS_epoll_ctl, Some(operation), errno)]
}

/// P4: the error's kind, number, operation and descriptor.
fn check(result: io::Result<()>, operation: &str, source: impl AsFd, errno: libc::c_int) {
    let (error, fd) = (result.unwrap_err(), source.as_fd().as_raw_fd());
    assert_eq!(error.kind(), io::Error::from_raw_os_error(errno).kind());
    assert!(error.to_string().contains(&format!("poller cannot {operation} fd {fd}: ")), "{error}");
    let inside: &RegistrationError = error.get_ref().and_then(|inside| inside.downcast_ref()).unwrap();
    assert_eq!((inside.operation(), inside.fd(), inside.raw_os_error()), (operation, fd, Some(errno)));
    assert!(inside.source().is_some());
}

#[test]
fn a_refused_add_leaves_nothing_behind() {
    for errno in [libc::ENOSPC, libc::ENOMEM, libc::EPERM, libc::EBADF, libc::ELOOP, libc::EEXIST] {
        let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
        there.write_all(b"x").unwrap();
        with_faults(&control(libc::EPOLL_CTL_ADD, errno), || {
            check(poller.add(&here, T, Interest::BOTH, Mode::Level), "add", &here, errno);
            assert_quiet(&poller);
        });
        check(poller.delete(&here), "delete", &here, libc::ENOENT);
        poller.add(&here, T, Interest::READABLE, Mode::Level).unwrap();
        assert_eq!(one(&poller).token(), T, "once there is room again");
    }
}

#[test]
fn a_refused_modify_leaves_what_was_there() {
    for mode in [Mode::Level, Mode::Edge, Mode::Oneshot] {
        let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
        poller.add(&here, T, Interest::READABLE, mode).unwrap();
        with_faults(&control(libc::EPOLL_CTL_MOD, libc::ENOMEM), || {
            let result = poller.modify(&here, Token::new(6, 6), Interest::BOTH, Mode::Level);
            check(result, "modify", &here, libc::ENOMEM);
        });
        assert_quiet(&poller);
        there.write_all(b"x").unwrap();
        assert_eq!(one(&poller).token(), T);
        poller.delete(&here).unwrap();
    }
}

#[test]
fn a_refused_delete_can_be_repeated() {
    let (poller, (here, _there)) = (Poller::new().unwrap(), pair());
    poller.add(&here, T, Interest::WRITABLE, Mode::Level).unwrap();
    with_faults(&control(libc::EPOLL_CTL_DEL, libc::ENOMEM), || {
        check(poller.delete(&here), "delete", &here, libc::ENOMEM);
    });
    assert_eq!(one(&poller).token(), T);
    poller.delete(&here).unwrap();
    assert_quiet(&poller);
}

#[test]
fn an_interrupted_wait_is_an_early_one() {
    let (poller, (here, _there)) = (Poller::new().unwrap(), pair());
    poller.add(&here, T, Interest::WRITABLE, Mode::Edge).unwrap();
    poller.waker().wake().unwrap();
    let faults: Vec<Fault> = WAITS.iter().map(|call| (*call, None, libc::EINTR)).collect();
    with_faults(&faults, || {
        let mut events = Events::with_capacity(4);
        for timeout in [None, Some(Duration::ZERO), Some(LONG)] {
            poller.wait(&mut events, timeout).unwrap();
            assert!(events.is_empty() && !events.woken());
        }
    });
    let mut events = Events::with_capacity(4);
    poller.wait(&mut events, Some(LONG)).unwrap();
    assert!(events.woken() && events.len() == 1, "nothing was lost: {events:?}");
}

#[test]
fn a_failed_wait_loses_nothing() {
    let (poller, (here, _there)) = (Poller::new().unwrap(), pair());
    poller.add(&here, T, Interest::WRITABLE, Mode::Edge).unwrap();
    let mut events = Events::with_capacity(4);
    poller.waker().wake().unwrap();
    let faults: Vec<Fault> = WAITS.iter().map(|call| (*call, None, libc::EINVAL)).collect();
    with_faults(&faults, || {
        for timeout in [None, Some(Duration::ZERO), Some(LONG)] {
            let error = poller.wait(&mut events, timeout).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(events.is_empty() && !events.woken());
        }
    });
    poller.wait(&mut events, Some(LONG)).unwrap();
    assert!(events.woken() && events.len() == 1, "{events:?}");
}

/// P5: before Linux 5.11, and in sandboxes that know no newer calls.
#[test]
fn without_epoll_pwait2_a_timeout_still_takes_one_wait() {
    for errno in [libc::ENOSYS, libc::EPERM] {
        with_faults(&[(libc::SYS_epoll_pwait2, None, errno)], || {
            let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4));
            for timeout in [Duration::from_nanos(1), Duration::from_micros(1500)] {
                let start = Instant::now();
                poller.wait(&mut events, Some(timeout)).unwrap();
                assert!(start.elapsed() >= timeout && events.is_empty());
            }
            poller.waker().wake().unwrap();
            poller.wait(&mut events, Some(LONG)).unwrap();
            assert!(events.woken());
        });
    }
}

#[test]
fn a_failed_wake_is_told_and_the_next_one_works() {
    let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4));
    let waker = poller.waker();
    with_faults(&[(libc::SYS_write, None, libc::EIO)], || {
        for _ in 0..2 {
            assert_eq!(waker.wake().unwrap_err().raw_os_error(), Some(libc::EIO));
        }
    });
    waker.wake().unwrap();
    poller.wait(&mut events, Some(LONG)).unwrap();
    assert!(events.woken());
}

#[test]
fn a_poller_that_cannot_be_made_says_why() {
    let faults = [
        (libc::SYS_epoll_create1, None, libc::EMFILE),
        (libc::SYS_eventfd2, None, libc::ENFILE),
        (libc::SYS_epoll_ctl, None, libc::ENOSPC),
    ];
    for fault in faults {
        with_faults(&[fault], || assert_eq!(Poller::new().unwrap_err().raw_os_error(), Some(fault.2)));
    }
}

/// A level that the adapter cannot register once more is an error of the next wait; when that is over, the level is back.
#[test]
#[cfg(feature = "mio")]
fn a_refused_re_arm_is_told_by_the_next_wait() {
    let (poller, (here, mut there), (other, mut peer)) = (Poller::new().unwrap(), pair(), pair());
    poller.add(&here, T, Interest::READABLE, Mode::Level).unwrap();
    poller.add(&other, Token::new(7, 7), Interest::READABLE, Mode::Edge).unwrap();
    there.write_all(b"x").unwrap();
    with_faults(&control(libc::EPOLL_CTL_MOD, libc::ENOMEM), || {
        assert_eq!(one(&poller).token(), T);
        peer.write_all(b"x").unwrap();
        for _ in 0..2 {
            let result = poller.wait(&mut Events::with_capacity(4), Some(LONG));
            check(result, "re-arm", &here, libc::ENOMEM);
        }
    });
    let mut tokens: Vec<_> = common::ready(&poller).iter().map(|event| event.token()).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [T, Token::new(7, 7)]);
    assert_eq!(one(&poller).token(), T);
}

/// Runs under `strace -f -e inject=…`, which makes any of the poller's calls fail now and then; without it, a plain load.
///
/// Every registration that was reported to succeed is served, every one that failed is absent, and no wake is lost.
#[test]
#[ignore = "faults: for `strace -f -e inject=epoll_ctl:error=ENOSPC:when=7+5` and the like"]
fn any_injected_fault_is_told() {
    const ROUNDS: u32 = 2_000;
    let (poller, mut events) = (repeat(Poller::new), Events::with_capacity(16));
    let (mut refused, mut interrupted, deadline) = (0, 0, Instant::now() + LONG);
    for round in 0..ROUNDS {
        let (here, mut there) = pair();
        let token = Token::new(round % 7, round);
        let mode = [Mode::Level, Mode::Edge, Mode::Oneshot][round as usize % 3];
        there.write_all(b"x").unwrap();
        if let Err(error) = poller.add(&here, token, Interest::READABLE, mode) {
            assert!(error.to_string().contains("poller cannot add fd"), "{error}");
            refused += 1;
            continue;
        }
        refused += u32::from(poller.modify(&here, token, Interest::READABLE, mode).is_err());
        let woken = round % 2 == 0 && poller.waker().wake().is_ok();
        let (mut seen_wake, mut seen_event) = (!woken, false);
        while !(seen_wake && seen_event) {
            assert!(Instant::now() < deadline, "round {round}: wake {seen_wake}, event {seen_event}");
            match poller.wait(&mut events, Some(Duration::from_millis(100))) {
                Ok(()) => {
                    interrupted += u32::from(events.is_empty() && !events.woken());
                    assert!(events.iter().all(|event| event.token() == token && event.is_readable()), "{events:?}");
                    seen_event |= !events.is_empty();
                    seen_wake |= events.woken();
                }
                Err(_) => refused += 1,
            }
        }
        drain(&here);
        repeat(|| poller.delete(&here).inspect_err(|_| refused += 1));
    }
    println!("{ROUNDS} rounds, {refused} calls refused, {interrupted} waits without a result");
}

/// Until it works: what is injected is not injected every time.
fn repeat<R>(mut operation: impl FnMut() -> io::Result<R>) -> R {
    (0..100).find_map(|_| operation().ok()).expect("a fault that never passes")
}
