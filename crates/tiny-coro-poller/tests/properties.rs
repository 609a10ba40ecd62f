//! A random program of registrations, traffic and closes, against a model of what each wait must report.

#![cfg(not(tiny_coro_loom))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use common::{drain, fill, pair};
use proptest::prelude::*;
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};

const SLOTS: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Open,
    /// A second descriptor of the socket in the given slot.
    DuplicateOf(usize),
    Close,
    Add(Interest, Mode),
    Modify(Interest, Mode),
    Delete,
    PeerWrites,
    PeerReads,
    PeerStopsWriting,
    PeerCloses,
    Read,
    /// Writes until there is no more space.
    Fill,
    Wake,
    Wait,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let interest = prop::sample::select(vec![Interest::READABLE, Interest::WRITABLE, Interest::BOTH]);
    let mode = prop::sample::select(vec![Mode::Level, Mode::Edge, Mode::Oneshot]);
    let registration = (interest, mode);
    let step = prop_oneof![
        2 => Just(Step::Open),
        1 => (0..SLOTS).prop_map(Step::DuplicateOf),
        1 => Just(Step::Close),
        5 => registration.clone().prop_map(|(interest, mode)| Step::Add(interest, mode)),
        3 => registration.prop_map(|(interest, mode)| Step::Modify(interest, mode)),
        1 => Just(Step::Delete),
        4 => Just(Step::PeerWrites),
        2 => Just(Step::PeerReads),
        1 => Just(Step::PeerStopsWriting),
        1 => Just(Step::PeerCloses),
        2 => Just(Step::Read),
        2 => Just(Step::Fill),
        1 => Just(Step::Wake),
        6 => Just(Step::Wait),
    ];
    (0..SLOTS, step)
}

/// One connection, seen from the side that is registered.
struct Connection {
    peer: Cell<Option<UnixStream>>,
    peer_stopped: Cell<bool>,
    buffered: Cell<usize>,
    full: Cell<bool>,
    /// Counts what the peer has done, by whom it concerns: that is what an edge is.
    news: Cell<News>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct News {
    for_reader: u64,
    for_writer: u64,
}

impl Connection {
    fn peer_closed(&self) -> bool {
        let peer = self.peer.take();
        let closed = peer.is_none();
        self.peer.set(peer);
        closed
    }

    fn peer_does(&self, action: impl FnOnce(UnixStream) -> Option<UnixStream>) {
        if let Some(peer) = self.peer.take() {
            self.peer.set(action(peer));
        }
    }

    fn news(&self, for_reader: bool, for_writer: bool) {
        let news = self.news.get();
        self.news.set(News {
            for_reader: news.for_reader + u64::from(for_reader),
            for_writer: news.for_writer + u64::from(for_writer),
        });
    }
}

struct Registration {
    token: Token,
    interest: Interest,
    mode: Mode,
    disarmed: bool,
    /// The news when it was last reported; `None` if it was not since it was armed.
    reported_at: Option<News>,
}

struct Slot {
    socket: UnixStream,
    connection: Rc<Connection>,
    registration: Option<Registration>,
}

/// What an event says: readable, writable, hang-up, half-closed.
type Report = (bool, bool, bool, bool);

impl Slot {
    fn open() -> Self {
        let (socket, peer) = pair();
        let connection = Connection {
            peer: Cell::new(Some(peer)),
            peer_stopped: Cell::new(false),
            buffered: Cell::new(0),
            full: Cell::new(false),
            news: Cell::default(),
        };
        Self { socket, connection: Rc::new(connection), registration: None }
    }

    /// What a wait reports if it reports this slot; `None` if it must not.
    fn condition(&self) -> Option<(Token, Report)> {
        let registration = self.registration.as_ref().filter(|registration| !registration.disarmed)?;
        let closed = self.connection.peer_closed();
        let ended = closed || self.connection.peer_stopped.get();
        let half = closed || (ended && registration.interest.is_readable());
        let readable = half || (registration.interest.is_readable() && self.connection.buffered.get() > 0);
        let writable = closed || (registration.interest.is_writable() && !self.connection.full.get());
        (readable || writable).then_some((registration.token, (readable, writable, closed, half)))
    }

    /// Whether a wait has to report the condition, too.
    fn is_due(&self) -> bool {
        let news = self.connection.news.get();
        self.registration.as_ref().is_some_and(|registration| match registration.mode {
            Mode::Level | Mode::Oneshot => true,
            Mode::Edge => registration.reported_at.is_none_or(|seen| {
                (registration.interest.is_readable() && seen.for_reader < news.for_reader)
                    || (registration.interest.is_writable() && seen.for_writer < news.for_writer)
                    // A hang-up concerns everybody.
                    || (self.connection.peer_closed() && seen != news)
            }),
        })
    }

    fn was_reported(&mut self) {
        let news = self.connection.news.get();
        if let Some(registration) = &mut self.registration {
            let again = registration.reported_at == Some(news) && registration.mode == Mode::Edge;
            assert!(!again, "an edge is reported once");
            registration.reported_at = Some(news);
            registration.disarmed = registration.mode == Mode::Oneshot;
        }
    }
}

struct World {
    poller: Poller,
    slots: Vec<Option<Slot>>,
    generation: u32,
    wake_pending: bool,
}

impl World {
    fn new() -> Self {
        let slots = (0..SLOTS).map(|_| None).collect();
        Self { poller: Poller::new().unwrap(), slots, generation: 0, wake_pending: false }
    }

