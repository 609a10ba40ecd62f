//! The connection state machine over a scripted transport with a virtual clock: no socket, no thread, no time passes.
#![cfg(not(tiny_coro_loom))]

mod bodies;
mod framing;
mod harness;
mod limits;
mod pipelining;
mod responses;
mod routing;
mod split;
