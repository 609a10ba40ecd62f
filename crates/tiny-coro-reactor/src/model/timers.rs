//! Timers: who sets one against the thread that goes to sleep; firing against cancelling, resetting and shutting down.

use super::{Count, core};
use crate::alarm::{Alarm, NEVER};
use crate::clock::Clock;
use crate::queue::{Inserted, Queue, Timer};
use crate::sleep::Sleep;
use crate::timers::Timers;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use tiny_coro_poller::Poller;
use tiny_coro_timer::Key;

/// A deadline that the real clock does not come to while a model runs, and two about it.
const DEADLINE: u64 = 1 << 60;
const BEFORE: u64 = DEADLINE - 1;
const AFTER: u64 = DEADLINE + 1;

/// An alarm, its queues, and the poller's wake flag.
struct Night {
    alarm: Alarm,
    queues: Vec<Queue>,
    rung: AtomicBool,
}

impl Night {
    fn new(queues: usize) -> Arc<Self> {
        Self::with_slack(queues, 0)
    }

    fn with_slack(queues: usize, slack: u64) -> Arc<Self> {
        let queues = (0..queues).map(|_| Queue::new()).collect();
        Arc::new(Self { alarm: Alarm::new(slack), queues, rung: AtomicBool::new(false) })
    }

    /// As a first poll of a sleep does it.
    fn insert(&self, queue: usize, deadline: u64) -> Key {
        let Ok(Inserted { key, first }) = self.queues[queue].insert(deadline, Waker::noop().clone()) else {
            panic!("the queue is open");
        };
        self.ring_if(first, deadline);
        key
    }

    fn ring_if(&self, lowered: bool, deadline: u64) {
        if lowered && self.alarm.must_ring(deadline) {
            self.rung.swap(true, Ordering::Release);
        }
    }

    fn go_to_sleep(&self, limit: u64) -> u64 {
        let until = self.alarm.go_to_sleep(self.queues.iter(), limit);
        self.alarm.sleep_longer(until, limit)
    }

    /// The end of a wait.
    fn wake_up(&self) {
        self.rung.swap(false, Ordering::Acquire);
        self.alarm.wake_up();
    }

    /// Whether who sleeps until `until` is awake by `deadline`.
    fn is_awake_by(&self, deadline: u64, until: u64) -> bool {
        until <= deadline || self.rung.load(Ordering::Acquire)
    }
}

/// R6: the thread that goes to sleep sees the deadline, or is woken for it.
#[test]
fn insert_against_going_to_sleep() {
    core(|| {
        let night = Night::new(1);
        let setting = thread::spawn({
            let night = night.clone();
            move || {
                night.insert(0, DEADLINE);
            }
        });
        let until = night.go_to_sleep(NEVER);
        setting.join().unwrap();
        assert!(night.is_awake_by(DEADLINE, until), "sleeps through a deadline");
    });
}

/// R6: with timers that fire meanwhile, the one that is set is late by the slack at most.
#[test]
fn insert_against_going_to_sleep_with_slack() {
    const SLACK: u64 = 1 << 10;
    core(|| {
        let night = Night::with_slack(1, SLACK);
        let setting = thread::spawn({
            let night = night.clone();
            move || {
                night.insert(0, DEADLINE);
            }
        });
        let firing = thread::spawn({
            let night = night.clone();
            move || night.alarm.fired(BEFORE)
        });
        let until = night.go_to_sleep(NEVER);
        setting.join().unwrap();
        firing.join().unwrap();
        assert!(night.is_awake_by(BEFORE + SLACK, until), "sleeps through the slack");
        assert!(until >= DEADLINE);
    });
}

/// R6: with a shard for each of two threads that set timers, and a limit between the two deadlines.
#[test]
fn two_shards_against_going_to_sleep() {
    core(|| {
        let night = Night::new(2);
        let setting = [(0, BEFORE), (1, AFTER)].map(|(queue, deadline)| {
            let night = night.clone();
            thread::spawn(move || {
                night.insert(queue, deadline);
            })
        });
        let until = night.go_to_sleep(DEADLINE);
        setting.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(night.is_awake_by(BEFORE, until), "sleeps through a deadline");
    });
}

