//! Loom models of the two protocols, which are not visible from outside: readiness and waiters (R1 to R3), timers (R5 to R8).
//!
//! `RUSTFLAGS="--cfg tiny_coro_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --profile loom -p tiny-coro-reactor --lib`

mod sources;
mod timers;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

/// Counts wakes. The model checker need not know of it: it is read when all threads have ended.
#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }

    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// Runs a model of a core protocol with at least five preemptions.
fn core(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(5));
    builder.check(model);
}
