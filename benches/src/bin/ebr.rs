//! Group `ebr`: `bench-ebr CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::ebr::{Crossbeam, TinyCoro, cases};

fn main() -> ExitCode {
    child::run(&[("tiny-coro", |list| cases::<TinyCoro>(list)), ("crossbeam", |list| cases::<Crossbeam>(list))])
}