/// R5, R6: a cancelled timer has left a bound that is too low. A later deadline does not lower it, and is not missed.
#[test]
fn low_bound_hides_no_deadline() {
    core(|| {
        let night = Night::new(1);
        let key = night.insert(0, BEFORE);
        assert!(night.queues[0].cancel(key).is_some());
        let setting = thread::spawn({
            let night = night.clone();
            move || {
                night.insert(0, DEADLINE);
            }
        });
        let until = night.go_to_sleep(NEVER);
        setting.join().unwrap();
        assert!(night.is_awake_by(DEADLINE, until), "sleeps through a deadline");
        assert!(until >= BEFORE);
    });
}

/// R6: an announcement of an earlier sleep is not taken for that of the next.
#[test]
fn second_sleep_sees_what_the_first_was_not_rung_for() {
    core(|| {
        let night = Night::new(1);
        let setting = thread::spawn({
            let night = night.clone();
            move || {
                night.insert(0, DEADLINE);
            }
        });
        night.go_to_sleep(BEFORE);
        night.wake_up();
        let until = night.go_to_sleep(NEVER);
        setting.join().unwrap();
        assert!(night.is_awake_by(DEADLINE, until), "sleeps through a deadline");
    });
}

/// R6: moving a deadline forward is like setting one.
#[test]
fn reset_against_going_to_sleep() {
    core(|| {
        let night = Night::new(1);
        let key = night.insert(0, AFTER);
        let moving = thread::spawn({
            let night = night.clone();
            move || {
                let (timer, lowered) = night.queues[0].reset(key, BEFORE);
                assert_eq!(timer, Timer::Waits);
                night.ring_if(lowered, BEFORE);
            }
        });
        let until = night.go_to_sleep(NEVER);
        moving.join().unwrap();
        assert!(night.is_awake_by(BEFORE, until), "sleeps through a deadline");
    });
}

/// R5: raising the bound after a timer has fired does not hide one that is set meanwhile.
#[test]
fn bound_is_never_above_a_deadline() {
    core(|| {
        let night = Night::new(1);
        night.insert(0, BEFORE);
        let setting = thread::spawn({
            let night = night.clone();
            move || {
                night.insert(0, DEADLINE);
            }
        });
        let mut woken = Vec::new();
        night.queues[0].expire(BEFORE, &mut woken);
        setting.join().unwrap();
        assert_eq!(woken.len(), 1);
        assert!(night.queues[0].earliest() <= DEADLINE);
        night.queues[0].expire(DEADLINE, &mut woken);
        assert_eq!((woken.len(), night.queues[0].len()), (2, 0));
    });
}

/// R5: who reads the bound above its own deadline, without the lock, has no timer any more, whatever is set and fires meanwhile.
#[test]
fn bound_above_a_deadline_means_over() {
    core(|| {
        let night = Night::new(1);
        let key = night.insert(0, BEFORE);
        let turning = thread::spawn({
            let night = night.clone();
            move || {
                let mut woken = Vec::new();
                night.queues[0].expire(BEFORE, &mut woken);
                woken.len()
            }
        });
        let other = thread::spawn({
            let night = night.clone();
            move || {
                night.insert(0, AFTER);
            }
        });
        if night.queues[0].look(key, BEFORE, Waker::noop()) == Timer::Over {
            assert!(night.queues[0].cancel(key).is_none(), "it had not fired");
        }
        other.join().unwrap();
        assert_eq!(turning.join().unwrap(), 1);
        assert_eq!(night.queues[0].look(key, BEFORE, Waker::noop()), Timer::Over);
    });
}

/// R8: the thread that finds the clock released finds the wake that came before, and does not let the clock jump past it.
#[test]
fn released_work_has_sent_its_wakes() {
    core(|| {
        let clock = Arc::new(Clock::new());
        let notified = Arc::new(AtomicBool::new(false));
        clock.hold();
        let working = thread::spawn({
            let (clock, notified) = (clock.clone(), notified.clone());
            move || {
                notified.store(true, Ordering::Relaxed);
                let _ = clock.release();
            }
        });
        let held = clock.is_held();
        assert!(held || notified.load(Ordering::Relaxed), "the clock jumps past a wake");
        working.join().unwrap();
    });
}

