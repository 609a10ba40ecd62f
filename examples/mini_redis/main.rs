//! A server that speaks to `redis-cli`, `redis-benchmark` and every Redis client: what a real protocol, pipelining
//! and shared state look like on tiny-coro.
//!
//! ```text
//! cargo run --release --example mini_redis
//! redis-benchmark -q -n 100000
//! ```

use std::process::ExitCode;

use tiny_coro::net::TcpListener;
use tiny_coro_examples::{cli, mini_redis, run};

const USAGE: &str = "
A small Redis: strings, lists, sets, hashes, sorted sets and expiry, in memory.

Usage: mini_redis [--addr 127.0.0.1:6379] [--workers N]

  --addr ADDRESS   where to listen
  --workers N      how many worker threads; one a core unless given";

fn main() -> ExitCode {
    let options = cli::Server::on_port(6379).parse(USAGE);
    run(options.workers, async move {
        let listener = TcpListener::bind(options.address).await?;
        let address = listener.local_addr()?;
        println!("mini_redis listens on {address}: redis-cli -h {} -p {}", address.ip(), address.port());
        tiny_coro::spawn(mini_redis::serve(listener)).await??;
        Ok(())
    })
}
