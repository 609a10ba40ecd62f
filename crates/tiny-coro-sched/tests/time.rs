#![cfg(not(tiny_coro_loom))]
//! Time, on a clock that stands still but for the test.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tiny_coro_sched::time::{
    Duration, Instant, MissedTickBehavior, advance, interval, interval_at, pause, resume, sleep, sleep_until, timeout,
    timeout_at,
};
use tiny_coro_sched::{Builder, spawn, spawn_blocking, yield_now};

mod common;
use common::{runtime, watched};

const HOUR: Duration = Duration::from_secs(3600);

/// Runs `body` with a clock that stands.
fn paused<F: Future<Output = ()>>(body: impl Fn() -> F + Send + 'static) {
    watched(move || {
        let runtime = Builder::new_current_thread().start_paused(true).build().unwrap();
        runtime.block_on(body());
    });
}

/// A sleep of an hour takes none, and ends at its deadline to the nanosecond; timers fire in the order of their deadlines.
#[test]
fn a_stopped_clock_goes_to_the_next_deadline() {
    paused(|| async {
        let (start, order) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let tasks: Vec<_> = [3, 1, 2]
            .map(|hours| {
                let order = order.clone();
                spawn(async move {
                    sleep(HOUR * hours).await;
                    assert_eq!(start.elapsed(), HOUR * hours);
                    order.lock().unwrap().push(hours);
                })
            })
            .into();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
    });
}

/// The clock of a runtime with several threads can't be stopped, and the message says what to do.
#[test]
fn only_one_thread_stops_the_clock() {
    let panicked = watched(|| runtime(2).block_on(spawn_and_join(async { pause() })));
    assert!(panicked.contains("new_current_thread"), "{panicked}");
}

async fn spawn_and_join(future: impl Future<Output = ()> + Send + 'static) -> String {
    spawn(future).await.unwrap_err().to_string()
}

/// `advance` moves the clock by just that, and wakes what it passes.
#[test]
fn advance_moves_the_clock() {
    watched(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            pause();
            let start = Instant::now();
            let slept = spawn(async { sleep(Duration::from_millis(5)).await });
            yield_now().await;
            advance(Duration::from_millis(4)).await;
            assert_eq!(start.elapsed(), Duration::from_millis(4));
            assert!(!slept.is_finished());
            advance(Duration::from_millis(1)).await;
            slept.await.unwrap();
            assert_eq!(start.elapsed(), Duration::from_millis(5));
            resume();
            sleep(Duration::from_millis(1)).await;
            assert!(start.elapsed() >= Duration::from_millis(6));
        });
    });
}