    fn run(&mut self, index: usize, step: &Step) {
        match step {
            Step::Open => {
                self.close(index);
                self.slots[index] = Some(Slot::open());
            }
            Step::DuplicateOf(other) => self.duplicate(index, *other),
            Step::Close => self.close(index),
            Step::Add(interest, mode) => self.register(index, *interest, *mode, false),
            Step::Modify(interest, mode) => self.register(index, *interest, *mode, true),
            Step::Delete => self.delete(index),
            Step::Wake => {
                self.poller.waker().wake().unwrap();
                self.wake_pending = true;
            }
            Step::Wait => self.wait(),
            _ => self.traffic(index, step),
        }
    }

    fn duplicate(&mut self, index: usize, other: usize) {
        if let Some(original) = self.slots[other].as_ref().filter(|_| index != other) {
            let (socket, connection) = (original.socket.try_clone().unwrap(), Rc::clone(&original.connection));
            self.close(index);
            self.slots[index] = Some(Slot { socket, connection, registration: None });
        }
    }

    /// A descriptor with duplicates must be deleted first, and with `mio` a one-shot that was reported; others need not.
    fn close(&mut self, index: usize) {
        if let Some(slot) = self.slots[index].take()
            && let Some(registration) = slot.registration
            && (Rc::strong_count(&slot.connection) > 1 || (cfg!(feature = "mio") && registration.disarmed))
        {
            self.poller.delete(&slot.socket).unwrap();
        }
    }

    fn register(&mut self, index: usize, interest: Interest, mode: Mode, modify: bool) {
        let Some(slot) = &mut self.slots[index] else { return };
        self.generation += 1;
        let (fd, token) = (slot.socket.as_fd(), Token::new(u32::try_from(index).unwrap(), self.generation));
        let disarmed = slot.registration.as_ref().is_some_and(|registration| registration.disarmed);
        let (result, refused) = match (modify, slot.registration.is_some()) {
            (true, true) => (self.poller.modify(fd, token, interest, mode), None),
            (true, false) => (self.poller.modify(fd, token, interest, mode), Some(ErrorKind::NotFound)),
            (false, false) => (self.poller.add(fd, token, interest, mode), None),
            // What a second add does is the backend's to choose.
            (false, true) if cfg!(not(target_os = "linux")) || (cfg!(feature = "mio") && disarmed) => return,
            (false, true) => (self.poller.add(fd, token, interest, mode), Some(ErrorKind::AlreadyExists)),
        };
        assert_eq!(result.err().map(|error| error.kind()), refused);
        if refused.is_none() {
            slot.registration = Some(Registration { token, interest, mode, disarmed: false, reported_at: None });
        }
    }

    fn delete(&mut self, index: usize) {
        if let Some(slot) = &mut self.slots[index] {
            let refused = slot.registration.take().is_none().then_some(ErrorKind::NotFound);
            assert_eq!(self.poller.delete(slot.socket.as_fd()).err().map(|error| error.kind()), refused);
        }
    }

    fn traffic(&mut self, index: usize, step: &Step) {
        let Some(slot) = &self.slots[index] else { return };
        let connection = &slot.connection;
        match step {
            Step::PeerWrites if !connection.peer_stopped.get() => connection.peer_does(|mut peer| {
                peer.write_all(b"data").unwrap();
                connection.buffered.set(connection.buffered.get() + 4);
                connection.news(true, false);
                Some(peer)
            }),
            Step::PeerReads => connection.peer_does(|peer| {
                drain(&peer);
                connection.news(false, connection.full.replace(false));
                Some(peer)
            }),
            Step::PeerStopsWriting => connection.peer_does(|peer| {
                peer.shutdown(Shutdown::Write).unwrap();
                connection.peer_stopped.set(true);
                connection.news(true, false);
                Some(peer)
            }),
            Step::PeerCloses => connection.peer_does(|peer| {
                // To close with data unread would be a reset.
                drain(&peer);
                connection.full.set(false);
                connection.news(true, true);
                None
            }),
            Step::Read => assert_eq!(drain(&slot.socket), connection.buffered.replace(0)),
            Step::Fill if !connection.peer_closed() => {
                fill(&slot.socket);
                connection.full.set(true);
            }
            _ => {}
        }
    }

    fn wait(&mut self) {
        let mut events = Events::with_capacity(4 * SLOTS);
        self.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.woken(), std::mem::take(&mut self.wake_pending));
        // kqueue reports each direction on its own.
        let mut reports = BTreeMap::<usize, (Token, Report)>::new();
        for event in &events {
            let index = event.token().index() as usize;
            let (token, report) = reports.entry(index).or_insert((event.token(), Report::default()));
            assert_eq!(*token, event.token());
            report.0 |= event.is_readable();
            report.1 |= event.is_writable();
            report.2 |= event.is_hang_up();
            assert!(!event.is_error() && event.is_write_hang_up() == event.is_hang_up(), "{event:?}");
            report.3 |= event.is_read_hang_up();
        }
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let condition = slot.as_ref().and_then(Slot::condition);
            match (reports.remove(&index), slot) {
                (Some(report), Some(slot)) => {
                    assert_eq!(Some(report), condition, "slot {index}: reported, expected");
                    slot.was_reported();
                }
                (None, Some(slot)) => {
                    assert!(condition.is_none() || !slot.is_due(), "slot {index} is due: {condition:?}")
                }
                (report, None) => assert_eq!(report, None, "slot {index} is empty"),
            }
        }
        assert!(reports.is_empty(), "tokens that nobody gave: {reports:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// P1, P2, P4, and each mode's promise.
    #[test]
    fn any_program_agrees_with_the_model(program in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for (index, step) in &program {
            world.run(*index, step);
        }
        world.wait();
    }
}
