//! Group `deque`: `bench-deque CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::deque::{Crossbeam, CrossbeamInjector, TinyCoro, TinyCoroInjector, deque_cases, injector_cases};

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |cases| {
            deque_cases::<TinyCoro>(cases);
            injector_cases::<TinyCoroInjector>(cases);
        }),
        ("crossbeam", |cases| {
            deque_cases::<Crossbeam>(cases);
            injector_cases::<CrossbeamInjector>(cases);
        }),
    ])
}
