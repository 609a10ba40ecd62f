//! What a command can see: the server, its client, and where the answer goes.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Instant;

use crate::mini_redis::resp::{Reply, parse_integer};
use crate::mini_redis::store::{Database, Deadline, Store};

use super::CommandError;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) address: SocketAddr,
    pub(crate) started: Instant,
    /// Connections that are open. Counters, these three: they order nothing.
    pub(crate) clients: AtomicUsize,
    /// Connections there have been; a client's id is its number among them.
    pub(crate) accepted: AtomicU64,
    /// Commands that were run, counted once a batch.
    pub(crate) commands: AtomicU64,
    /// The runtime's section of `INFO`.
    pub(crate) runtime_info: Box<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("store", &self.store).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(
        store: Store,
        address: SocketAddr,
        runtime_info: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        Shared {
            store,
            address,
            started: Instant::now(),
            clients: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            runtime_info: Box::new(runtime_info),
        }
    }
}

/// What the server knows of one client.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) name: Vec<u8>,
    pub(crate) database: usize,
    /// The connection is to be closed once what was answered so far has been sent.
    pub(crate) closing: bool,
}

impl Session {
    pub(crate) fn new(id: u64, peer: SocketAddr) -> Self {
        Session { id, peer, name: Vec::new(), database: 0, closing: false }
    }
}

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) session: &'a mut Session,
    pub(crate) out: Reply<'a>,
    /// The time of this batch in milliseconds of Unix time.
    pub(crate) now: Deadline,
}

impl<'a> Context<'a> {
    /// The database that the client has selected.
    pub(crate) fn database(&self) -> &'a Database {
        self.shared.store.database(self.session.database).expect("SELECT checks the number")
    }
}

/// Reads an argument that must be an integer.
pub(super) fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_integer(text).ok_or(CommandError::NOT_AN_INTEGER)
}

/// Reads an argument that says how many items are wanted.
pub(super) fn count(text: &[u8]) -> Result<usize, CommandError> {
    parse_integer(text).and_then(|count| usize::try_from(count).ok()).ok_or(CommandError::NOT_POSITIVE)
}

/// Turns `start` and `stop`, which count from the end when negative, into what to skip and what to take of `len`.
pub(super) fn range(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let from_front = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let start = from_front(start).max(0);
    let stop = from_front(stop).min(len - 1);
    if start > stop { (0, 0) } else { (start as usize, (stop - start + 1) as usize) }
}
