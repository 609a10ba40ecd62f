//! The examples as programs: started by their command line, talked to over the network, stopped by a signal.

#![cfg(all(unix, not(tiny_coro_loom)))]

mod http;
mod mini_redis;
mod network;
mod programs;
mod support;
