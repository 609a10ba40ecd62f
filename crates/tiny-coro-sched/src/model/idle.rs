//! Models of the idle protocol (I1 to I3) and of a worker's sleep (P1), each with a counter in the place of the queues: whatever is
//! kept, is kept by the protocol's own fences. `worker` has the same protocols with real queues.

use super::core;
use crate::idle::Idle;
use crate::park::{Place, Sleeper};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use tiny_coro_parker::{Parker, Unparker};

/// A runtime of which only queue, idle set and sleepers are left.
struct Model {
    idle: Idle,
    sleepers: Vec<Sleeper>,
    /// The length of the one queue. Relaxed: the protocol's fences must do.
    queue: AtomicUsize,
    /// Stands in for the poller's waker: a permit, like an event descriptor.
    driver: Unparker,
}

/// A worker's own side.
struct Own {
    parker: Parker,
    driver: Option<Parker>,
}

impl Model {
    fn new(workers: usize) -> (Arc<Self>, Vec<Own>) {
        Self::with_parallelism(workers, workers)
    }

    fn with_parallelism(workers: usize, parallelism: usize) -> (Arc<Self>, Vec<Own>) {
        let parkers: Vec<_> = (0..workers).map(|_| Parker::new()).collect();
        let driver = Parker::new();
        let model = Self {
            idle: Idle::new(workers, parallelism),
            sleepers: parkers.iter().map(Sleeper::new).collect(),
            queue: AtomicUsize::new(0),
            driver: driver.unparker(),
        };
        let mut driver = Some(driver);
        let own = parkers.into_iter().map(|parker| Own { parker, driver: driver.take() }).collect();
        (Arc::new(model), own)
    }

    fn notify_one(&self) {
        if let Some(worker) = self.idle.notify_one() {
            self.sleepers[worker].unpark(|| self.driver.unpark());
        }
    }

    fn push(&self) {
        self.queue.fetch_add(1, Ordering::Relaxed);
        self.notify_one();
    }

    fn take(&self) -> bool {
        self.queue.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |len| len.checked_sub(1)).is_ok()
    }

    fn has_work(&self) -> bool {
        self.queue.load(Ordering::Relaxed) > 0
    }

    /// The end of a search that found something, as in `Worker::run_task`.
    fn found(&self, searching: bool) {
        if searching && self.idle.end_search() {
            self.idle.look_again();
            if self.has_work() {
                self.notify_one();
            }
        }
    }

    /// As `Worker::park`. Returns whether the worker counts as searching.
    fn park(&self, worker: usize, own: &Own, searching: bool) -> bool {
        self.idle.park(worker, searching);
        self.idle.look_again();
        let sleeper = &self.sleepers[worker];
        if !self.has_work() {
            match &own.driver {
                Some(driver) if sleeper.prepare(Place::Driver) => {
                    driver.park();
                    sleeper.finish();
                }
                None if sleeper.prepare(Place::Parker) => {
                    while !sleeper.is_notified() {
                        own.parker.park();
                    }
                    sleeper.finish();
                }
                _ => {}
            }
        }
        self.idle.leave(worker)
    }

    /// A worker that takes one item, and then is busy for ever.
    fn take_one(&self, worker: usize, own: &Own) {
        let mut searching = false;
        loop {
            searching = searching || self.idle.begin_search();
            if self.take() {
                return self.found(searching);
            }
            searching = self.park(worker, own, searching);
        }
    }
}

/// I1: a push while the worker goes to sleep in its parker.
#[test]
fn push_against_park() {
    core(|| {
        let (model, mut own) = Model::new(2);
        let own = own.pop().unwrap();
        let worker = thread::spawn({
            let model = model.clone();
            move || model.take_one(1, &own)
        });
        model.push();
        worker.join().unwrap();
    });
}

/// I1: the same for the worker that sleeps in the poller.
#[test]
fn push_against_park_in_the_driver() {
    core(|| {
        let (model, mut own) = Model::new(2);
        let own = own.remove(0);
        let worker = thread::spawn({
            let model = model.clone();
            move || model.take_one(0, &own)
        });
        model.push();
        worker.join().unwrap();
    });
}

