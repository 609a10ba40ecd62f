//! What a parker promises, on every backend.

#![cfg(not(tiny_coro_loom))]

use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_parker::{Parker, Unparker};

/// The watchdog: far beyond what any of the tests takes.
const LONG: Duration = Duration::from_secs(60);

/// K1: two permits are one, and a taken one is gone.
#[test]
fn permits_do_not_add_up() {
    let parker = Parker::default();
    let unparker = parker.unparker();
    for _ in 0..3 {
        unparker.unpark();
        unparker.unpark();
        parker.park();
        assert!(!parker.park_timeout(Duration::ZERO));
        assert!(!parker.park_timeout(Duration::from_micros(10)));
        assert!(!parker.park_until(Instant::now()));
    }
}

#[test]
fn every_way_of_parking_takes_a_permit_that_is_there() {
    let parker = Parker::new();
    let ways: [fn(&Parker) -> bool; 6] = [
        |parker| {
            parker.park();
            true
        },
        |parker| parker.park_timeout(Duration::ZERO),
        |parker| parker.park_timeout(LONG),
        |parker| parker.park_timeout(Duration::MAX),
        |parker| parker.park_until(Instant::now() + LONG),
        |parker| parker.park_until(Instant::now()),
    ];
    for way in ways {
        parker.unparker().unpark();
        assert!(way(&parker));
        assert!(!parker.park_timeout(Duration::ZERO));
    }
}

#[test]
fn a_deadline_is_never_early() {
    let parker = Parker::new();
    for timeout in [Duration::from_nanos(1), Duration::from_micros(70), Duration::from_millis(3)] {
        let start = Instant::now();
        assert!(!parker.park_timeout(timeout));
        assert!(start.elapsed() >= timeout);
        let deadline = Instant::now() + timeout;
        assert!(!parker.park_until(deadline));
        assert!(Instant::now() >= deadline);
    }
}

/// Timeouts beyond the clock, and beyond what the OS takes, end by the permit.
#[test]
fn endless_timeouts_end_by_unparking() {
    for timeout in [Duration::MAX, Duration::from_secs(1 << 40), Duration::from_secs(u64::from(u32::MAX))] {
        let parker = Parker::new();
        let unparker = parker.unparker();
        let (started, start) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            started.send(()).unwrap();
            assert!(parker.park_timeout(timeout));
        });
        start.recv().unwrap();
        unparker.unpark();
        sleeper.join().unwrap();
    }
}

#[test]
fn unparkers_outlive_their_parker() {
    let parker = Parker::new();
    let (unparker, stranger) = (parker.unparker(), Parker::new().unparker());
    assert!(unparker.same_parker(&parker.unparker()) && !unparker.same_parker(&stranger));
    drop(parker);
    unparker.clone().unpark();
    unparker.unpark();
    stranger.unpark();
}

#[test]
fn a_waker_unparks() {
    let parker = Parker::new();
    let waker = Waker::from(parker.unparker());
    assert!(waker.will_wake(&waker.clone()));
    waker.wake_by_ref();
    assert!(parker.park_timeout(LONG));
    let wakers = [waker.clone(), waker];
    thread::scope(|scope| {
        for waker in wakers {
            scope.spawn(|| waker.wake());
        }
        assert!(parker.park_timeout(LONG));
    });
}

/// K1: signals interrupt the sleep, and are no permits.
#[test]
#[cfg(target_os = "linux")]
fn signals_are_not_permits() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static SIGNALS: AtomicU32 = AtomicU32::new(0);
    extern "C" fn count(_: libc::c_int) {
        SIGNALS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler makes one atomic addition, which is safe at any time; zero is a valid set of flags and an empty mask.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
    }
    let (parker, deadline) = (Parker::new(), Instant::now() + LONG);
    let unparker = parker.unparker();
    let (id, this) = mpsc::channel();
    let (woken, wakes) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        // SAFETY: no arguments.
        id.send(unsafe { libc::pthread_self() }).unwrap();
        parker.park();
        woken.send(()).unwrap();
        assert!(parker.park_timeout(LONG));
        woken.send(()).unwrap();
    });
    let thread = this.recv().unwrap();
    for round in 1..=2 {
        while SIGNALS.load(Ordering::Relaxed) < 50 * round {
            assert!(Instant::now() < deadline, "signals do not arrive");
            // SAFETY: the thread is not joined yet.
            unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
            thread::yield_now();
        }
        assert_eq!(wakes.try_recv(), Err(mpsc::TryRecvError::Empty), "parked until now");
        unparker.unpark();
        wakes.recv().unwrap();
    }
    sleeper.join().unwrap();
}

#[test]
fn parkers_move_and_unparkers_are_shared() {
    fn send<X: Send + std::fmt::Debug>() {}
    fn sync<X: Sync + Clone>() {}
    send::<Parker>();
    send::<Unparker>();
    sync::<Unparker>();
}
