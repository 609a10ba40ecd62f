//! The reactor itself: one poller, one timer queue, and the right to turn them.

use crate::registry::{IoState, Registry};
use crate::timers::Timers;
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;
use std::time::{Duration, Instant};
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};
use tiny_coro_prim::sync::{Arc, Mutex, MutexGuard};

/// How many events one turn takes from the operating system at most. The rest comes with the next turn.
pub const EVENTS_PER_TURN: usize = 1024;

/// Turns readiness and deadlines into wakes. Clones are handles to the same reactor.
///
/// It has no thread: somebody calls [`turn`](Reactor::turn), or takes the right to with [`try_lock`](Reactor::try_lock).
#[derive(Clone)]
pub struct Reactor {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    poller: Poller,
    waker: tiny_coro_poller::Waker,
    registry: Mutex<Sources>,
    pub(crate) timers: Mutex<Timers>,
    driver: Mutex<Events>,
    start: Instant,
}

#[derive(Debug, Default)]
struct Sources {
    registry: Registry,
    shut: bool,
}

impl Reactor {
    /// Creates a reactor with its own poller.
    ///
    /// # Errors
    ///
    /// The operating system's, when it has no descriptor or memory for another poller.
    pub fn new() -> io::Result<Self> {
        let poller = Poller::new()?;
        let shared = Shared {
            waker: poller.waker(),
            poller,
            registry: Mutex::new(Sources::default()),
            timers: Mutex::new(Timers::default()),
            driver: Mutex::new(Events::with_capacity(EVENTS_PER_TURN)),
            start: Instant::now(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Waits for events and deadlines, at most for `timeout` (`None`: for ever), and wakes who waited for them.
    ///
    /// Returns how many wakers were woken. Returns early, with 0, on [`notify`](Reactor::notify). If another thread is
    /// turning this reactor, waits for it first.
    ///
    /// # Errors
    ///
    /// The poller's. Nothing is lost: the next turn sees the same events.
    pub fn turn(&self, timeout: Option<Duration>) -> io::Result<usize> {
        let mut woken = Vec::new();
        let result = Turn { shared: &self.shared, events: self.shared.driver.lock() }.wait(timeout, &mut woken);
        let count = woken.len();
        woken.into_iter().for_each(Waker::wake);
        result.map(|()| count)
    }

    /// Takes the right to turn this reactor, if nobody has it.
    pub fn try_lock(&self) -> Option<Turn<'_>> {
        self.shared.driver.try_lock().map(|events| Turn { shared: &self.shared, events })
    }

    /// Ends the wait of the thread that is turning this reactor, or of the next one to do so.
    pub fn notify(&self) {
        self.shared.notify();
    }

    /// Marks every source as gone and wakes its waiters with an error, and completes every sleep; no source can be added
    /// from here on.
    pub fn shutdown(&self) {
        let mut woken = Vec::new();
        let mut sources = self.shared.registry.lock();
        sources.shut = true;
        for state in sources.registry.iter() {
            state.readiness.leave();
            woken.extend(state.reader.take());
            woken.extend(state.writer.take());
        }
        drop(sources);
        self.shared.timers.lock().shut(&mut woken);
        woken.into_iter().for_each(Waker::wake);
        self.notify();
    }

    /// How many sources are registered.
    pub fn sources(&self) -> usize {
        self.shared.registry.lock().registry.len()
    }

    /// How many deadlines are waited for.
    pub fn sleeps(&self) -> usize {
        self.shared.timers.lock().len()
    }

    /// Nanoseconds from the reactor's start to `instant`, 0 before it, saturating after 584 years.
    pub(crate) fn ticks(&self, instant: Instant) -> u64 {
        self.shared.ticks(instant)
    }

    /// Registers `fd`, edge-triggered in both directions: the one registration in the life of a source.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<(Token, Arc<IoState>)> {
        let state = Arc::new(IoState::new());
        let token = {
            let mut sources = self.shared.registry.lock();
            if sources.shut {
                return Err(gone());
            }
            sources
                .registry
                .insert(state.clone())
                .ok_or_else(|| io::Error::other("the reactor has no token left: 2^32 - 1 sources are registered"))?
        };
        if let Err(error) = self.shared.poller.add(fd, token, interest, Mode::Edge) {
            self.shared.registry.lock().registry.remove(token);
            return Err(error);
        }
        Ok((token, state))
    }

    /// Takes a source out. Both directions' waiters get an error.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let removed = self.shared.registry.lock().registry.remove(token);
        let Some(state) = removed else { return Ok(()) };
        let result = self.shared.poller.delete(fd);
        state.readiness.leave();
        let woken = [state.reader.take(), state.writer.take()];
        woken.into_iter().flatten().for_each(Waker::wake);
        result
    }
}

/// The error of an operation whose reactor or registration is no more.
pub(crate) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the source is no longer registered: its reactor was shut down")
}

impl Shared {
    fn ticks(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn notify(&self) {
        if let Err(error) = self.waker.wake() {
            // An eventfd or user event that exists can always be triggered; there is nothing to fall back on.
            debug_assert!(false, "the poller's waker failed: {error}");
        }
    }
}

/// The right to turn a [`Reactor`], held by one thread at a time.
#[must_use = "a turn that is not used keeps other threads from turning the reactor"]
pub struct Turn<'a> {
    shared: &'a Shared,
    events: MutexGuard<'a, Events>,
}

impl Turn<'_> {
    /// Waits like [`Reactor::turn`], but appends the wakers to `woken` instead of waking them: the caller does so after
    /// it has given up the turn, because a wake may run for long.
    ///
    /// # Errors
    ///
    /// The poller's. Deadlines that have passed are reported all the same.
    pub fn wait(&mut self, timeout: Option<Duration>, woken: &mut Vec<Waker>) -> io::Result<()> {
        let timeout = match timeout {
            Some(Duration::ZERO) => timeout,
            _ => self.prepare_to_sleep(timeout),
        };
        let result = self.shared.poller.wait(&mut self.events, timeout);
        self.shared.timers.lock().wake_up(self.shared.ticks(Instant::now()), woken);
        if result.is_ok() {
            self.collect(woken);
        }
        result
    }

    /// Publishes until when this thread will sleep, so that an earlier deadline that comes meanwhile wakes it.
    fn prepare_to_sleep(&self, timeout: Option<Duration>) -> Option<Duration> {
        let now = Instant::now();
        let limit = timeout.and_then(|timeout| now.checked_add(timeout)).map(|limit| self.shared.ticks(limit));
        let until = self.shared.timers.lock().go_to_sleep(limit);
        until.map(|until| Duration::from_nanos(until.saturating_sub(self.shared.ticks(now))))
    }

    fn collect(&self, woken: &mut Vec<Waker>) {
        if self.events.is_empty() {
            return;
        }
        let sources = self.shared.registry.lock();
        for event in self.events.iter() {
            let Some(state) = sources.registry.get(event.token()) else { continue };
            // ORDERING R3: the slot's mutex. Readiness first, then the slot: `poll_ready` registers, then looks again.
            state.readiness.record(&event);
            let hang_up = event.is_hang_up() || event.is_error();
            if event.is_readable() || event.is_read_hang_up() || hang_up {
                woken.extend(state.reader.take());
            }
            if event.is_writable() || hang_up {
                woken.extend(state.writer.take());
            }
        }
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("sources", &self.sources()).field("sleeps", &self.sleeps()).finish()
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}
