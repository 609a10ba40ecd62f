//! Which reactor the current thread uses when none is named, and which of its timer shards.

use crate::reactor::Reactor;
use crate::timers::ShardRef;
use std::cell::{Cell, RefCell};
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tiny_coro_prim::thread::thread_local;

#[derive(Debug)]
struct Current {
    reactor: Reactor,
    shard: ShardRef,
}

/// Threads that have asked for a number so far.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    /// Spreads the threads that have not said which shard is theirs.
    static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
}

fn thread_number() -> usize {
    NUMBER.with(|number| {
        number.get().unwrap_or_else(|| {
            let new = THREADS.fetch_add(1, Ordering::Relaxed);
            number.set(Some(new));
            new
        })
    })
}

/// The current thread's shard of its current reactor.
pub(crate) fn current_shard() -> io::Result<ShardRef> {
    let shard = CURRENT.try_with(|current| current.borrow().as_ref().map(|current| current.shard.clone()));
    shard.ok().flatten().ok_or_else(no_reactor)
}

/// The current thread's shard of `reactor`.
pub(crate) fn shard_of(reactor: &Reactor) -> ShardRef {
    let entered = CURRENT.try_with(|current| {
        let current = current.borrow();
        current.as_ref().filter(|current| current.reactor.is(reactor)).map(|current| current.shard.clone())
    });
    entered.ok().flatten().unwrap_or_else(|| reactor.shared.timers.shard(thread_number()).clone())
}

/// What time it is by the current thread's reactor, or by the operating system on a thread that has entered none.
///
/// They differ only where a test has [paused](Reactor::pause) the clock.
pub fn now() -> Instant {
    let now = CURRENT.try_with(|current| current.borrow().as_ref().map(|current| current.reactor.now()));
    now.ok().flatten().unwrap_or_else(Instant::now)
}

fn no_reactor() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "there is no reactor on this thread: call this from a task or from inside `Runtime::block_on`, or enter a runtime \
         with `Handle::enter` (a reactor alone with `Reactor::enter`)",
    )
}

impl Reactor {
    /// Makes this reactor the current thread's until the guard is dropped, which brings back the one before.
    pub fn enter(&self) -> EnterGuard {
        self.enter_shard(thread_number())
    }

    /// As [`enter`](Reactor::enter), and says which of the reactor's timer shards is this thread's: `index`, counted round.
    ///
    /// A thread that has a shard to itself sets and cancels timers without ever waiting for another thread. Other threads
    /// are spread over all shards.
    pub fn enter_shard(&self, index: usize) -> EnterGuard {
        let entered = Current { reactor: self.clone(), shard: self.shared.timers.shard(index).clone() };
        let previous = CURRENT.with(|current| current.replace(Some(entered)));
        EnterGuard { previous, _not_send: PhantomData }
    }

    /// Returns the current thread's reactor. Inside a runtime that is the runtime's own, which its workers turn: register
    /// sources with it, but leave turning and shutting it down to them.
    ///
    /// # Errors
    ///
    /// `NotConnected` on a thread that has entered none.
    pub fn current() -> io::Result<Reactor> {
        let current = CURRENT.try_with(|current| current.borrow().as_ref().map(|current| current.reactor.clone()));
        current.ok().flatten().ok_or_else(no_reactor)
    }
}

/// Ends [`Reactor::enter`] when it is dropped.
#[derive(Debug)]
#[must_use = "the reactor is current only while the guard lives"]
pub struct EnterGuard {
    previous: Option<Current>,
    _not_send: PhantomData<*const ()>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let previous = self.previous.take();
        // A thread that is ending has no current reactor to restore.
        let ended = CURRENT.try_with(|current| current.replace(previous)).ok();
        drop(ended); // outside the borrow: the last handle closes the poller
    }
}