/// I1: a push at the limit, which one worker alone makes up that goes to sleep: that one sees it, or is woken.
#[test]
fn push_against_park_at_the_limit() {
    core(|| {
        let (model, mut own) = Model::with_parallelism(2, 1);
        let own = own.pop().unwrap();
        model.idle.park(0, false);
        let worker = thread::spawn({
            let model = model.clone();
            move || {
                while !model.take() {
                    model.park(1, &own, false); // the last to park is the one that a push chooses
                }
            }
        });
        model.push();
        worker.join().unwrap();
    });
}

/// I4: a push by a worker that blocks at the limit wakes nobody. The watch does, once it has looked.
#[test]
fn stuck_worker_at_the_limit() {
    core(|| {
        let (model, mut own) = Model::with_parallelism(2, 1);
        let own = own.pop().unwrap();
        let other = thread::spawn({
            let model = model.clone();
            move || model.take_one(1, &own)
        });
        model.push();
        while model.has_work() {
            model.idle.set_limit(1, true);
            model.notify_one();
            thread::yield_now();
        }
        other.join().unwrap();
    });
}

/// I1: a push that sees a searcher wakes nobody; the searcher that takes the first item hands the second on.
#[test]
fn last_searcher_hands_on() {
    loom::model(|| {
        let (model, mut own) = Model::new(2);
        let second = own.pop().unwrap();
        let first = own.pop().unwrap();
        model.queue.store(1, Ordering::Relaxed);
        let workers = [(0, first), (1, second)].map(|(index, own)| {
            let model = model.clone();
            thread::spawn(move || model.take_one(index, &own))
        });
        model.push();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// I1: what a searcher stole into its own deque is seen by the one that searches on, and goes to sleep: nobody else tells it.
#[test]
fn stolen_tasks_are_seen() {
    core(|| {
        let (model, mut own) = Model::new(4);
        let own = own.pop().unwrap();
        assert!(model.idle.begin_search() & model.idle.begin_search());
        let other = thread::spawn({
            let model = model.clone();
            move || {
                let mut searching = true;
                while !model.take() {
                    searching = model.park(3, &own, searching);
                }
            }
        });
        // Two stolen: one to run for ever, and this one.
        model.queue.store(1, Ordering::Relaxed);
        model.found(true);
        other.join().unwrap();
    });
}

/// I2, I3: a worker that wakes by itself while it is chosen is counted once, whoever comes first.
#[test]
fn idle_set_against_count() {
    core(|| {
        let idle = Arc::new(Idle::new(2, 2));
        idle.park(0, false);
        let notifier = thread::spawn({
            let idle = idle.clone();
            move || idle.notify_one()
        });
        let searching = idle.leave(0);
        let chosen = notifier.join().unwrap();
        assert_eq!(searching, chosen == Some(0));
        assert_eq!(idle.snapshot(), (0, usize::from(searching)));
    });
}

/// P1: an unpark ends the sleep under way, wherever it is, or prevents the next.
#[test]
fn unpark_against_either_sleep() {
    for place in [Place::Parker, Place::Driver] {
        core(move || {
            let (parker, driver) = (Parker::new(), Parker::new());
            let sleeper = Arc::new(Sleeper::new(&parker));
            let written = Arc::new(AtomicUsize::new(0));
            let unparker = driver.unparker();
            let other = thread::spawn({
                let (sleeper, written) = (sleeper.clone(), written.clone());
                move || {
                    written.store(1, Ordering::Relaxed);
                    sleeper.unpark(|| unparker.unpark());
                }
            });
            if sleeper.prepare(place) {
                match place {
                    Place::Driver => driver.park(),
                    Place::Parker => {
                        while !sleeper.is_notified() {
                            parker.park();
                        }
                    }
                }
                sleeper.finish();
            }
            assert_eq!(written.load(Ordering::Relaxed), 1, "the wake did not publish what came before it");
            other.join().unwrap();
        });
    }
}

/// I1, I3: two pushes at once wake the one sleeper once, and it finds both items.
#[test]
fn two_pushers_and_one_sleeper() {
    loom::model(|| {
        let (model, mut own) = Model::new(2);
        let own = own.pop().unwrap();
        let worker = thread::spawn({
            let model = model.clone();
            move || {
                model.take_one(1, &own);
                model.take_one(1, &own);
            }
        });
        let pusher = thread::spawn({
            let model = model.clone();
            move || model.push()
        });
        model.push();
        pusher.join().unwrap();
        worker.join().unwrap();
    });
}

/// I1, I3: with half the workers busy for ever two pushes and a searcher that hands on get the idle ones, one after the other.
#[test]
fn half_the_workers_busy() {
    core(|| {
        let idle = Arc::new(Idle::new(4, 4));
        idle.park(1, false);
        idle.park(3, false);
        let pusher = thread::spawn({
            let idle = idle.clone();
            move || idle.notify_one()
        });
        let here = idle.notify_one();
        let there = pusher.join().unwrap();
        let first = here.xor(there).expect("one of the two has chosen a worker");
        assert!(idle.end_search(), "it was the last to search");
        let second = idle.notify_one().expect("another one is parked");
        assert_eq!((first.min(second), first.max(second)), (1, 3));
        assert_eq!(idle.notify_one(), None, "the busy ones are not woken");
    });
}

/// I2, I3: of two pushes at once one chooses the sleeper: the other sees a searcher, or an empty list.
#[test]
fn two_pushes_choose_one_sleeper() {
    core(|| {
        let idle = Arc::new(Idle::new(2, 2));
        idle.park(0, false);
        let notifier = thread::spawn({
            let idle = idle.clone();
            move || idle.notify_one()
        });
        let here = idle.notify_one();
        let there = notifier.join().unwrap();
        assert_eq!(here.xor(there), Some(0), "chosen by {here:?} and {there:?}");
        assert_eq!(idle.snapshot(), (0, 1));
    });
}

/// I2: two workers that park and leave at once are counted as they are listed.
#[test]
fn two_workers_park_and_leave() {
    core(|| {
        let idle = Arc::new(Idle::new(2, 2));
        let other = thread::spawn({
            let idle = idle.clone();
            move || {
                idle.park(1, idle.begin_search());
                idle.leave(1)
            }
        });
        idle.park(0, idle.begin_search());
        assert!(!idle.leave(0) & !other.join().unwrap(), "nobody was chosen");
        assert_eq!(idle.snapshot(), (0, 0));
        assert!(idle.is_anybody_awake());
    });
}

/// P1: an unpark that comes before the sleep prevents one sleep, not two.
#[test]
fn unpark_is_consumed_once() {
    for place in [Place::Parker, Place::Driver] {
        core(move || {
            let parker = Parker::new();
            let sleeper = Arc::new(Sleeper::new(&parker));
            let other = thread::spawn({
                let sleeper = sleeper.clone();
                move || sleeper.unpark(|| {})
            });
            let slept = sleeper.prepare(place);
            if slept {
                sleeper.finish();
            }
            other.join().unwrap();
            // What came after `finish` prevents the next sleep; what came before it was consumed there.
            let again = sleeper.prepare(place);
            assert!(slept | again);
            sleeper.finish();
            assert!(sleeper.prepare(place), "one unpark ended two sleeps");
        });
    }
}

/// P1: a permit that comes late, when the sleep it was meant for is over, does not end the next one.
#[test]
fn a_late_permit_is_no_unpark() {
    core(|| {
        let parker = Parker::new();
        let sleeper = Arc::new(Sleeper::new(&parker));
        let written = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let (sleeper, written) = (sleeper.clone(), written.clone());
            move || {
                sleeper.unpark(|| {});
                written.store(1, Ordering::Relaxed);
                sleeper.unpark(|| {});
            }
        });
        let mut slept = 0;
        // The second unpark may find the first not consumed yet: then one sleep answers both.
        while written.load(Ordering::Relaxed) == 0 && slept < 2 {
            if sleeper.prepare(Place::Parker) {
                while !sleeper.is_notified() {
                    parker.park();
                }
                sleeper.finish();
            }
            slept += 1;
        }
        other.join().unwrap();
    });
}
