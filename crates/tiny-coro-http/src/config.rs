//! Limits and time-outs.

use std::time::Duration;

use crate::parse::{Limits, is_value_byte};

/// Sets the limits and time-outs of a server. Every one has a default that is safe on the open network.
///
/// Memory: a connection that waits for a request holds no buffer. One that is being served holds one receive buffer (16 KiB, or
/// the head limit if that is larger; 32 KiB during an upload), at most one piece of a request body, and
/// [`output_limit`](Self::output_limit) plus one piece of output.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tiny_coro_http::Config;
/// let config = Config::new().max_body_size(10 << 30).keep_alive_timeout(Duration::from_secs(15));
/// # let _ = config;
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) limits: Limits,
    pub(crate) max_body_size: u64,
    pub(crate) head_timeout: Duration,
    pub(crate) keep_alive_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) linger_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) max_connections: usize,
    pub(crate) drain_limit: u64,
    pub(crate) output_limit: usize,
    /// The whole line, or empty.
    pub(crate) server_line: Vec<u8>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            max_body_size: 16 * 1024 * 1024,
            head_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            linger_timeout: Duration::from_secs(2),
            shutdown_timeout: Duration::from_secs(10),
            max_connections: 65_536,
            drain_limit: 64 * 1024,
            output_limit: 64 * 1024,
            server_line: Vec::new(),
        }
    }
}

impl Config {
    /// Makes a configuration of defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of a request head; more are answered with 431. Default 16 KiB, at most 65,535.
    #[must_use]
    pub fn max_head_size(mut self, bytes: usize) -> Self {
        self.limits.max_head = bytes.min(usize::from(u16::MAX));
        self
    }

    /// Bytes of a request target; more are answered with 414. Default 8 KiB.
    #[must_use]
    pub fn max_target_size(mut self, bytes: usize) -> Self {
        self.limits.max_target = bytes;
        self
    }

    /// Header lines of a request; more are answered with 431. Default 100.
    #[must_use]
    pub fn max_headers(mut self, count: usize) -> Self {
        self.limits.max_headers = count;
        self
    }

    /// Bytes of a request body; more are answered with 413. Default 16 MiB. `u64::MAX` for no limit: bodies are streamed,
    /// so that a large one costs no memory unless the handler gathers it.
    #[must_use]
    pub fn max_body_size(mut self, bytes: u64) -> Self {
        self.max_body_size = bytes;
        self
    }

    /// Lets GET, HEAD, DELETE, TRACE and CONNECT carry a body. Default false: such a request is answered with 400.
    #[must_use]
    pub fn allow_body_on_any_method(mut self, allow: bool) -> Self {
        self.limits.any_body = allow;
        self
    }

    /// How long a request head may take from its first byte on; then 408 and close. Default 30 s.
    #[must_use]
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.head_timeout = timeout;
        self
    }

    /// How long a connection may wait for the first byte of a request; then it is closed. Default 75 s.
    #[must_use]
    pub fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.keep_alive_timeout = timeout;
        self
    }

    /// How long a wanted request body may make no progress; then the handler gets
    /// [`BodyError::TimedOut`](crate::BodyError::TimedOut). Also how long the rest that a handler left may take in all.
    /// Default 30 s.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// How long the peer may take nothing of an answer; then the connection is reset. Default 30 s.
    #[must_use]
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How long a peer that has got its last answer may take to close its end, before the connection is closed all the
    /// same; meanwhile what it still sends is thrown away, up to 1 MiB. Default 2 s.
    #[must_use]
    pub fn linger_timeout(mut self, timeout: Duration) -> Self {
        self.linger_timeout = timeout;
        self
    }

    /// How long requests in flight may take after a graceful shutdown has begun. Default 10 s.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// How many connections are open at once; further ones wait in the kernel's queue. Default 65,536, at least 1.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count.max(1);
        self
    }

    /// How many bytes of a body that the handler left unread are thrown away to keep the connection. Default 64 KiB.
    #[must_use]
    pub fn drain_limit(mut self, bytes: u64) -> Self {
        self.drain_limit = bytes;
        self
    }

    /// How many bytes of output may wait for a slow peer before no further request is served and no further piece of
    /// a body is made. Default 64 KiB.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes.max(1);
        self
    }

    /// Sends this as the `Server` header. Default: none.
    ///
    /// # Panics
    ///
    /// If `name` holds a control character.
    #[must_use]
    #[track_caller]
    pub fn server_name(mut self, name: &str) -> Self {
        assert!(name.bytes().all(is_value_byte), "a control character in the server name {name:?}");
        self.server_line = format!("Server: {name}\r\n").into_bytes();
        self
    }
}
