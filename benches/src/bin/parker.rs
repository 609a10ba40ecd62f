//! Group `parker`: `bench-parker CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::parker::{Crossbeam, OnParkingLot, OnStd, Parking, Std, TinyCoro, cases};

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |list| cases::<TinyCoro>(list)),
        ("ours_on_std", |list| cases::<OnStd>(list)),
        ("ours_on_parking_lot", |list| cases::<OnParkingLot>(list)),
        ("std", |list| cases::<Std>(list)),
        ("parking", |list| cases::<Parking>(list)),
        ("crossbeam", |list| cases::<Crossbeam>(list)),
    ])
}
