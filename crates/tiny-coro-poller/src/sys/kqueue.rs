//! Apple's systems, FreeBSD, DragonFly BSD: `kqueue(2)`, with an `EVFILT_USER` event for wake-ups.
//!
//! A kqueue watches (descriptor, filter) pairs: a registration here is one or two of them, `EVFILT_READ` and
//! `EVFILT_WRITE`. All changes ask for receipts (`EV_RECEIPT`), so that each has its own error and no event is taken by accident.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::check;
use crate::event::Flags;
use crate::{Event, Interest, Mode, Token};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the kqueue backend keeps the 64-bit token in a pointer");

/// XNU refuses longer timeouts; a wait may end early.
const MAX_TIMEOUT: Duration = Duration::from_secs(100_000_000);

const READ: i16 = libc::EVFILT_READ;
const WRITE: i16 = libc::EVFILT_WRITE;

#[derive(Debug)]
pub(crate) struct Selector {
    /// Shared with the signal, which triggers an event of this queue.
    kqueue: Arc<OwnedFd>,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no arguments.
        let fd = check(unsafe { libc::kqueue() })?;
        // SAFETY: `fd` was just opened, and nobody else knows it.
        let kqueue = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: no pointers; the descriptor is open.
        check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
        Ok(Self { kqueue: Arc::new(kqueue) })
    }

    pub(crate) fn signal(&self, token: Token) -> io::Result<Signal> {
        let signal = Signal { kqueue: Arc::clone(&self.kqueue) };
        let mut change = user_event(libc::EV_ADD | libc::EV_CLEAR | libc::EV_RECEIPT);
        change.udata = pointer(token);
        submit(&self.kqueue, &mut [change])?;
        Ok(signal)
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        let mode = match mode {
            Mode::Level => 0,
            Mode::Edge => libc::EV_CLEAR,
            // Disabled after an event, where EV_ONESHOT would delete: the registration stays, as on epoll.
            Mode::Oneshot => libc::EV_DISPATCH,
        };
        let wanted = [(READ, interest.is_readable()), (WRITE, interest.is_writable())];
        for (filter, _) in wanted.into_iter().filter(|(_, wanted)| *wanted) {
            let mut addition = change(fd, filter, libc::EV_ADD | libc::EV_RECEIPT | mode);
            addition.udata = pointer(token);
            if let Err(error) = submit(&self.kqueue, &mut [addition]) {
                // Not half a registration. What matters is the first error.
                let _ = self.delete(fd);
                return Err(error);
            }
        }
        Ok(())
    }

    /// An `EV_ADD` on a pair that is watched keeps the old mode and forgets nothing that was reported: start afresh.
    pub(crate) fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        self.delete(fd)?;
        self.add(fd, token, interest, mode)
    }

    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let delete = |filter| submit(&self.kqueue, &mut [change(fd, filter, libc::EV_DELETE | libc::EV_RECEIPT)]);
        let absent =
            |result: &io::Result<()>| result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::ENOENT));
        let (read, write) = (delete(READ), delete(WRITE));
        match (absent(&read), absent(&write)) {
            (true, _) => write,
            (_, true) => read,
            _ => read.and(write),
        }
    }

    pub(crate) fn wait(&self, buffer: &mut EventBuffer, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| {
            let timeout = timeout.min(MAX_TIMEOUT);
            libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ }
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        buffer.events.clear();
        let space = libc::c_int::try_from(buffer.events.capacity()).unwrap_or(libc::c_int::MAX);
        // SAFETY: there are no changes; the buffer has room for `space` events; `timeout` is null or outlives the call.
        let filled = check(unsafe {
            libc::kevent(self.kqueue.as_raw_fd(), ptr::null(), 0, buffer.events.as_mut_ptr(), space, timeout)
        })?;
        // SAFETY: the kernel has written the first `filled` events, which is at most the capacity.
        unsafe { buffer.events.set_len(usize::try_from(filled).unwrap_or(0)) };
        Ok(())
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kqueue.as_fd()
    }
}

/// Makes one change, which must carry `EV_RECEIPT`, and returns its own error.
fn submit(kqueue: &OwnedFd, changes: &mut [libc::kevent; 1]) -> io::Result<()> {
    let events = changes.as_mut_ptr();
    // SAFETY: one change to read and room for one event, in the same place, which kevent(2) allows; a null timeout does not
    // block, since the receipt fills the room at once.
    check(unsafe { libc::kevent(kqueue.as_raw_fd(), events, 1, events, 1, ptr::null()) })?;
    // The receipt: `EV_ERROR`, with the error number or 0.
    match changes[0].data as i32 {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn change(fd: BorrowedFd<'_>, filter: i16, flags: u16) -> libc::kevent {
    // SAFETY: integers and a pointer (on FreeBSD also an array of integers): zero is a value of each.
    let mut event: libc::kevent = unsafe { std::mem::zeroed() };
    event.ident = fd.as_raw_fd() as libc::uintptr_t;
    event.filter = filter;
    event.flags = flags;
    event
}

/// The one `EVFILT_USER` event of this queue: its identifier is 0.
fn user_event(flags: u16) -> libc::kevent {
    // SAFETY: integers and a pointer (on FreeBSD also an array of integers): zero is a value of each.
    let mut event: libc::kevent = unsafe { std::mem::zeroed() };
    event.filter = libc::EVFILT_USER;
    event.flags = flags;
    event
}

fn pointer(token: Token) -> *mut libc::c_void {
    ptr::without_provenance_mut(token.to_u64() as usize)
}

fn token(event: &libc::kevent) -> Token {
    Token::from_u64(event.udata.addr() as u64)
}

pub(crate) struct EventBuffer {
    events: Vec<libc::kevent>,
}

// SAFETY: the pointer in an event is a token in disguise (`pointer`), which nobody follows.
unsafe impl Send for EventBuffer {}

// SAFETY: as for `Send`; and nothing in the buffer changes through a shared reference.
unsafe impl Sync for EventBuffer {}

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

    pub(crate) fn get(&self, index: usize) -> Option<Event> {
        let event = self.events.get(index)?;
        let (end, error) = (event.flags & libc::EV_EOF != 0, event.flags & libc::EV_ERROR != 0);
        let flags = Flags {
            readable: event.filter == READ,
            writable: event.filter == WRITE,
            // At the end, `fflags` is the socket's error.
            error: error || (end && event.fflags != 0),
            // The end of the writing side means that the peer reads no more, either.
            hang_up: end && event.filter == WRITE,
            read_hang_up: end && event.filter == READ,
        };
        Some(Event::new(token(event), flags))
    }

    pub(crate) fn remove(&mut self, wanted: Token) -> bool {
        let position = self.events.iter().position(|event| token(event) == wanted);
        position.map(|position| self.events.remove(position)).is_some()
    }
}

/// Triggers the `EVFILT_USER` event.
#[derive(Debug)]
pub(crate) struct Signal {
    kqueue: Arc<OwnedFd>,
}

impl Signal {
    pub(crate) fn send(&self) -> io::Result<()> {
        let mut trigger = user_event(libc::EV_RECEIPT);
        trigger.fflags = libc::NOTE_TRIGGER;
        submit(&self.kqueue, &mut [trigger])
    }
}
