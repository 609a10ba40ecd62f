//! Group `timer`, the queues alone: `bench-timer-queues CONTENDER CASE`.

use std::process::ExitCode;

use tiny_coro_benches::child;
use tiny_coro_benches::timer_queues::{BTree, DelayQueue, Heap, TinyCoro, Tombstones, Wheel, cases};

fn main() -> ExitCode {
    child::run(&[
        ("tiny-coro", |list| cases::<TinyCoro>(list)),
        ("heap", |list| cases::<Heap>(list)),
        ("wheel", |list| cases::<Wheel>(list)),
        ("DelayQueue", |list| cases::<DelayQueue>(list)),
        ("BTreeMap", |list| cases::<BTree>(list)),
        ("BinaryHeap", |list| cases::<Tombstones>(list)),
    ])
}
