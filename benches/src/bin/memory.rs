//! Group `memory`, whole runtimes: `bench-memory CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::memory::cases;
use tiny_coro_benches::runtime::{Smol, TinyCoro, Tokio};

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |list| cases::<TinyCoro>(list)),
        ("tokio", |list| cases::<Tokio>(list)),
        ("smol", |list| cases::<Smol>(list)),
    ])
}
