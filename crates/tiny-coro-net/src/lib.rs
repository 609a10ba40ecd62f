//! TCP sockets whose operations are futures.
//!
//! A socket here is a non-blocking one of the operating system plus its registration with the current thread's reactor. An
//! operation is tried when the socket is known to be ready; otherwise the task waits for an event. The error of a system call
//! is taken as an [`io::Result`](std::io::Result) right there, on the thread that made the call.
//!
//! # Vocabulary
//!
//! * [`TcpListener`] accepts connections, [`TcpStream`] is one.
//! * A *half* is one direction of a connection: borrowed ([`ReadHalf`], [`WriteHalf`]) for one task, owned
//!   ([`OwnedReadHalf`], [`OwnedWriteHalf`]) for two.
//!
//! # How readiness is used
//!
//! ```text
//!   poll_ready ──▶ recv ──▶ all that fits      stay ready: there may be more
//!                      ├──▶ less than fits     not ready: the next read waits for an event
//!                      ├──▶ WouldBlock         not ready: wait, then again
//!                      └──▶ 0 or error         stay ready: there is no further event
//! ```
//!
//! A request that fits the buffer thus costs one `recv` and no second one that only says `WouldBlock`.
//!
//! | ID | always true | kept by |
//! |----|-------------|---------|
//! | N1 | after a short transfer the readiness is cleared only if no event came meanwhile | the reactor's R2 |
//! | N2 | after the peer's end of stream the readiness stays: a later read sees the end at once | `poll_transfer` |
//! | N3 | a write to a closed connection is an error, not a signal | `MSG_NOSIGNAL`, or `SO_NOSIGPIPE` where there is none |
//! | N4 | a reader and a writer of one connection do not disturb each other | one waiter per direction, the reactor's R3 |
//!
//! # Example
//!
//! ```
//! # tiny_coro_sched::Runtime::new()?.block_on(async {
//! use tiny_coro_net::{TcpListener, TcpStream};
//! use tiny_coro_sched::spawn;
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let server = spawn(async move {
//!     let (mut connection, _) = listener.accept().await?;
//!     let mut buffer = [0; 64];
//!     loop {
//!         match connection.read(&mut buffer).await? {
//!             0 => return Ok::<_, std::io::Error>(()),
//!             count => connection.write_all(&buffer[..count]).await?,
//!         }
//!     }
//! });
//! let mut client = TcpStream::connect(address).await?;
//! client.write_all(b"echo").await?;
//! let mut answer = [0; 4];
//! client.read_exact(&mut answer).await?;
//! assert_eq!(&answer, b"echo");
//! drop(client);
//! server.await??;
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limits and non-goals
//!
//! One waiting task per direction of a socket. Urgent data (TCP's out-of-band mark) is not supported: a peer that sends it
//! may stall its own connection. Names are looked up by the operating system, on the blocking pool. TCP only
//! so far: no UDP, no Unix sockets, no TLS.

mod addr;
mod listener;
mod split;
mod stream;
mod transfer;

pub use addr::ToSocketAddrs;
pub use listener::{BACKLOG, Incoming, TcpListener};
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
pub use stream::TcpStream;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