/// A blocking closure holds the stopped clock.
#[test]
fn a_blocking_closure_holds_the_clock() {
    paused(|| async {
        let start = Instant::now();
        let answer = timeout(HOUR, spawn_blocking(|| std::thread::sleep(Duration::from_millis(20)))).await;
        assert!(answer.is_ok(), "the clock has run away");
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

/// A future that is ready wins against a deadline that has passed; one that is not loses at the deadline.
#[test]
fn timeouts() {
    paused(|| async {
        let start = Instant::now();
        assert_eq!(timeout(Duration::ZERO, async { 1 }).await, Ok(1));
        assert!(timeout(HOUR, pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), HOUR);
        assert!(timeout_at(start + HOUR * 3, sleep_until(start + HOUR * 2)).await.is_ok());
        assert_eq!(start.elapsed(), HOUR * 2);
        let far = timeout(Duration::MAX, sleep(HOUR)).await;
        assert_eq!((far, start.elapsed()), (Ok(()), HOUR * 3));
    });
}

/// How many timers are set after the first poll of two time-outs in a task: one whose future waits, and one whose future gives way if `wakes`.
/// They are polled with the task's own waker, or with another.
async fn timers_after_one_poll(wakes: bool, own_waker: bool) -> usize {
    let timers = || tiny_coro_reactor::Reactor::current().unwrap().sleeps();
    let task = spawn(async move {
        let task = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let polled_with = if own_waker { &task } else { Waker::noop() };
        let gives_way = poll_fn(|_| {
            if wakes {
                task.wake_by_ref();
            }
            Poll::<()>::Pending
        });
        let (mut waits, mut gives_way) = (pin!(timeout(HOUR, pending::<()>())), pin!(timeout(HOUR, gives_way)));
        let mut cx = Context::from_waker(polled_with);
        assert!(waits.as_mut().poll(&mut cx).is_pending());
        assert!(gives_way.as_mut().poll(&mut cx).is_pending());
        let after_one = timers();
        assert!(gives_way.as_mut().poll(&mut cx).is_pending());
        assert_eq!(timers(), 2, "the second poll sets the timer");
        after_one
    });
    task.await.unwrap()
}

/// A time-out around a future that gives way sets its timer in its second poll, if it comes to that; one that waits sets it at once, and so
/// does one that was polled with another waker than the task's, since it may have been somebody else who was woken.
#[test]
fn a_timeout_that_gives_way_sets_its_timer_late() {
    paused(|| async {
        assert_eq!(timers_after_one_poll(true, true).await, 1);
        assert_eq!(timers_after_one_poll(false, true).await, 2);
        assert_eq!(timers_after_one_poll(true, false).await, 2);
        // However often it gives way, its time ends.
        let start = Instant::now();
        let endless = async {
            loop {
                advance(HOUR / 10).await;
                yield_now().await;
            }
        };
        assert!(spawn(timeout(HOUR, endless)).await.unwrap().is_err());
        assert!(start.elapsed() <= HOUR + HOUR / 10);
    });
}

/// The deadline of a shutdown is one of the operating system's clock, also while a blocking closure keeps the runtime's from moving.
#[test]
fn shutdown_sees_its_deadline_beside_a_stopped_clock() {
    watched(|| {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let runtime = Builder::new_current_thread().start_paused(true).build().unwrap();
        let task = runtime.spawn(async { sleep(HOUR).await });
        runtime.spawn_blocking(move || wait.recv()).detach();
        let report = runtime.shutdown(std::time::Instant::now() + Duration::from_millis(30));
        assert!(!report.is_clean());
        drop((task, release));
    });
}

/// The table of `MissedTickBehavior`: a period of 10, and the tick due at 10 is taken at 35.
#[test]
fn missed_ticks() {
    let unit = Duration::from_millis(1);
    let table = [
        (MissedTickBehavior::Burst, [35, 35, 35, 40, 50]),
        (MissedTickBehavior::Delay, [35, 45, 55, 65, 75]),
        (MissedTickBehavior::Skip, [35, 40, 50, 60, 70]),
    ];
    for (behavior, expected) in table {
        paused(move || async move {
            let start = Instant::now();
            let mut ticks = interval(unit * 10);
            ticks.set_missed_tick_behavior(behavior);
            assert_eq!(ticks.tick().await, start);
            sleep(unit * 35).await;
            let mut taken = Vec::new();
            for _ in 0..5 {
                ticks.tick().await;
                taken.push(start.elapsed().as_millis());
            }
            assert_eq!(taken, expected, "{behavior:?}");
        });
    }
}

/// Ticks say when they were due, and `reset*` moves the next one.
#[test]
fn intervals_can_be_moved() {
    paused(|| async {
        let start = Instant::now();
        let mut ticks = interval_at(start + HOUR, HOUR * 2);
        assert_eq!(ticks.tick().await, start + HOUR);
        assert_eq!(ticks.tick().await, start + HOUR * 3);
        ticks.reset_after(Duration::from_secs(1));
        assert_eq!(ticks.tick().await, start + HOUR * 3 + Duration::from_secs(1));
        ticks.reset_immediately();
        ticks.tick().await;
        assert_eq!(start.elapsed(), HOUR * 3 + Duration::from_secs(1));
        ticks.reset_at(start + HOUR * 4);
        assert_eq!(ticks.tick().await, start + HOUR * 4);
        ticks.reset();
        assert_eq!(ticks.tick().await, start + HOUR * 6);
    });
}
