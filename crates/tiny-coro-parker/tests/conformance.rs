//! What a parker promises, on every backend, with and without looking at the word before it sleeps.
//!
//! `native` is the backend that the features of this build choose.

#![cfg(not(tiny_coro_loom))]

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use tiny_coro_parker::backend::{Backend, Native, ParkingLot, Slept, Std};
use tiny_coro_parker::{Parker, Unparker};

/// The watchdog: far beyond what any of the tests takes.
const LONG: Duration = Duration::from_secs(60);

/// Makes a module of the tests for each backend.
macro_rules! suite {
    ($tests:tt $($(#[$cfg:meta])? $name:ident: $make:expr;)*) => {
        $($(#[$cfg])? mod $name { suite!(@ $tests $make); })*
    };
    (@ { $($(#[$cfg:meta])? $test:ident;)* } $make:expr) => {
        use super::*;
        $(
            $(#[$cfg])?
            #[test]
            fn $test() {
                super::$test($make);
            }
        )*
    };
}

suite! {
    {
        permits_do_not_add_up;
        every_way_of_parking_takes_a_permit_that_is_there;
        a_deadline_is_never_early;
        endless_timeouts_end_by_unparking;
        unparkers_outlive_their_parker;
        a_waker_unparks;
        handles_know_their_parker;
        every_unpark_is_seen;
        #[cfg(target_os = "linux")]
        signals_are_not_permits;
        #[cfg(target_os = "linux")]
        a_sleeper_does_not_run;
    }
    native: Parker::new;
    spinning: || Parker::new().with_spin(100);
    standard: || Parker::with_backend(Std::default());
    parking_lot: || Parker::with_backend(ParkingLot::default());
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    futex: || Parker::with_backend(tiny_coro_parker::backend::Futex);
    interrupted: || Parker::with_backend(Interrupted::<Native>::default());
}

/// All of its looks would take from ten seconds to minutes. (On a single processor there are none.)
#[test]
fn looking_ends_at_the_deadline() {
    let (parker, begin) = (Parker::new().with_spin(u32::MAX), Instant::now());
    assert!(!parker.park_timeout(Duration::from_millis(1)));
    assert!(!parker.park_until(Instant::now() + Duration::from_millis(1)));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

/// Every other sleep ends before it has begun: by a signal (EINTR), or because the word has just changed (EAGAIN).
#[derive(Debug, Default)]
struct Interrupted<B>(B, AtomicBool);

impl<B: Backend> Backend for Interrupted<B> {
    fn sleep(&self, word: &AtomicU32, value: u32) {
        if !self.1.fetch_not(Ordering::Relaxed) {
            self.0.sleep(word, value);
        }
    }

    fn sleep_until(&self, word: &AtomicU32, value: u32, deadline: Instant) -> Slept {
        if self.1.fetch_not(Ordering::Relaxed) {
            return Slept::LookAgain;
        }
        self.0.sleep_until(word, value, deadline)
    }

    fn wake(&self, word: &AtomicU32) {
        self.0.wake(word);
    }
}

/// K1: two permits are one, and a taken one is gone.
fn permits_do_not_add_up<B: Backend>(make: fn() -> Parker<B>) {
    let parker = make();
    let unparker = parker.unparker();
    for _ in 0..3 {
        unparker.unpark();
        unparker.unpark();
        parker.unpark();
        parker.park();
        assert!(!parker.park_timeout(Duration::ZERO));
        assert!(!parker.park_timeout(Duration::from_micros(10)));
        assert!(!parker.park_until(Instant::now()));
    }
}

/// K1.
fn every_way_of_parking_takes_a_permit_that_is_there<B: Backend>(make: fn() -> Parker<B>) {
    let parker = make();
    let ways: [fn(&Parker<B>) -> bool; 7] = [
        |parker| {
            parker.park();
            true
        },
        |parker| parker.park_timeout(Duration::ZERO),
        |parker| parker.park_timeout(LONG),
        |parker| parker.park_timeout(Duration::MAX),
        |parker| parker.park_until(Instant::now() + LONG),
        |parker| parker.park_until(Instant::now()),
        |parker| parker.park_until(Instant::now().checked_sub(Duration::from_millis(1)).unwrap()),
    ];
    for way in ways {
        parker.unparker().unpark();
        assert!(way(&parker));
        assert!(!parker.park_timeout(Duration::ZERO));
    }
}

/// Rounded up, if at all; none that is zero or past sleeps.
fn a_deadline_is_never_early<B: Backend>(make: fn() -> Parker<B>) {
    let parker = make();
    for timeout in [0, 1, 999, 1_000, 70_000, 999_999, 3_000_001].map(Duration::from_nanos) {
        let start = Instant::now();
        assert!(!parker.park_timeout(timeout));
        assert!(start.elapsed() >= timeout);
        let deadline = Instant::now() + timeout;
        assert!(!parker.park_until(deadline));
        assert!(Instant::now() >= deadline);
        assert!(!parker.park_until(deadline), "it has passed");
    }
}

/// Timeouts beyond the clock, and beyond what the OS takes, end by the permit.
fn endless_timeouts_end_by_unparking<B: Backend>(make: fn() -> Parker<B>) {
    for timeout in [Duration::MAX, Duration::from_secs(1 << 40), Duration::from_secs(u64::from(u32::MAX))] {
        let parker = make();
        let unparker = parker.unparker();
        let (started, start) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            started.send(()).unwrap();
            assert!(parker.park_timeout(timeout));
        });
        start.recv_timeout(LONG).unwrap();
        unparker.unpark();
        sleeper.join().unwrap();
    }
}

fn unparkers_outlive_their_parker<B: Backend>(make: fn() -> Parker<B>) {
    let parker = make();
    let unparker = parker.unparker();
    drop(parker);
    unparker.clone().unpark();
    thread::spawn(move || unparker.unpark()).join().unwrap();
    // And beside threads that unpark it at that moment.
    for _ in 0..50 {
        let (parker, stop) = (make(), AtomicBool::new(false));
        thread::scope(|scope| {
            for unparker in [parker.unparker(), parker.unparker()] {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        unparker.unpark();
                        thread::yield_now();
                    }
                });
            }
            assert!(parker.park_timeout(LONG));
            drop(parker);
            stop.store(true, Ordering::Relaxed);
        });
    }
}

fn a_waker_unparks<B: Backend>(make: fn() -> Parker<B>) {
    let parker = make();
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

fn handles_know_their_parker<B: Backend>(make: fn() -> Parker<B>) {
    fn sides<P: Send + UnwindSafe + RefUnwindSafe, U: Send + Sync + Clone + UnwindSafe + RefUnwindSafe>(_: &P, _: &U) {}
    let (parker, stranger) = (make(), make());
    let unparker = parker.unparker();
    sides(&parker, &unparker);
    assert!(unparker.will_unpark(&parker) && !unparker.will_unpark(&stranger));
    assert!(unparker.same_parker(&parker.unparker()) && !unparker.same_parker(&stranger.unparker()));
    assert!(format!("{parker:?}").contains("empty"));
    unparker.unpark();
    assert!(format!("{unparker:?}").contains("notified"));
}

/// K1, K3, K4: many granters, one taker that also times out all the time: everything announced is seen.
fn every_unpark_is_seen<B: Backend>(make: fn() -> Parker<B>) {
    const THREADS: u64 = 4;
    const EACH: u64 = 2_000;
    let (parker, announced) = (make(), std::sync::atomic::AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (unparker, announced) = (parker.unparker(), &announced);
            scope.spawn(move || {
                for _ in 0..EACH {
                    announced.fetch_add(1, Ordering::Relaxed);
                    unparker.unpark();
                }
            });
        }
        let (mut seen, mut timed_out) = (0, false);
        while seen < THREADS * EACH {
            // After a time-out without news the next park has to end by a permit.
            let timeout = if timed_out { LONG } else { Duration::from_micros(seen % 3) };
            let permit = parker.park_timeout(timeout);
            assert!(permit || !timed_out, "a permit was lost: {seen} seen");
            timed_out = !permit;
            if permit {
                seen = announced.load(Ordering::Relaxed);
            }
        }
    });
}

/// K1: signals interrupt the sleep (EINTR: the handler does not ask for a restart), and are no permits and no deadlines.
#[cfg(target_os = "linux")]
fn signals_are_not_permits<B: Backend>(make: fn() -> Parker<B>) {
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
    let (parker, deadline) = (make(), Instant::now() + LONG);
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
        let (start, timeout) = (Instant::now(), Duration::from_millis(5));
        assert!(!parker.park_timeout(timeout));
        assert!(start.elapsed() >= timeout);
        woken.send(()).unwrap();
    });
    let thread = this.recv_timeout(LONG).unwrap();
    let signal = || {
        assert!(Instant::now() < deadline, "stuck");
        // SAFETY: the thread is not joined yet.
        assert_eq!(unsafe { libc::pthread_kill(thread, libc::SIGUSR1) }, 0);
        thread::yield_now();
    };
    for _ in 0..2 {
        // The counter is shared with the other backends' runs of this test: it says only that signals do arrive.
        let start = SIGNALS.load(Ordering::Relaxed);
        while SIGNALS.load(Ordering::Relaxed) < start + 50 {
            signal();
        }
        assert_eq!(wakes.try_recv(), Err(mpsc::TryRecvError::Empty), "parked until now");
        unparker.unpark();
        wakes.recv_timeout(LONG).unwrap();
    }
    while wakes.try_recv().is_err() {
        signal();
    }
    sleeper.join().unwrap();
}

/// Neither a deadline that is near nor one beyond the kernel's range keeps the processor busy.
#[cfg(target_os = "linux")]
fn a_sleeper_does_not_run<B: Backend>(make: fn() -> Parker<B>) {
    fn processor_time() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the clock exists, and `time` may be written.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
        Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
    }
    const SLEEP: Duration = Duration::from_millis(40);
    let parker = make();
    let unparker = parker.unparker();
    let start = processor_time();
    assert!(!parker.park_timeout(SLEEP));
    thread::scope(|scope| {
        scope.spawn(move || {
            let alarm = Parker::new();
            assert!(!alarm.park_timeout(SLEEP));
            unparker.unpark();
        });
        assert!(parker.park_timeout(Duration::from_secs(1 << 40)));
    });
    assert!(processor_time() - start < SLEEP, "slept for twice as long");
}

/// `unpark` on the futex is one swap and one system call that touches no `errno`: a signal handler may call it, even one that
/// has interrupted the owner.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn a_signal_handler_unparks() {
    use std::sync::OnceLock;
    use tiny_coro_parker::backend::Futex;
    static UNPARKER: OnceLock<Unparker<Futex>> = OnceLock::new();
    extern "C" fn unpark(_: libc::c_int) {
        UNPARKER.get().expect("set before the first signal").unpark();
    }
    let parker = Parker::with_backend(Futex);
    assert!(UNPARKER.set(parker.unparker()).is_ok());
    // SAFETY: the handler reads a cell that is set, and unparks by an atomic operation and a system call.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = unpark as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()), 0);
    }
    let (ready, owner) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        // SAFETY: no arguments.
        ready.send(unsafe { libc::pthread_self() }).unwrap();
        assert!(parker.park_timeout(LONG));
    });
    let thread = owner.recv_timeout(LONG).unwrap();
    // SAFETY: the thread is not joined yet.
    assert_eq!(unsafe { libc::pthread_kill(thread, libc::SIGUSR2) }, 0);
    sleeper.join().unwrap();
}
