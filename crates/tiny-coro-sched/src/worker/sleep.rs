//! Sleeping, in the poller or in the parker, and what a turn of the reactor brings.

use super::Worker;
use crate::panic::quietly;
use crate::park::Place;
use std::io;
use std::task::Waker;
use tiny_coro_reactor::Turn;

/// How many tasks a sleeping worker's deque has room for: more than that belonged to a burst.
const KEPT: usize = 4096;

impl Worker {
    /// Sleeps until there may be a task. The protocol is that of the `idle` page.
    pub(super) fn park(&self, is_main_woken: impl Fn() -> bool) {
        if self.deque.capacity() > KEPT {
            // Before it looks: what this frees may run code of users, which may wake tasks, and take long. Until then it does not search.
            self.end_search();
            self.deque.shrink_to(KEPT);
        }
        self.shared.shards[self.index].waiting.shrink();
        let idle = &self.shared.idle;
        idle.park(self.index, self.searching.replace(false));
        idle.look_again();
        let has_work = self.shared.has_work() && !idle.is_anybody_searching();
        if has_work || self.shared.is_shutting_down() || is_main_woken() {
            self.searching.set(idle.leave(self.index));
        } else {
            self.counters().parks.add(1);
            self.sleep();
        }
        // Also after a park that was called off: meanwhile the watch may have seen nobody awake (W1).
        self.shared.watch.worker_woke();
    }

    fn sleep(&self) {
        let sleeper = &self.remote().sleeper;
        match self.shared.reactor.try_lock() {
            Some(turn) => {
                if sleeper.prepare(Place::Driver) {
                    let woken = self.turn(turn, |turn, woken| turn.wait(None, woken));
                    sleeper.finish();
                    self.searching.set(self.shared.idle.leave(self.index));
                    // The first of them is this worker's next.
                    return self.wake_all(woken, 1);
                }
            }
            None => {
                if sleeper.prepare(Place::Parker) {
                    while !sleeper.is_notified() {
                        self.parker.park();
                    }
                    sleeper.finish();
                }
            }
        }
        self.searching.set(self.shared.idle.leave(self.index));
        self.expire_own(1);
    }

    /// Asks for events without waiting; only the clock, and for its own timers, while another worker has the reactor.
    pub(super) fn poll_driver(&self) {
        match self.shared.reactor.try_lock() {
            Some(turn) => {
                let woken = self.turn(turn, |turn, woken| turn.poll(self.index, woken));
                self.wake_all(woken, 0);
            }
            None => self.expire_own(0),
        }
    }

    fn expire_own(&self, own: usize) {
        let mut woken = self.woken.take();
        self.shared.reactor.expire_shard(self.index, &mut woken);
        self.wake_all(woken, own);
    }

    fn turn(
        &self,
        mut turn: Turn<'_>,
        how: impl FnOnce(&mut Turn<'_>, &mut Vec<Waker>) -> io::Result<()>,
    ) -> Vec<Waker> {
        self.counters().driver_polls.add(1);
        let mut woken = self.woken.take();
        if let Err(error) = how(&mut turn, &mut woken) {
            // Only a descriptor that is not a poller, or a bad buffer, is answered with an error other than EINTR.
            debug_assert!(false, "the poller failed: {error}");
        }
        woken
    }

    /// Wakes what a turn has brought, after the turn is given up: a wake may take long. Wakes another worker if the deque has
    /// more than `own` tasks, which this one will run itself.
    fn wake_all(&self, mut woken: Vec<Waker>, own: usize) {
        if !woken.is_empty() {
            let outer = self.in_driver.replace(true);
            for waker in woken.drain(..) {
                // A waker of another executor may panic: the other wakes must not be lost with it.
                quietly(|| waker.wake());
            }
            self.in_driver.set(outer);
            if self.deque.len() > own {
                self.notify_one();
            }
        }
        self.woken.set(woken);
    }
}
