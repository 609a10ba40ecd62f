//! Group `sync`: `bench-sync CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::runtime::{Smol, TinyCoro, Tokio};
use tiny_coro_benches::sync::{
    AsyncChannel, AsyncLock, Flume, Kanal, OurChannel, OurMutex, TokioMpsc, TokioMutex, channel_cases, mutex_cases,
    rendezvous_cases,
};

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |list| {
            channel_cases::<TinyCoro, OurChannel>(list);
            rendezvous_cases::<TinyCoro, OurChannel>(list);
            mutex_cases::<TinyCoro, OurMutex>(list);
        }),
        ("tokio", |list| {
            channel_cases::<Tokio, TokioMpsc>(list);
            mutex_cases::<Tokio, TokioMutex>(list);
        }),
        ("smol", |list| {
            channel_cases::<Smol, AsyncChannel>(list);
            mutex_cases::<Smol, AsyncLock>(list);
        }),
        ("kanal", |list| {
            channel_cases::<Tokio, Kanal>(list);
            rendezvous_cases::<Tokio, Kanal>(list);
        }),
        // What is left of the difference when the executor is the same.
        ("kanal_on_ours", |list| {
            channel_cases::<TinyCoro, Kanal>(list);
            rendezvous_cases::<TinyCoro, Kanal>(list);
        }),
        ("flume", |list| {
            channel_cases::<Tokio, Flume>(list);
            rendezvous_cases::<Tokio, Flume>(list);
        }),
    ])
}
