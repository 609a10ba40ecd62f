//! The `http` group: what the servers have in common, so that all of them do the same work.
//!
//! | route | answer |
//! |---|---|
//! | `GET /plaintext` | [`PLAINTEXT`] |
//! | `GET /json` | [`Message`], serialised for each request |
//! | `POST /echo` | the request's body, once it is whole |
//! | `GET /chunked` | [`CHUNKS`] chunks of [`CHUNK`], a piece at a time, without a `Content-Length` |
//!
//! A server in raw mode reads anything and writes [`RAW_ANSWER`] for each read.

mod control;

use std::net::{Ipv4Addr, SocketAddr};

use serde::Serialize;

pub use control::attend;

/// Where every server listens: loopback, at a port that the system chooses.
pub const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The body of `/plaintext`.
pub const PLAINTEXT: &str = "Hello, World!";

/// What a server in raw mode writes, whatever it has read.
pub const RAW_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!";

/// The pieces of `/chunked`.
pub const CHUNKS: usize = 64;

/// One piece of `/chunked`.
pub static CHUNK: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// The longest body that `/echo` takes.
pub const ECHO_LIMIT: usize = 4 << 20;

/// How much a raw server reads at a time.
pub const READ_SIZE: usize = 4096;

/// The document of `/json`.
#[derive(Debug, Serialize)]
pub struct Message {
    /// Always [`PLAINTEXT`].
    pub message: &'static str,
}

/// The bytes of `/json`, serialised anew.
#[must_use]
pub fn json() -> Vec<u8> {
    serde_json::to_vec(&Message { message: PLAINTEXT }).expect("a string serialises")
}

/// Whether the command line asks for the raw server.
#[must_use]
pub fn raw_mode() -> bool {
    std::env::args().nth(1).as_deref() == Some("raw")
}
