//! Linux: `epoll(7)`, with an `eventfd(2)` for wake-ups.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::buffer::{self, RawEvent};
use super::check;
use crate::event::Flags;
use crate::{Interest, Mode, Token};

#[derive(Debug)]
pub(crate) struct Selector {
    epoll: OwnedFd,
    /// Set once the kernel has said that it has no `epoll_pwait2` (Linux 5.11), or a sandbox that it may not be used.
    only_millis: AtomicBool,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the flag is valid.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: `fd` was just opened, and nobody else knows it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { epoll, only_millis: AtomicBool::new(false) })
    }

    pub(crate) fn signal(&self, token: Token) -> io::Result<Signal> {
        // SAFETY: no pointers; the flags are valid.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: `fd` was just opened, and nobody else knows it.
        let counter = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        // Edge-triggered: each write is one event, and the counter needs no read (P6).
        self.add(counter.as_fd(), token, Interest::READABLE, Mode::Edge)?;
        Ok(Signal { counter })
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, Some(registration(token, interest, mode)))
    }

    pub(crate) fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, Some(registration(token, interest, mode)))
    }

    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, None)
    }

    fn control(
        &self,
        operation: libc::c_int,
        fd: BorrowedFd<'_>,
        mut event: Option<libc::epoll_event>,
    ) -> io::Result<()> {
        let event = event.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: both descriptors are open, as `OwnedFd` and `BorrowedFd` say; `event` is null, which is allowed for a
        // delete, or points to an event that outlives the call.
        check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd.as_raw_fd(), event) })?;
        Ok(())
    }

    pub(crate) fn wait(&self, buffer: &mut EventBuffer, timeout: Option<Duration>) -> io::Result<()> {
        let precise = timeout.is_some_and(|timeout| !timeout.is_zero()) && !self.only_millis.load(Ordering::Relaxed);
        if let Some(timeout) = timeout.filter(|_| precise) {
            match self.wait_nanos(buffer, timeout) {
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                    self.only_millis.store(true, Ordering::Relaxed);
                }
                result => return result,
            }
        }
        self.wait_millis(buffer, timeout.map_or(-1, millis_rounded_up))
    }

    fn wait_nanos(&self, buffer: &mut EventBuffer, timeout: Duration) -> io::Result<()> {
        let timeout = KernelTimespec {
            seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: i64::from(timeout.subsec_nanos()),
        };
        let (epoll, no_mask) = (self.epoll.as_raw_fd(), ptr::null::<libc::sigset_t>());
        // SAFETY: `events` has room for `space` events, the kernel's `__kernel_timespec` has the layout of `timeout`, which
        // outlives the call, and a null signal mask of size 0 means that none is set. It returns what `fill` asks for.
        unsafe {
            buffer.fill(|events, space| {
                let call = libc::SYS_epoll_pwait2;
                libc::syscall(call, epoll, events, space, &raw const timeout, no_mask, 0_usize) as libc::c_int
            })
        }
    }

    fn wait_millis(&self, buffer: &mut EventBuffer, timeout: libc::c_int) -> io::Result<()> {
        let epoll = self.epoll.as_raw_fd();
        // SAFETY: `events` has room for `space` events. It returns what `fill` asks for.
        unsafe { buffer.fill(|events, space| libc::epoll_wait(epoll, events, space, timeout)) }
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// The kernel's `struct __kernel_timespec`: 64-bit fields on every architecture, unlike `libc::timespec`.
#[repr(C)]
struct KernelTimespec {
    seconds: i64,
    nanoseconds: i64,
}

/// Rounds up, so that a wait never ends in the last fraction before a deadline and spins there (P5).
fn millis_rounded_up(timeout: Duration) -> libc::c_int {
    libc::c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
}

const fn bits(flag: libc::c_int) -> u32 {
    flag as u32
}

const IN: u32 = bits(libc::EPOLLIN);
const OUT: u32 = bits(libc::EPOLLOUT);
const ERR: u32 = bits(libc::EPOLLERR);
const HUP: u32 = bits(libc::EPOLLHUP);
const RDHUP: u32 = bits(libc::EPOLLRDHUP);

fn registration(token: Token, interest: Interest, mode: Mode) -> libc::epoll_event {
    let mut events = match mode {
        Mode::Level => 0,
        Mode::Edge => bits(libc::EPOLLET),
        Mode::Oneshot => bits(libc::EPOLLONESHOT),
    };
    if interest.is_readable() {
        events |= IN | RDHUP;
    }
    if interest.is_writable() {
        events |= OUT;
    }
    libc::epoll_event { events, u64: token.to_u64() }
}

pub(crate) type EventBuffer = buffer::EventBuffer<libc::epoll_event>;

impl RawEvent for libc::epoll_event {
    #[inline]
    fn token(&self) -> Token {
        Token::from_u64(self.u64)
    }

    #[inline]
    fn flags(&self) -> Flags {
        let has = |wanted| self.events & wanted != 0;
        Flags {
            readable: has(IN | RDHUP | HUP | ERR),
            writable: has(OUT | HUP | ERR),
            error: has(ERR),
            hang_up: has(HUP),
            read_hang_up: has(RDHUP | HUP),
            write_hang_up: has(HUP),
        }
    }
}

/// The writing side of the waker's `eventfd`.
#[derive(Debug)]
pub(crate) struct Signal {
    counter: File,
}

impl Signal {
    pub(crate) fn send(&self) -> io::Result<()> {
        loop {
            match (&self.counter).write(&1_u64.to_ne_bytes()) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The counter is full after 2^64 - 2 wakes: empty it. A wake that does the same beside us has emptied it
                // then.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let _ = (&self.counter).read(&mut [0; 8]);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// P3: the 2^64th wake is still a wake.
    #[test]
    fn full_wake_counter_is_emptied() {
        let selector = Selector::new().unwrap();
        let signal = selector.signal(Token::WAKER).unwrap();
        (&signal.counter).write_all(&(u64::MAX - 1).to_ne_bytes()).unwrap();
        let mut buffer = EventBuffer::with_capacity(4);
        for _ in 0..3 {
            signal.send().unwrap();
            selector.wait(&mut buffer, Some(Duration::ZERO)).unwrap();
            assert!(buffer.remove(Token::WAKER));
        }
    }

    /// S9 of the ancestor: deadlines were floored to a millisecond, and the last one was a busy loop.
    #[test]
    fn s9_millisecond_fallback_rounds_up() {
        assert_eq!(millis_rounded_up(Duration::ZERO), 0);
        assert_eq!(millis_rounded_up(Duration::from_nanos(1)), 1);
        assert_eq!(millis_rounded_up(Duration::from_millis(1)), 1);
        assert_eq!(millis_rounded_up(Duration::from_nanos(1_000_001)), 2);
        assert_eq!(millis_rounded_up(Duration::MAX), libc::c_int::MAX);

        let selector = Selector::new().unwrap();
        selector.only_millis.store(true, Ordering::Relaxed);
        let mut buffer = EventBuffer::with_capacity(4);
        let (start, timeout) = (Instant::now(), Duration::from_micros(1500));
        selector.wait(&mut buffer, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout, "one wait covers the whole timeout");
    }

    /// P5: what the kernel does not take as a timespec is clamped, not refused.
    #[test]
    fn endless_timeouts_are_accepted() {
        let selector = Selector::new().unwrap();
        let signal = selector.signal(Token::WAKER).unwrap();
        let mut buffer = EventBuffer::with_capacity(4);
        for only_millis in [false, true] {
            selector.only_millis.store(only_millis, Ordering::Relaxed);
            signal.send().unwrap();
            selector.wait(&mut buffer, Some(Duration::MAX)).unwrap();
            assert!(buffer.remove(Token::WAKER));
        }
    }
}
