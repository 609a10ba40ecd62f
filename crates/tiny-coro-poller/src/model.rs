//! Loom models of the wake-up (P3), whose flag is not visible from outside.
//!
//! `RUSTFLAGS="--cfg tiny_coro_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --profile loom -p tiny-coro-poller --lib`

use std::convert::Infallible;

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::wake_flag::WakeFlag;

/// Explores all schedules with up to five preemptions, whatever the environment says.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(5);
    builder.check(run);
}

/// A poller, as far as wakes go: the flag, and an edge-triggered counter as the kernel keeps it.
struct Poller {
    flag: WakeFlag,
    /// Signals that were sent and not yet consumed. The lock is the kernel's own, which orders a write before the wait
    /// that reports it.
    signals: Mutex<usize>,
    sent: Condvar,
}

impl Poller {
    fn new() -> Arc<Self> {
        Arc::new(Self { flag: WakeFlag::new(), signals: Mutex::new(0), sent: Condvar::new() })
    }

    fn wake(&self) {
        let signal = || {
            let mut signals = self.signals.lock().unwrap();
            *signals += 1;
            assert_eq!(*signals, 1, "one signal at most is on its way");
            self.sent.notify_one();
            Ok::<(), Infallible>(())
        };
        let Ok(()) = self.flag.wake(signal);
    }

    /// Waits without a timeout: loom reports a deadlock if no signal comes.
    fn wait(&self) {
        let mut signals = self.signals.lock().unwrap();
        while *signals == 0 {
            signals = self.sent.wait(signals).unwrap();
        }
        *signals -= 1;
        drop(signals);
        self.flag.lower();
    }

    fn pending(&self) -> usize {
        *self.signals.lock().unwrap()
    }
}

/// What a thread writes before its wake. To read it where that is not ordered is an error for loom.
#[derive(Default)]
struct Letter {
    content: UnsafeCell<usize>,
    /// Set after the wake. Relaxed: it says that the wake is over, and orders nothing.
    woke: AtomicUsize,
}

impl Letter {
    fn post(&self, poller: &Poller) {
        // SAFETY: one thread writes, and nobody reads before the wake that follows has been reported.
        self.content.with_mut(|content| unsafe { *content = 1 });
        poller.wake();
        self.woke.store(1, Relaxed);
    }

    fn woke(&self) -> bool {
        self.woke.load(Relaxed) == 1
    }

    fn read(&self) {
        // SAFETY: as in `post`; loom checks it.
        assert_eq!(self.content.with(|content| unsafe { *content }), 1);
    }
}

/// Starts a thread for each letter, which posts it.
fn post_all<const N: usize>(poller: &Arc<Poller>) -> (Arc<[Letter; N]>, [thread::JoinHandle<()>; N])
where
    [Letter; N]: Default,
{
    let letters: Arc<[Letter; N]> = Arc::default();
    let threads = std::array::from_fn(|index| {
        let (poller, letters) = (poller.clone(), letters.clone());
        thread::spawn(move || letters[index].post(&poller))
    });
    (letters, threads)
}

/// A wake before or during a wait ends it, and publishes.
#[test]
fn wake_ends_the_wait() {
    model(|| {
        let poller = Poller::new();
        let (letters, threads) = post_all::<1>(&poller);
        poller.wait();
        letters[0].read();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(poller.pending(), 0);
    });
}

/// Two threads wake: one signal may stand for both, and then publishes what both wrote.
#[test]
fn coalesced_wakes_publish_too() {
    model(|| {
        let poller = Poller::new();
        let (letters, threads) = post_all::<2>(&poller);
        poller.wait();
        // Once both have woken, either this wait stands for both, or a second signal is there.
        if letters.iter().all(Letter::woke) {
            if poller.pending() == 1 {
                poller.wait();
            }
            letters.iter().for_each(Letter::read);
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// What a coalesced wake wrote is seen without the help of the signal, which another thread has sent before.
#[test]
fn the_flag_alone_orders() {
    model(|| {
        let poller = Poller::new();
        poller.wake();
        let (letters, threads) = post_all::<1>(&poller);
        poller.wait();
        if letters[0].woke() && poller.pending() == 0 {
            letters[0].read();
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// The second of one thread's wakes comes while the first is being consumed: it ends this wait or the next.
#[test]
fn wake_against_consumption() {
    model(|| {
        let (poller, count) = (Poller::new(), Arc::new(AtomicUsize::new(0)));
        let waker = thread::spawn({
            let (poller, count) = (poller.clone(), count.clone());
            move || {
                for value in 1..=2 {
                    count.store(value, Relaxed);
                    poller.wake();
                }
            }
        });
        while count.load(Relaxed) < 2 {
            poller.wait();
        }
        waker.join().unwrap();
    });
}

/// Two threads wait, and whoever is woken wakes the next: a shutdown. None is left behind.
#[test]
fn each_signal_ends_one_wait() {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let (poller, left) = (Poller::new(), Arc::new(AtomicUsize::new(0)));
        let waiters = [(); 2].map(|()| {
            let (poller, left) = (poller.clone(), left.clone());
            thread::spawn(move || {
                poller.wait();
                left.fetch_add(1, Relaxed);
                poller.wake();
            })
        });
        poller.wake();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!((left.load(Relaxed), poller.pending()), (2, 1), "the last one's wake is for the next wait");
    });
}

/// A signal that could not be sent leaves the flag down: the next wake sends its own.
#[test]
fn a_failed_signal_is_tried_again() {
    model(|| {
        let poller = Poller::new();
        let failing = thread::spawn({
            let poller = poller.clone();
            move || poller.flag.wake(|| Err(())).is_err()
        });
        let failed = failing.join().unwrap();
        assert!(failed);
        poller.wake();
        poller.wait();
    });
}
