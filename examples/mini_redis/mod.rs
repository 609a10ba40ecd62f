//! A Redis that can be read in an afternoon: RESP2, strings, lists, sets, hashes, sorted sets and expiry, on as many
//! workers as there are cores.
//!
//! ```text
//!  socket ──▶ buffer ──▶ resp::Parser ──▶ commands::execute ──▶ resp::Reply ──▶ buffer ──▶ socket
//!             server::    slices of        one function          one write for all
//!             connection  the buffer       a command             answers of a batch
//!                                             │
//!                                             ▼
//!                                  store: 16 databases × 64 locked shards ◀── server::sweeper
//! ```
//!
//! Everything but `server` is free of I/O, and tested without it. Limits: 512 MiB an argument, 1,048,576 arguments
//! and 1 GiB a request, 64 KiB an inline request; no persistence, no replication, no scripts, no RESP3.

mod commands;
mod resp;
mod server;
mod store;

pub use server::serve;
