//! Group `timer`, whole runtimes: `bench-timer CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::runtime::{Smol, TinyCoro, Tokio};
use tiny_coro_benches::timer::cases;

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |list| cases::<TinyCoro>(list)),
        ("tokio", |list| cases::<Tokio>(list)),
        ("smol", |list| cases::<Smol>(list)),
    ])
}
