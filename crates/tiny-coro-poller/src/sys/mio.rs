//! The second backend: `mio`, on whatever it uses on this system.
//!
//! `mio` watches edges only, and one thread at a time may wait. What is missing for the contract is made here from a table of
//! the registrations, by descriptor number:
//!
//! - *Level*: an edge that was reported is registered once more before the wait returns. The OS then looks at the
//!   condition afresh, so that the next wait reports it if it still holds. Cost: one system call an event.
//! - *One-shot*: taken out of `mio` before the wait returns; `modify` puts it back. Cost: one system call an event, one
//!   more to arm.
//! - *Threads that wait* take turns. The turn is free while nobody waits, and who does not get it before its timeout is over
//!   returns without events: another thread is there to take them.
//!
//! `mio`'s own token is the descriptor and a serial number of the registration. An event whose number is not the
//! table's belongs to a registration that has been replaced, and is dropped.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;

use super::buffer::{self, RawEvent};
use crate::event::Flags;
use crate::{Event, Interest, Mode, RegistrationError, Token};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the feature `mio` keeps 64 bits in `mio::Token`, which is a usize");

/// 2^31 - 1 milliseconds, `epoll_wait`'s limit; a wait may end early.
const MAX_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// `mio`'s token for the waker: no descriptor has this number.
const SIGNAL: mio::Token = mio::Token(usize::MAX);

pub(crate) type EventBuffer = buffer::EventBuffer<Event>;

impl RawEvent for Event {
    fn token(&self) -> Token {
        Event::token(self)
    }

    fn flags(&self) -> Flags {
        self.flags
    }
}

#[derive(Debug)]
pub(crate) struct Selector {
    /// For registrations, which need no turn.
    registry: mio::Registry,
    table: Mutex<Table>,
    /// `None` while a thread waits in it.
    poll: Mutex<Option<Poll>>,
    poll_is_back: Condvar,
}

#[derive(Debug)]
struct Poll {
    poll: mio::Poll,
    events: mio::Events,
}

#[derive(Debug, Default)]
struct Table {
    registrations: HashMap<RawFd, Registration>,
    next_serial: u32,
    /// Level registrations that could not be registered once more: the next wait has to.
    owed: Vec<RawFd>,
}

#[derive(Clone, Copy, Debug)]
struct Registration {
    serial: u32,
    token: Token,
    interest: mio::Interest,
    mode: Mode,
    /// Whether `mio` has it.
    watched: bool,
    /// A one-shot that was reported.
    spent: bool,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let poll = Mutex::new(Some(Poll { poll, events: mio::Events::with_capacity(0) }));
        Ok(Self { registry, table: Mutex::default(), poll, poll_is_back: Condvar::new() })
    }

    /// There is no choice of the token: an event of the waker is given `Token::WAKER`.
    pub(crate) fn signal(&self, _: Token) -> io::Result<Signal> {
        Ok(Signal { waker: mio::Waker::new(&self.registry, SIGNAL)? })
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        let (mut table, fd) = (lock(&self.table), fd.as_raw_fd());
        let registration = table.new_registration(token, interest, mode);
        self.registry.register(&mut SourceFd(&fd), registration.key(fd), registration.interest)?;
        table.registrations.insert(fd, registration);
        Ok(())
    }

    pub(crate) fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest, mode: Mode) -> io::Result<()> {
        let (mut table, fd) = (lock(&self.table), fd.as_raw_fd());
        let registration = table.new_registration(token, interest, mode);
        let Some(old) = table.registrations.get(&fd) else { return Err(self.unknown(fd)) };
        let (mut source, key) = (SourceFd(&fd), registration.key(fd));
        if old.watched {
            let result = self.registry.reregister(&mut source, key, registration.interest);
            table.forget_if_gone(fd, &result);
            result?;
        } else {
            self.registry.register(&mut source, key, registration.interest)?;
        }
        table.registrations.insert(fd, registration);
        Ok(())
    }

    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let (mut table, fd) = (lock(&self.table), fd.as_raw_fd());
        let Some(old) = table.registrations.get(&fd) else { return Err(self.unknown(fd)) };
        let result = if old.watched { self.registry.deregister(&mut SourceFd(&fd)) } else { Ok(()) };
        if result.is_ok() {
            table.registrations.remove(&fd);
        }
        table.forget_if_gone(fd, &result);
        result
    }

    /// What the OS says of a descriptor that is not in the table. Where it says nothing, as kqueue does through `mio`, we do.
    fn unknown(&self, fd: RawFd) -> io::Error {
        let said = self.registry.deregister(&mut SourceFd(&fd)).err();
        said.unwrap_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
    }

    pub(crate) fn wait(&self, buffer: &mut EventBuffer, timeout: Option<Duration>) -> io::Result<()> {
        let Some((mut poll, left)) = self.take_turn(timeout.map(|timeout| timeout.min(MAX_TIMEOUT))) else {
            return Ok(());
        };
        let result = self.wait_in_turn(&mut poll, buffer, left);
        *lock(&self.poll) = Some(poll);
        self.poll_is_back.notify_one();
        result
    }

    /// Returns the turn and what is left of the timeout, or `None` when that is over. No clock is read where nobody else
    /// waits.
    fn take_turn(&self, timeout: Option<Duration>) -> Option<(Poll, Option<Duration>)> {
        let (mut guard, taken) = (lock(&self.poll), |poll: &mut Option<Poll>| poll.is_none());
        if let Some(poll) = guard.take() {
            return Some((poll, timeout));
        }
        let Some(timeout) = timeout else {
            guard = self.poll_is_back.wait_while(guard, taken).unwrap_or_else(PoisonError::into_inner);
            return guard.take().map(|poll| (poll, None));
        };
        let (start, result) = (Instant::now(), self.poll_is_back.wait_timeout_while(guard, timeout, taken));
        let poll = result.unwrap_or_else(PoisonError::into_inner).0.take()?;
        Some((poll, Some(timeout.saturating_sub(start.elapsed()))))
    }

    fn wait_in_turn(&self, turn: &mut Poll, buffer: &mut EventBuffer, timeout: Option<Duration>) -> io::Result<()> {
        self.pay_debts()?;
        if turn.events.capacity() != buffer.capacity() {
            turn.events = mio::Events::with_capacity(buffer.capacity());
        }
        turn.poll.poll(&mut turn.events, timeout)?;
        let mut table = lock(&self.table);
        for event in &turn.events {
            if event.token() == SIGNAL {
                buffer.push(Event::new(Token::WAKER, Flags::default()));
            } else if let Some((_, registration)) = table.find(event.token()) {
                buffer.push(Event::new(registration.token, flags(event)));
            }
        }
        // After all of them: on kqueue, the two directions of one descriptor are two events.
        for event in &turn.events {
            self.after_report(&mut table, event.token());
        }
        Ok(())
    }

    /// Makes the next report of this registration what its mode says.
    fn after_report(&self, table: &mut Table, key: mio::Token) {
        let Some((fd, registration)) = table.find(key) else { return };
        match registration.mode {
            Mode::Edge => {}
            Mode::Level => {
                let result = self.registry.reregister(&mut SourceFd(&fd), key, registration.interest);
                table.forget_if_gone(fd, &result);
                if result.is_err() && table.find(key).is_some() {
                    table.owed.push(fd);
                }
            }
            Mode::Oneshot => {
                // If it can't be taken out, what it reports is dropped, since it is spent.
                let watched = self.registry.deregister(&mut SourceFd(&fd)).is_err();
                table.registrations.insert(fd, Registration { spent: true, watched, ..registration });
            }
        }
    }

    /// Registers once more what could not be after it was reported. An error comes before any event is taken, so none is
    /// lost.
    fn pay_debts(&self) -> io::Result<()> {
        let mut table = lock(&self.table);
        while let Some(&fd) = table.owed.last() {
            if let Some(owed) = table.registrations.get(&fd).copied() {
                let result = self.registry.reregister(&mut SourceFd(&fd), owed.key(fd), owed.interest);
                table.forget_if_gone(fd, &result);
                if result.is_err() && table.registrations.contains_key(&fd) {
                    return result.map_err(|error| RegistrationError::wrap("re-arm", fd, error));
                }
            }
            table.owed.pop();
        }
        Ok(())
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.registry.as_fd()
    }
}

