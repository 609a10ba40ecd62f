//! Groups `sched` and `scaling`: `bench-sched CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::runtime::{Smol, TinyCoro, Tokio};
use tiny_coro_benches::sched::{cases, oneshot_cases};

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |list| {
            cases::<TinyCoro>(list);
            oneshot_cases::<TinyCoro>(list);
        }),
        ("tokio", |list| {
            cases::<Tokio>(list);
            oneshot_cases::<Tokio>(list);
        }),
        ("smol", |list| cases::<Smol>(list)),
    ])
}
