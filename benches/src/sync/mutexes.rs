//! The locks.

use super::Mutex;

/// Implements the trait for a lock that has an async `lock` method.
macro_rules! mutex {
    ($(#[$doc:meta])* $name:ident, $mutex:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name($mutex);

        impl Mutex for $name {
            fn new() -> Self {
                $name(<$mutex>::new(0))
            }

            async fn add_one(&self) -> usize {
                let mut number = self.0.lock().await;
                *number += 1;
                *number
            }
        }
    };
}

mutex!(
    /// tiny-coro-sync.
    OurMutex,
    tiny_coro::sync::Mutex<usize>
);

mutex!(
    /// `tokio::sync::Mutex`.
    TokioMutex,
    tokio::sync::Mutex<usize>
);

mutex!(
    /// async-lock, of the smol family.
    AsyncLock,
    async_lock::Mutex<usize>
);
