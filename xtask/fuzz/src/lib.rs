//! What the fuzz targets share: choices drawn from the fuzzer's bytes, and the scripted HTTP peer of the tests.

/// The scripted peer, as the tests of the HTTP crate have it.
#[path = "../../../crates/tiny-coro-http/tests/connection/harness.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod harness;

use std::time::Duration;

use tiny_coro_http::{Config, Router};

use harness::Peer;

/// Draws choices from the fuzzer's bytes; when they run out, every choice is the first.
#[derive(Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// Draws from `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left to draw.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Draws a byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// Draws a number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = usize::from(self.byte()) << 8 | usize::from(self.byte());
        wide % end
    }

    /// Draws eight bytes.
    pub fn word(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Takes the rest.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// A connection to a server with one of everything, and what its peer saw.
#[derive(Debug)]
pub struct Seen {
    /// All answers without their dates.
    pub output: Vec<u8>,
    /// Whether the peer sees the end of the connection.
    pub ended: bool,
}

/// Sends `pieces` to the test server, which may write `window` bytes after each, and more once all is sent.
pub fn play<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, window: usize) -> Seen {
    let mut peer = Peer::new(harness::router(), Config::new());
    for piece in pieces {
        peer.wire().window = window;
        peer.send(piece);
    }
    while window > 0 && peer.is_open() && peer.wire().window == 0 {
        peer.open_window(window);
    }
    peer.open_window(usize::MAX);
    let output = peer.take_output();
    let lines = output.split_inclusive(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"Date: "));
    Seen { output: lines.flatten().copied().collect(), ended: peer.is_ended() }
}

/// What the peer does at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It sends the end of its stream.
    Eof,
    /// It resets the connection.
    Reset,
    /// It stays silent.
    Silence,
}

/// Whether the test server is rid of a peer that sends `pieces`, reads `window` bytes after each and none later, and then
/// lets hours pass.
pub fn is_rid_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, window: usize, end: End) -> bool {
    let mut peer = Peer::new(harness::router(), Config::new());
    for piece in pieces {
        peer.wire().window = window;
        peer.send(piece);
    }
    match end {
        End::Eof => {
            peer.send_eof();
        }
        End::Reset => {
            peer.send_reset();
        }
        End::Silence => {}
    }
    for _ in 0..20 {
        peer.pass(Duration::from_secs(1_000));
    }
    !peer.is_open()
}

/// One exchange: what a server with `router` answers to `request`, all of it.
pub fn answer(router: Router, request: &[u8]) -> Vec<u8> {
    let mut peer = Peer::new(router, Config::new());
    peer.send(request);
    peer.take_output()
}
