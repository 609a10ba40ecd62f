//! Apple's systems, FreeBSD, DragonFly BSD: `kqueue(2)`, with an `EVFILT_USER` event for wake-ups.
//!
//! A kqueue watches (descriptor, filter) pairs: a registration here is one or two of them, `EVFILT_READ` and
//! `EVFILT_WRITE`. All changes ask for receipts (`EV_RECEIPT`), so that each has its own error and no event is taken by
//! accident.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::buffer::{self, RawEvent};
use super::check;
use crate::event::Flags;
use crate::{Interest, Mode, Token};

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
        // A fork in between does no harm: a kqueue is not inherited.
        // SAFETY: no pointers; the descriptor is open.
        check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
        Ok(Self { kqueue: Arc::new(kqueue) })
    }

    pub(crate) fn signal(&self, token: Token) -> io::Result<Signal> {
        // The one user event of this queue: its identifier is 0.
        let mut change = [kevent(0, libc::EVFILT_USER, libc::EV_ADD | libc::EV_CLEAR, token)];
        submit(&self.kqueue, &mut change)?;
        receipt(&change[0])?;
        Ok(Signal { kqueue: Arc::clone(&self.kqueue), token })
    }

    /// Replaces what was there. An `EV_ADD` on a pair that is watched would keep its mode: it is deleted first.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        let add = libc::EV_ADD
            | match mode {
                Mode::Level => 0,
                Mode::Edge => libc::EV_CLEAR,
                // Disabled after an event, where EV_ONESHOT would delete: the registration stays, as on epoll.
                Mode::Oneshot => libc::EV_DISPATCH,
            };
        let change = |filter, flags| kevent(fd.as_raw_fd() as libc::uintptr_t, filter, flags, token);
        let [read, write] = [change(READ, add), change(WRITE, add)];
        let mut changes = [change(READ, libc::EV_DELETE), change(WRITE, libc::EV_DELETE), read, write];
        let changes = match (interest.is_readable(), interest.is_writable()) {
            (true, true) => &mut changes[..],
            (true, false) => &mut changes[..3],
            (false, _) => {
                changes[2] = write;
                &mut changes[..3]
            }
        };
        submit(&self.kqueue, changes)?;
        // Not half a registration: what matters is the first error.
        changes[2..].iter().try_for_each(receipt).inspect_err(|_| drop(self.delete(fd)))
    }

    pub(crate) fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        self.delete(fd)?;
        self.add(fd, token, interest, mode)
    }

    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let delete = |filter| kevent(fd.as_raw_fd() as libc::uintptr_t, filter, libc::EV_DELETE, Token::from_u64(0));
        let mut changes = [delete(READ), delete(WRITE)];
        submit(&self.kqueue, &mut changes)?;
        let absent =
            |result: &io::Result<()>| result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::ENOENT));
        let [read, write] = [receipt(&changes[0]), receipt(&changes[1])];
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
        let kqueue = self.kqueue.as_raw_fd();
        // SAFETY: there are no changes; `events` has room for `space` events, a `Report` being laid out as a `kevent`;
        // `timeout` is null or outlives the call. It returns what `fill` asks for.
        unsafe { buffer.fill(|events, space| libc::kevent(kqueue, ptr::null(), 0, events.cast(), space, timeout)) }
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kqueue.as_fd()
    }
}

/// A change that asks for a receipt.
fn kevent(ident: libc::uintptr_t, filter: i16, flags: u16, token: Token) -> libc::kevent {
    // SAFETY: integers and a pointer (on FreeBSD also an array of integers): zero is a value of each.
    let mut event: libc::kevent = unsafe { std::mem::zeroed() };
    event.ident = ident;
    event.filter = filter;
    event.flags = flags | libc::EV_RECEIPT;
    event.udata = ptr::without_provenance_mut(token.to_u64() as usize);
    event
}

/// Makes the changes, and puts their receipts in their places.
///
/// It neither blocks nor takes events, though the timeout is null: a receipt ends the call before the queue is scanned.
fn submit(kqueue: &OwnedFd, changes: &mut [libc::kevent]) -> io::Result<()> {
    let (events, count) = (changes.as_mut_ptr(), changes.len() as libc::c_int);
    // SAFETY: `count` changes to read and room for as many events, in the same place, which kevent(2) allows.
    check(unsafe { libc::kevent(kqueue.as_raw_fd(), events, count, events, count, ptr::null()) })?;
    Ok(())
}

/// Reads a receipt: `EV_ERROR`, with the error number or 0 as data.
fn receipt(change: &libc::kevent) -> io::Result<()> {
    match change.data as i32 {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

pub(crate) type EventBuffer = buffer::EventBuffer<Report>;

/// What the queue reports.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Report(libc::kevent);

// SAFETY: the pointer in an event is a token in disguise (`kevent`), which nobody follows.
unsafe impl Send for Report {}

// SAFETY: as for `Send`; and nothing in it changes through a shared reference.
unsafe impl Sync for Report {}

impl RawEvent for Report {
    fn token(&self) -> Token {
        Token::from_u64(self.0.udata.addr() as u64)
    }

    /// Each filter speaks for its own direction only. `EV_EOF` on `EVFILT_WRITE` also follows this side's own
    /// `shutdown(Write)`, when there may be much left to read: it says nothing about the other direction, so that
    /// `hang_up`, which is about both, is never set.
    fn flags(&self) -> Flags {
        let (read, write) = (self.0.filter == READ, self.0.filter == WRITE);
        let has = |flag| self.0.flags & flag != 0;
        Flags {
            readable: read,
            writable: write,
            // At the end, `fflags` is the socket's error.
            error: has(libc::EV_ERROR) || (has(libc::EV_EOF) && self.0.fflags != 0),
            hang_up: false,
            read_hang_up: read && has(libc::EV_EOF),
            write_hang_up: write && has(libc::EV_EOF),
        }
    }
}

/// Triggers the `EVFILT_USER` event.
#[derive(Debug)]
pub(crate) struct Signal {
    kqueue: Arc<OwnedFd>,
    token: Token,
}

impl Signal {
    pub(crate) fn send(&self) -> io::Result<()> {
        // Neither EV_ADD nor EV_CLEAR: the latter would take the trigger back. The token has to be there again, since any
        // change to an event that exists replaces its `udata` (P1).
        let mut trigger = [kevent(0, libc::EVFILT_USER, 0, self.token)];
        trigger[0].fflags = libc::NOTE_TRIGGER;
        submit(&self.kqueue, &mut trigger)?;
        receipt(&trigger[0])
    }
}