impl Table {
    fn new_registration(&mut self, token: Token, interest: Interest, mode: Mode) -> Registration {
        let interest = match (interest.is_readable(), interest.is_writable()) {
            (true, true) => mio::Interest::READABLE | mio::Interest::WRITABLE,
            (true, false) => mio::Interest::READABLE,
            (false, _) => mio::Interest::WRITABLE,
        };
        self.next_serial = self.next_serial.wrapping_add(1);
        Registration { serial: self.next_serial, token, interest, mode, watched: true, spent: false }
    }

    /// The registration that an event is for, unless it is of one that has been replaced, deleted or spent.
    fn find(&self, key: mio::Token) -> Option<(RawFd, Registration)> {
        let fd = key.0 as u32 as RawFd;
        let registration = self.registrations.get(&fd)?;
        (registration.key(fd) == key && !registration.spent).then_some((fd, *registration))
    }

    /// A descriptor that was closed took its registration with it.
    fn forget_if_gone(&mut self, fd: RawFd, result: &io::Result<()>) {
        let error = result.as_ref().err().and_then(io::Error::raw_os_error);
        if matches!(error, Some(libc::EBADF | libc::ENOENT)) {
            self.registrations.remove(&fd);
        }
    }
}

impl Registration {
    fn key(&self, fd: RawFd) -> mio::Token {
        mio::Token((self.serial as usize) << 32 | fd as u32 as usize)
    }
}

/// Translates an event. `mio` shows a hang-up as both directions closed, but an error on a pipe's writing end as closed for
/// writing, too; so what comes with an error counts as an error only.
fn flags(event: &mio::event::Event) -> Flags {
    let (error, read_hang_up) = (event.is_error(), event.is_read_closed());
    let write_hang_up = event.is_write_closed() && !error;
    Flags {
        readable: event.is_readable() || read_hang_up || error,
        writable: event.is_writable() || write_hang_up || error,
        error,
        hang_up: read_hang_up && write_hang_up,
        read_hang_up,
        write_hang_up,
    }
}

/// A panic under these locks leaves nothing half done: what is behind them stays usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub(crate) struct Signal {
    waker: mio::Waker,
}

impl Signal {
    pub(crate) fn send(&self) -> io::Result<()> {
        self.waker.wake()
    }
}
