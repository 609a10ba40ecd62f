//! Every system: `parking_lot`'s mutex and condition variable.

use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::Slept;
use super::monitor::Monitor;

/// Sleeps on `parking_lot`'s mutex and condition variable: no allocation and no lock of the system where that has one.
#[derive(Debug, Default)]
pub struct ParkingLot {
    inside: Mutex<()>,
    woken: Condvar,
}

impl Monitor for ParkingLot {
    type Guard<'a> = MutexGuard<'a, ()>;

    fn enter(&self) -> MutexGuard<'_, ()> {
        self.inside.lock()
    }

    fn wait<'a>(&'a self, mut guard: MutexGuard<'a, ()>) {
        self.woken.wait(&mut guard);
    }

    fn wait_until<'a>(&'a self, mut guard: MutexGuard<'a, ()>, deadline: Instant) -> Slept {
        if Instant::now() >= deadline {
            return Slept::DeadlinePassed;
        }
        // Not even a time-out is taken at its word: the next look at the clock tells.
        let _ = self.woken.wait_until(&mut guard, deadline);
        Slept::LookAgain
    }

    fn notify(&self) {
        self.woken.notify_one();
    }
}
