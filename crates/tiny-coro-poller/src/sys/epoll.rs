//! Linux: `epoll(7)`, with an `eventfd(2)` for wake-ups.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::check;
use crate::event::Flags;
use crate::{Event, Interest, Mode, Token};

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
        let (epoll, space) = (self.epoll.as_raw_fd(), buffer.max_events());
        buffer.fill(|events| {
            // SAFETY: `events` has room for `space` events, the kernel's `__kernel_timespec` has the layout of `timeout`,
            // which outlives the call, and a null signal mask of size 0 means that none is set.
            unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    epoll,
                    events,
                    space,
                    &raw const timeout,
                    ptr::null::<libc::sigset_t>(),
                    0_usize,
                ) as libc::c_int
            }
        })
    }

    fn wait_millis(&self, buffer: &mut EventBuffer, timeout: libc::c_int) -> io::Result<()> {
        let (epoll, space) = (self.epoll.as_raw_fd(), buffer.max_events());
        // SAFETY: `events` has room for `space` events.
        buffer.fill(|events| unsafe { libc::epoll_wait(epoll, events, space, timeout) })
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

pub(crate) struct EventBuffer {
    events: Vec<libc::epoll_event>,
}

impl EventBuffer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { events: Vec::with_capacity(capacity) }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.events.capacity()
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Event> {
        let libc::epoll_event { events: bits, u64: token } = *self.events.get(index)?;
        let flags = Flags {
            readable: bits & (IN | RDHUP | HUP | ERR) != 0,
            writable: bits & (OUT | HUP | ERR) != 0,
            error: bits & ERR != 0,
            hang_up: bits & HUP != 0,
            read_hang_up: bits & (RDHUP | HUP) != 0,
        };
        Some(Event::new(Token::from_u64(token), flags))
    }

    pub(crate) fn remove(&mut self, token: Token) -> bool {
        let position = self.events.iter().position(|event| event.u64 == token.to_u64());
        position.map(|position| self.events.remove(position)).is_some()
    }

    /// The kernel takes no more than `INT_MAX` bytes' worth.
    fn max_events(&self) -> libc::c_int {
        let limit = libc::c_int::MAX / size_of::<libc::epoll_event>() as libc::c_int;
        libc::c_int::try_from(self.events.capacity()).unwrap_or(limit).min(limit)
    }

    /// Runs `wait`, which writes up to `max_events` events to the pointer and returns how many, or -1.
    fn fill(&mut self, wait: impl FnOnce(*mut libc::epoll_event) -> libc::c_int) -> io::Result<()> {
        self.events.clear();
        let filled = check(wait(self.events.as_mut_ptr()))?;
        // SAFETY: the kernel has written the first `filled` events, which is at most the capacity.
        unsafe { self.events.set_len(usize::try_from(filled).unwrap_or(0)) };
        Ok(())
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
                // The counter is full after 2^64 - 2 wakes: empty it. A wake that does the same beside us has emptied it then.
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
