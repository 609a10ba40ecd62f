//! tokio's wheel, as tokio-util hands it out.

use std::fmt;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::time::{Instant, advance};
use tokio_util::time::delay_queue::{self, DelayQueue as Theirs};

use super::TimerQueue;

/// `tokio_util::time::DelayQueue` on a paused clock.
pub struct DelayQueue {
    queue: Theirs<u32>,
    begin: Instant,
    now: u64,
    runtime: &'static Runtime,
    /// The queue looks for the runtime's clock whenever it is used. To enter once costs less than each time.
    _entered: EnterGuard<'static>,
}

impl TimerQueue for DelayQueue {
    type Key = delay_queue::Key;

    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        // The process ends soon.
        let runtime: &Runtime = Box::leak(Box::new(runtime.expect("a runtime without threads and sockets starts")));
        let entered = runtime.enter();
        DelayQueue { queue: Theirs::new(), begin: Instant::now(), now: 0, runtime, _entered: entered }
    }

    fn insert(&mut self, deadline: u64, value: u32) -> Self::Key {
        self.queue.insert_at(value, self.begin + Duration::from_nanos(deadline))
    }

    fn cancel(&mut self, key: Self::Key) {
        self.queue.remove(&key);
    }

    fn expire(&mut self, now: u64, mut fired: impl FnMut(u32)) {
        self.runtime.block_on(advance(Duration::from_nanos(now - self.now)));
        self.now = now;
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(expired)) = self.queue.poll_expired(&mut context) {
            fired(expired.into_inner());
        }
    }
}

impl fmt::Debug for DelayQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayQueue").field("now", &self.now).finish_non_exhaustive()
    }
}
