//! An HTTP/1.1 server: zero-copy requests, pipelining, streaming bodies.
//!
//! # The problem
//!
//! A plaintext answer costs the kernel several microseconds; what a server adds to that decides how many machines it takes. And
//! whatever the bytes are, and however slowly they come, the server must never hand one request's body to the next one's
//! parser, never grow without bound, and never let a broken answer pass for a whole one.
//!
//! # Vocabulary
//!
//! *Head*: request line and headers. *Framing*: where a body ends ([RFC 9112 section 6](https://www.rfc-editor.org/rfc/rfc9112#section-6)).
//! *Exchange*: a request and its answer. *Piece*: some bytes of a body. *Drain*: throwing away what a handler left of a body.
//! *Linger*: reading on after the last word, so that the peer gets to hear it. *Turn*: one poll of a connection.
//!
//! # How a request is served
//!
//! ```text
//! socket readable ─► poll_read ─► parse_head ─► Router ─► handler ─► encode ─► one write ─► idle
//!                       ▲            │  ▲                    │           │         (buffers go back
//!                       │ partial    │  └── next head ───────────────────┘          to the thread)
//!                       └────────────┘          already here
//! ```
//!
//! Each [`Connection`] is one task and one state machine over a [`Transport`]; its diagram stands there. While whole heads are
//! in the buffer it serves them, appends the answers to one output, and writes when it would otherwise wait: for input, for
//! a handler, or because the peer does not read. The steady state allocates nothing: heads and headers are slices of the
//! receive buffer, handler futures live in boxes that are used again, an idle connection has given its buffers back.
//!
//! # Invariants
//!
//! | ID | always true | kept by |
//! |---|---|---|
//! | P1 | the cut of the bytes into reads changes no result; a fault is reported with the end of its line at the latest | [`parse`], `next_head` |
//! | P2 | nothing is served after bytes whose framing is in doubt | `refuse`, `Incoming::failed` |
//! | P3 | memory per connection is bounded by [`Config`], whatever the peer does | `on_head`, `on_sending`, `attend` |
//! | P4 | an answer that is not whole ends in a reset, never in a clean end | `Turn::abort`, `Connection::cut_off` |
//! | B1–B3 | the two ends of a body's pipe never wait for each other in vain | `body::pipe` |
//! | O1–O3 | bytes leave in the order in which they were put in | `connection::output` |
//! | H1 | a connection sees the shutdown, or is woken by it | `service` |
//!
//! # Example
//!
//! ```
//! use tiny_coro_http::{BodyError, Request, Response, Router, Server};
//!
//! async fn count(mut request: Request) -> Result<Response, BodyError> {
//!     let mut sum = 0;
//!     while let Some(piece) = request.body_mut().chunk().await {
//!         sum += piece?.len();
//!     }
//!     Ok(Response::text(format!("{sum} bytes")))
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! tiny_coro_sched::Runtime::new()?.block_on(async {
//!     let router = Router::new().get("/", |_: Request| async { "Hello, World!" }).post("/count", count);
//!     let server = Server::bind("127.0.0.1:0").await?;
//!     server.with_graceful_shutdown(async { /* until Ctrl-C */ }).serve(router).await
//! })
//! # }
//! ```
//!
//! # Limits and non-goals
//!
//! No TLS, no HTTP/2, no upgrade, no client, no compression, no content negotiation. One transfer coding is spoken: chunked.
//! Trailers are checked and dropped. Header names and values of answers are checked, reason phrases can't be set.

#![forbid(unsafe_code)]

mod body;
mod config;
mod connection;
mod date;
mod encode;
mod handler;
mod headers;
mod method;
pub mod parse;
mod request;
mod response;
mod router;
mod server;
mod service;
mod status;
mod tcp;

pub use body::{Body, BodyError};
pub use config::Config;
pub use connection::{Connection, Transport};
pub use headers::Headers;
pub use method::Method;
pub use parse::Version;
pub use request::{Request, percent_decode};
pub use response::{IntoResponse, InvalidHeader, Response};
pub use router::Router;
pub use server::Server;
pub use service::Service;
pub use status::Status;
pub use tcp::TcpTransport;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