/// R7: a timer fires or is cancelled, and its waker is handed out once.
#[test]
fn fire_against_cancel() {
    core(|| {
        let night = Night::new(1);
        let key = night.insert(0, DEADLINE);
        let firing = thread::spawn({
            let night = night.clone();
            move || {
                let mut woken = Vec::new();
                night.queues[0].expire(AFTER, &mut woken);
                woken.len()
            }
        });
        let cancelled = night.queues[0].cancel(key).is_some();
        assert_eq!(firing.join().unwrap() + usize::from(cancelled), 1);
        assert_eq!(night.queues[0].len(), 0);
    });
}

thread_local! {
    /// Only its waker is needed; the model checker does not see it.
    static POLLER: Poller = Poller::new().expect("a descriptor for a poller");
}

fn timers() -> Arc<Timers> {
    Arc::new(Timers::new(1, POLLER.with(Poller::waker)))
}

fn sleep(timers: &Timers) -> Sleep {
    Sleep::at(timers.shard(0).clone(), timers.hub.clock.instant(DEADLINE))
}

fn poll(sleep: &mut Sleep, waker: &Waker) -> bool {
    Pin::new(sleep).poll(&mut Context::from_waker(waker)).is_ready()
}

/// Fires all up to `now`, on another thread.
fn fire(timers: &Arc<Timers>, now: u64) -> thread::JoinHandle<()> {
    let timers = timers.clone();
    thread::spawn(move || wake(|woken| timers.shard(0).queue.expire(now, woken)))
}

fn wake(take: impl FnOnce(&mut Vec<Waker>)) {
    let mut woken = Vec::new();
    take(&mut woken);
    woken.into_iter().for_each(Waker::wake);
}

/// R7: a sleep that has moved to another task wakes that one, or is found over by it.
#[test]
fn fire_against_new_waker() {
    core(|| {
        let timers = timers();
        let mut sleep = sleep(&timers);
        let [(_, first), (count, second)] = [Count::new(), Count::new()];
        assert!(!poll(&mut sleep, &first));
        let firing = fire(&timers, AFTER);
        let over = poll(&mut sleep, &second);
        firing.join().unwrap();
        assert!(over || count.get() == 1, "sleeps for ever");
        assert!(poll(&mut sleep, &second));
    });
}

/// R7: a sleep that is moved while it fires has the new deadline, and wakes its task for it.
#[test]
fn fire_against_reset() {
    core(|| {
        let timers = timers();
        let mut sleep = sleep(&timers);
        let (count, waker) = Count::new();
        assert!(!poll(&mut sleep, &waker));
        let firing = fire(&timers, DEADLINE);
        Pin::new(&mut sleep).reset(timers.hub.clock.instant(AFTER));
        firing.join().unwrap();
        assert!(!poll(&mut sleep, &waker), "over before its deadline");
        let before = count.get();
        wake(|woken| timers.shard(0).queue.expire(AFTER, woken));
        assert_eq!(count.get(), before + 1, "sleeps for ever");
        assert!(poll(&mut sleep, &waker));
    });
}

/// R7: a sleep that is dropped while it fires leaves no waker behind.
#[test]
fn fire_against_drop() {
    core(|| {
        let timers = timers();
        let mut sleep = sleep(&timers);
        let (count, waker) = Count::new();
        assert!(!poll(&mut sleep, &waker));
        drop(waker);
        let firing = fire(&timers, AFTER);
        drop(sleep);
        firing.join().unwrap();
        assert!(count.get() <= 1);
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker stayed behind");
        assert_eq!(timers.len(), 0);
    });
}

/// R7: a sleep that is first polled while its reactor shuts down is over, or woken.
#[test]
fn shutdown_against_insert() {
    core(|| {
        let timers = timers();
        let mut sleep = sleep(&timers);
        let (count, waker) = Count::new();
        let ending = thread::spawn({
            let timers = timers.clone();
            move || wake(|woken| timers.shut(|_, waker| woken.push(waker)))
        });
        let over = poll(&mut sleep, &waker);
        ending.join().unwrap();
        assert!(over || count.get() == 1, "sleeps for ever");
        assert!(poll(&mut sleep, &waker));
        assert_eq!(timers.len(), 0);
    });
}
