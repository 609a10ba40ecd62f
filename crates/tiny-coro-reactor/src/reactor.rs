//! The reactor itself: one poller, the sources, the timers, and who is told that they are ready.

use crate::clock::nanos;
use crate::registry::{IoState, Registry};
use crate::timers::{MAX_TIMER_SLACK, Timers, Whose};
use crate::turn::Turn;
use crate::wake;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::task::Waker;
use std::time::{Duration, Instant};
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};
use tiny_coro_prim::sync::{Arc, Mutex};

/// How many events one turn takes from the operating system at most. The rest comes with the next turn.
pub const EVENTS_PER_TURN: usize = 1024;

/// Turns readiness and deadlines into wakes. Clones are handles to the same reactor.
///
/// It has no thread: somebody calls [`turn`](Reactor::turn), or takes the right to with [`try_lock`](Reactor::try_lock).
/// With the last handle the reactor ends: sleeps complete, as after [`shutdown`](Reactor::shutdown). (A
/// [`Source`](crate::Source) is a handle, a [`Sleep`](crate::Sleep) is none.)
#[derive(Clone)]
pub struct Reactor {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) poller: Poller,
    pub(crate) registry: Mutex<Sources>,
    pub(crate) timers: Timers,
    pub(crate) driver: Mutex<Events>,
}

#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) registry: Registry,
    pub(crate) shut: bool,
}

impl Reactor {
    /// Creates a reactor with its own poller, and one timer shard.
    ///
    /// # Errors
    ///
    /// The operating system's, when it has no descriptor or memory for another poller.
    pub fn new() -> io::Result<Self> {
        Self::with_timer_shards(1)
    }

    /// Creates a reactor whose timers are kept in `count` shards, at least 1: one for each thread that sets many, which says
    /// so with [`enter_shard`](Reactor::enter_shard). A shard takes about 400 bytes. Timers of one shard fire in the order of
    /// their deadlines; between shards there is no order within a turn.
    ///
    /// # Errors
    ///
    /// As [`new`](Reactor::new).
    pub fn with_timer_shards(count: usize) -> io::Result<Self> {
        let poller = Poller::new()?;
        let shared = Shared {
            timers: Timers::new(count, poller.waker()),
            poller,
            registry: Mutex::new(Sources::default()),
            driver: Mutex::new(Events::with_capacity(EVENTS_PER_TURN)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Waits for events and deadlines, at most for `timeout` (`None`: for ever), and wakes who waited for them.
    ///
    /// Returns how many wakers were woken. Returns early, maybe with 0, on [`notify`](Reactor::notify), when a signal arrives, when
    /// another thread sets a timer that comes before all others, and when somebody, since the last turn too, has deregistered what was waited
    /// for or shut the reactor down. If another thread is turning this
    /// reactor, waits for that to end first, however long it takes: `timeout` begins afterwards. [`try_lock`](Reactor::try_lock) does not wait.
    ///
    /// # Errors
    ///
    /// The poller's. Nothing is lost: the next turn sees the same events.
    ///
    /// # Panics
    ///
    /// When a waker does, after all the others were woken.
    pub fn turn(&self, timeout: Option<Duration>) -> io::Result<usize> {
        let mut woken = Vec::new();
        let result = Turn { shared: &self.shared, events: self.shared.driver.lock() }.wait(timeout, &mut woken);
        let count = woken.len();
        wake::all(woken);
        result.map(|()| count)
    }

    /// Takes the right to turn this reactor, if nobody has it.
    pub fn try_lock(&self) -> Option<Turn<'_>> {
        self.shared.driver.try_lock().map(|events| Turn { shared: &self.shared, events })
    }

    /// Moves the wakers of all deadlines that have passed to `woken`, without asking the operating system for events and
    /// beside a thread that turns the reactor. A shard without a passed deadline is not locked.
    pub fn expire(&self, woken: &mut Vec<Waker>) {
        self.shared.timers.expire(Whose::All, woken);
    }

    /// As [`expire`](Reactor::expire), for the timer shard with that number, counted round.
    pub fn expire_shard(&self, index: usize, woken: &mut Vec<Waker>) {
        self.shared.timers.expire(Whose::Own(index), woken);
    }

    /// Sets for how long after timers have fired a turn does not wake up for further ones: those that are due meanwhile fire together, late
    /// by so much at most. It costs nothing where timers are farther apart, and saves a system call and two looks at the clock a timer where
    /// there are a hundred thousand in a second. It is also how long [`Turn::poll`] leaves a timer of another shard to its thread. At most one
    /// second; longer ones are cut to that.
    ///
    /// Default: [`DEFAULT_TIMER_SLACK`](crate::DEFAULT_TIMER_SLACK), 50 µs. Zero turns it off. Holds for the waits that begin from now on.
    pub fn set_timer_slack(&self, slack: Duration) {
        self.shared.timers.hub.alarm.set_slack(nanos(slack.min(MAX_TIMER_SLACK)));
    }

    /// What [`set_timer_slack`](Reactor::set_timer_slack) has set.
    pub fn timer_slack(&self) -> Duration {
        Duration::from_nanos(self.shared.timers.hub.alarm.slack())
    }

    /// Returns an instant before which no deadline passes, or `None` without one. It may be too early, when the first
    /// deadline was cancelled. Takes no lock: one load a shard.
    pub fn next_deadline_hint(&self) -> Option<Instant> {
        let earliest = self.shared.timers.earliest();
        (earliest != crate::alarm::NEVER).then(|| self.shared.timers.hub.clock.instant(earliest))
    }

    /// Ends the wait of the thread that is turning this reactor, or of the next one to do so.
    pub fn notify(&self) {
        self.shared.timers.hub.notify();
    }

    /// How many sources are registered.
    pub fn sources(&self) -> usize {
        self.shared.registry.lock().registry.len()
    }

    /// How many deadlines are waited for.
    pub fn sleeps(&self) -> usize {
        self.shared.timers.len()
    }

    /// How many shards its timers are kept in.
    pub fn timer_shards(&self) -> usize {
        self.shared.timers.shards()
    }

    /// Whether `other` is a handle to the same reactor.
    pub(crate) fn is(&self, other: &Reactor) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Registers `fd`, edge-triggered: the one registration in the life of a source.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<(Token, Arc<IoState>)> {
        let state = Arc::new(IoState::new(fd.as_raw_fd(), interest));
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
        let mut woken = Vec::new();
        state.leave(&mut woken);
        // Whoever turns may be who polls them, with wakers that do nothing: it is from the reactor that they wait for a sign. After the
        // wakes, also if one of them panics.
        let _ring = (!woken.is_empty()).then(|| Ring(self));
        wake::all(woken);
        result
    }
}

/// Notifies when it is dropped.
struct Ring<'a>(&'a Reactor);

impl Drop for Ring<'_> {
    fn drop(&mut self) {
        self.0.notify();
    }
}

/// The error of an operation whose reactor or registration is no more.
pub(crate) fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the source is no longer registered: it was deregistered, or its reactor was shut down",
    )
}

impl Shared {
    /// When a wait of `timeout` from `now` on has to end.
    pub(crate) fn limit(now: u64, timeout: Option<Duration>) -> u64 {
        timeout.map_or(crate::alarm::NEVER, |timeout| now.saturating_add(nanos(timeout)))
    }
}

/// Nobody can turn the reactor any more: its sleeps complete.
impl Drop for Shared {
    fn drop(&mut self) {
        let mut woken = Vec::new();
        self.timers.shut(|_, waker| woken.push(waker));
        wake::all(woken);
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("sources", &self.sources()).field("sleeps", &self.sleeps()).finish()
    }
}
