//! The same edges as `mio`: any traffic on sockets that both watch, wait for wait.

#![cfg(all(target_os = "linux", not(tiny_coro_loom)))]

#[expect(dead_code, reason = "not all helpers are for this file")]
mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use common::{drain, fill, pair};
use mio::unix::SourceFd;
use proptest::prelude::*;
use tiny_coro_poller::{Events, Interest, Mode, Poller, Token};

const SOCKETS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Write,
    Read,
    PeerWrites,
    PeerReads,
    PeerStopsWriting,
    PeerCloses,
    Reregister(Interest),
    Wait,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let interest = prop::sample::select(vec![Interest::READABLE, Interest::WRITABLE, Interest::BOTH]);
    let step = prop_oneof![
        1 => Just(Step::Write),
        1 => Just(Step::Read),
        2 => Just(Step::PeerWrites),
        1 => Just(Step::PeerReads),
        1 => Just(Step::PeerStopsWriting),
        1 => Just(Step::PeerCloses),
        1 => interest.prop_map(Step::Reregister),
        3 => Just(Step::Wait),
    ];
    (0..SOCKETS, step)
}

/// Readable, writable, and an error or the end: what both can say.
type Report = BTreeMap<usize, (bool, bool, bool)>;

struct Both {
    ours: Poller,
    theirs: mio::Poll,
    sockets: Vec<(UnixStream, Option<UnixStream>)>,
}

impl Both {
    fn new() -> Self {
        let (ours, theirs) = (Poller::new().unwrap(), mio::Poll::new().unwrap());
        let sockets: Vec<_> = (0..SOCKETS).map(|_| pair()).map(|(here, there)| (here, Some(there))).collect();
        let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
        for (index, (here, _)) in sockets.iter().enumerate() {
            ours.add(here, Token::new(index as u32, 0), Interest::BOTH, Mode::Edge).unwrap();
            theirs.registry().register(&mut SourceFd(&here.as_raw_fd()), mio::Token(index), both).unwrap();
        }
        Self { ours, theirs, sockets }
    }

    fn run(&mut self, index: usize, step: &Step) {
        let (here, there) = &mut self.sockets[index];
        match (step, &mut *there) {
            (Step::Write, Some(_)) => fill(here),
            (Step::Read, _) => drop(drain(here)),
            (Step::PeerWrites, Some(peer)) => drop(peer.write(b"data")),
            (Step::PeerReads, Some(peer)) => drop(drain(peer)),
            (Step::PeerStopsWriting, Some(peer)) => peer.shutdown(Shutdown::Write).unwrap(),
            (Step::PeerCloses, Some(peer)) => {
                // To close with data unread would be a reset.
                drain(peer);
                *there = None;
            }
            (Step::Reregister(interest), _) => {
                self.ours.modify(&*here, Token::new(index as u32, 1), *interest, Mode::Edge).unwrap();
                let interest = match *interest {
                    Interest::READABLE => mio::Interest::READABLE,
                    Interest::WRITABLE => mio::Interest::WRITABLE,
                    _ => mio::Interest::READABLE | mio::Interest::WRITABLE,
                };
                let mut source = SourceFd(&here.as_raw_fd());
                self.theirs.registry().reregister(&mut source, mio::Token(index), interest).unwrap();
            }
            (Step::Wait, _) => self.wait(),
            (_, None) => {}
        }
    }

    fn wait(&mut self) {
        let (mut ours, mut theirs) = (Events::with_capacity(16), mio::Events::with_capacity(16));
        self.ours.wait(&mut ours, Some(Duration::ZERO)).unwrap();
        self.theirs.poll(&mut theirs, Some(Duration::ZERO)).unwrap();
        let ours = ours.iter().map(|event| {
            let end = event.is_error() || event.is_read_hang_up() || event.is_hang_up();
            (event.token().index() as usize, (event.is_readable(), event.is_writable(), end))
        });
        let theirs = theirs.iter().map(|event| {
            let end = event.is_error() || event.is_read_closed() || event.is_write_closed();
            let (readable, writable) =
                (event.is_readable() || event.is_read_closed(), event.is_writable() || event.is_write_closed());
            (event.token().0, (readable, writable, end))
        });
        assert_eq!(ours.collect::<Report>(), theirs.collect::<Report>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edges_are_those_of_mio(program in prop::collection::vec(step(), 1..60)) {
        let mut both = Both::new();
        for (index, step) in &program {
            both.run(*index, step);
        }
        both.wait();
    }
}
