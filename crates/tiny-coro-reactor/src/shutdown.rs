//! The end of a reactor, and who was still waiting for it.

use crate::reactor::Reactor;
use crate::readiness::{Direction, Ready};
use crate::wake;
use std::fmt;
use std::os::fd::RawFd;
use std::task::Waker;
use std::time::Duration;

/// What somebody waited for when the reactor was shut down; `Display` says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// A deadline that was so far away by the reactor's clock; zero for one that had passed.
    Deadline(Duration),
    /// The descriptor to become readable.
    Readable(RawFd),
    /// The descriptor to become writable.
    Writable(RawFd),
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(left) => write!(f, "a deadline in {left:.1?}"),
            Self::Readable(fd) => write!(f, "descriptor {fd} to become readable"),
            Self::Writable(fd) => write!(f, "descriptor {fd} to become writable"),
        }
    }
}

impl Reactor {
    /// Marks every source as gone and wakes its waiters with an error, and completes every sleep; no source can be added
    /// from here on.
    ///
    /// # Panics
    ///
    /// When a waker does, after all the others were woken.
    pub fn shutdown(&self) {
        let mut woken = Vec::new();
        self.shutdown_with(|_, waker| woken.push(waker));
        wake::all(woken);
    }

    /// As [`shutdown`](Reactor::shutdown), but hands each waker to `visit`, with what it waited for, instead of waking it: the
    /// caller does so when it has taken note of that. Nobody else will.
    pub fn shutdown_with(&self, mut visit: impl FnMut(Waiting, Waker)) {
        let mut ended = Vec::new();
        let mut wakers = Vec::new();
        let mut sources = self.shared.registry.lock();
        sources.shut = true;
        for state in sources.registry.iter() {
            state.readiness.set(Ready::GONE);
            for direction in [Direction::Read, Direction::Write] {
                // ORDERING R3: the waiters' mutex. As `publish`, which sets the readiness before it takes the wakers.
                state.waiters(direction).take(&mut wakers);
                let waiting = match direction {
                    Direction::Read => Waiting::Readable(state.fd),
                    Direction::Write => Waiting::Writable(state.fd),
                };
                ended.extend(wakers.drain(..).map(|waker| (waiting, waker)));
            }
        }
        drop(sources);
        let now = self.shared.timers.hub.clock.now();
        self.shared.timers.shut(|deadline, waker| {
            ended.push((Waiting::Deadline(Duration::from_nanos(deadline.saturating_sub(now))), waker));
        });
        self.notify();
        ended.into_iter().for_each(|(waiting, waker)| visit(waiting, waker)); // outside the locks
    }
}
