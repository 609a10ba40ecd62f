//! Poller and timers to wakers: readiness per direction, sleeps
