//! tiny-coro-timer: the default, and both backends by name.

use tiny_coro_timer as ours;

use super::TimerQueue;

/// Implements the trait for a backend: all of them have the same methods.
macro_rules! backend {
    ($(#[$doc:meta])* $name:ident, $queue:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name($queue);

        impl TimerQueue for $name {
            type Key = ours::Key;

            fn new() -> Self {
                $name(<$queue>::new())
            }

            fn insert(&mut self, deadline: u64, value: u32) -> ours::Key {
                self.0.insert(deadline, value)
            }

            fn cancel(&mut self, key: ours::Key) {
                self.0.cancel(key);
            }

            fn expire(&mut self, now: u64, fired: impl FnMut(u32)) {
                self.0.expire(now, fired);
            }
        }
    };
}

backend!(
    /// `tiny_coro_timer::TimerQueue`: whichever backend is the default.
    TinyCoro,
    ours::TimerQueue<u32>
);

backend!(
    /// `tiny_coro_timer::heap::TimerQueue`.
    Heap,
    ours::heap::TimerQueue<u32>
);

backend!(
    /// `tiny_coro_timer::wheel::TimerQueue`.
    Wheel,
    ours::wheel::TimerQueue<u32>
);
