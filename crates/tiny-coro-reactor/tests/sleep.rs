#![cfg(not(tiny_coro_loom))]
//! Sleeps: never early, in order, cancelled on drop, noticed by a thread that sleeps already; and the shards.

mod common;

use common::{Count, Turning, block_on, poll_once, turn_until, watched};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use std::{future::Future, io::ErrorKind};
use tiny_coro_reactor::{Direction, MAX_TIMER_SLACK, Reactor, Sleep, Source, Waiting, sleep, sleep_until};

const HOUR: Duration = Duration::from_secs(3600);

fn poll(mut sleep: Pin<&mut Sleep>) -> Poll<()> {
    poll_once(&mut sleep)
}

/// S9: in the ancestor a deadline was floored to a millisecond, and the last one was a busy loop.
#[test]
fn s9_a_sleep_is_never_early_and_takes_few_turns() {
    let reactor = Reactor::new().unwrap();
    for micros in [1, 300, 999, 1_500, 2_700] {
        let deadline = Instant::now() + Duration::from_micros(micros);
        let mut sleep = pin!(reactor.sleep_until(deadline));
        let mut turns = 0;
        while poll(sleep.as_mut()).is_pending() {
            reactor.turn(None).unwrap();
            turns += 1;
        }
        assert!(Instant::now() >= deadline);
        assert!(turns <= 2, "{turns} turns for {micros} µs");
    }
}

/// S9: a sleep that is dropped is out of the queue.
#[test]
fn s9_dropping_a_sleep_cancels_it() {
    let reactor = Reactor::new().unwrap();
    let mut sleeps: Vec<_> = (0..1000).map(|_| Box::pin(reactor.sleep(HOUR))).collect();
    assert!(sleeps.iter_mut().all(|sleep| poll(sleep.as_mut()).is_pending()));
    assert_eq!(reactor.sleeps(), 1000);
    sleeps.truncate(1);
    assert_eq!(reactor.sleeps(), 1);
    drop(sleeps);
    assert_eq!(reactor.sleeps(), 0);
}

/// R6: a thread that turns the reactor without a limit hears of a deadline that comes later, whatever its shard.
#[test]
fn an_earlier_deadline_wakes_the_sleeping_thread() {
    let reactor = Reactor::with_timer_shards(3).unwrap();
    for shard in 0..3 {
        let (done, ended) = mpsc::channel();
        let turning = thread::spawn({
            let reactor = reactor.clone();
            move || {
                while reactor.turn(None).unwrap() == 0 {}
                done.send(()).unwrap();
            }
        });
        let _entered = reactor.enter_shard(shard);
        let mut sleep = pin!(sleep(Duration::from_millis(5)).unwrap());
        assert!(poll(sleep.as_mut()).is_pending());
        ended.recv_timeout(common::LIMIT).expect("the thread slept on");
        turning.join().unwrap();
        assert!(poll(sleep.as_mut()).is_ready());
    }
}

#[test]
fn notify_ends_a_turn_also_when_it_comes_first() {
    let reactor = Reactor::new().unwrap();
    reactor.notify();
    assert_eq!(reactor.turn(None).unwrap(), 0);
}

#[test]
fn reset_moves_the_deadline_both_ways() {
    let reactor = Reactor::new().unwrap();
    let now = Instant::now();
    let mut sleep = pin!(reactor.sleep_until(now + HOUR));
    assert!(poll(sleep.as_mut()).is_pending());
    sleep.as_mut().reset(now);
    assert!(poll(sleep.as_mut()).is_ready());
    assert!(poll(sleep.as_mut()).is_ready(), "it stays over");
    sleep.as_mut().reset(now + HOUR);
    assert!(poll(sleep.as_mut()).is_pending());
    assert_eq!(reactor.sleeps(), 1);
    assert_eq!(sleep.deadline(), now + HOUR);
}

/// A reset takes effect without a further poll.
#[test]
fn reset_of_a_waiting_sleep_wakes_its_task() {
    let reactor = Reactor::new().unwrap();
    let (count, waker) = Count::new();
    let mut sleep = pin!(reactor.sleep(HOUR));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    sleep.as_mut().reset(Instant::now());
    turn_until(&reactor, &count, 1);
    assert!(poll(sleep).is_ready());
}

/// A deadline that no clock reaches is accepted, and waits; so is one in the past, and is over.
#[test]
fn far_deadlines_wait_and_past_ones_are_over() {
    let before = Instant::now();
    let reactor = Reactor::new().unwrap();
    let far = before.checked_add(Duration::from_secs(86400 * 365 * 200)).unwrap_or_else(Instant::now);
    let mut sleeps = [Box::pin(reactor.sleep_until(far)), Box::pin(reactor.sleep(Duration::MAX))];
    assert!(sleeps.iter_mut().all(|sleep| poll(sleep.as_mut()).is_pending()));
    reactor.turn(Some(Duration::from_millis(1))).unwrap();
    assert!(sleeps.iter_mut().all(|sleep| poll(sleep.as_mut()).is_pending() && !sleep.is_elapsed()));
    assert!(poll(pin!(reactor.sleep_until(before))).is_ready());
    assert!(poll(pin!(reactor.sleep(Duration::ZERO))).is_ready());
    assert_eq!(reactor.sleeps(), 2);
}

#[test]
fn without_a_reactor_a_sleep_is_an_error() {
    assert_eq!(sleep(HOUR).unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(sleep_until(Instant::now()).unwrap_err().kind(), ErrorKind::NotConnected);
}

/// A sleep goes where it likes: made on one thread, polled on another, dropped on a third.
#[test]
fn sleep_moves_between_threads() {
    let reactor = Reactor::with_timer_shards(2).unwrap();
    let _entered = reactor.enter_shard(0);
    let mut sleep = Box::pin(sleep(HOUR).unwrap());
    let polled = thread::scope(|scope| {
        scope
            .spawn(|| {
                let _entered = reactor.enter_shard(1);
                assert!(poll(sleep.as_mut()).is_pending());
                sleep
            })
            .join()
            .unwrap()
    });
    assert_eq!(reactor.sleeps(), 1);
    thread::spawn(move || drop(polled)).join().unwrap();
    assert_eq!(reactor.sleeps(), 0);
}

/// R5: the hint is never after the first deadline, and exact after a turn that was to wait.
#[test]
fn hint_is_a_bound_on_the_first_deadline() {
    let reactor = Reactor::with_timer_shards(4).unwrap();
    assert_eq!(reactor.next_deadline_hint(), None);
    reactor.pause();
    let start = reactor.now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut sleeps = Vec::new();
    for (shard, seconds) in [(0, 50), (1, 30), (2, 40), (1, 60)] {
        let _entered = reactor.enter_shard(shard);
        sleeps.push(Box::pin(reactor.sleep_until(at(seconds))));
        assert!(poll(sleeps.last_mut().unwrap().as_mut()).is_pending());
    }
    assert_eq!(reactor.next_deadline_hint(), Some(at(30)));
    drop(sleeps.remove(1));
    assert!(reactor.next_deadline_hint() <= Some(at(40)));
    for _ in 0..2 {
        reactor.turn(Some(Duration::from_secs(35))).unwrap(); // the first hears of the pause
    }
    assert_eq!(reactor.now(), at(35));
    assert_eq!(reactor.next_deadline_hint(), Some(at(40)));
}

/// A timer fires for whoever asks, also beside a thread that has the turn.
#[test]
fn expire_needs_no_turn() {
    let reactor = Reactor::with_timer_shards(2).unwrap();
    let turn = reactor.try_lock().expect("nobody turns it");
    let mut sleep = pin!(reactor.sleep(Duration::from_nanos(1)));
    assert!(poll(sleep.as_mut()).is_pending());
    let start = Instant::now();
    let mut woken = Vec::new();
    while woken.is_empty() {
        assert!(start.elapsed() < common::LIMIT, "it does not fire");
        reactor.expire(&mut woken);
    }
    assert!(poll(sleep).is_ready());
    drop(turn);
}

/// Timers of the next instants wait for one another: two turns take them all, however the machine is loaded.
#[test]
fn timers_soon_after_others_fire_together() {
    let reactor = Reactor::new().unwrap();
    reactor.set_timer_slack(Duration::from_millis(100));
    let mut sleeps: Vec<_> = (1..=20).map(|n| Box::pin(reactor.sleep(Duration::from_millis(n)))).collect();
    sleeps.iter_mut().for_each(|sleep| assert!(poll(sleep.as_mut()).is_pending()));
    let mut turns = 0;
    while reactor.sleeps() > 0 {
        turns += usize::from(reactor.turn(None).unwrap() > 0);
    }
    assert!(turns <= 2, "{turns} turns");
    // The slack lengthens no wait that has a limit.
    reactor.set_timer_slack(HOUR);
    assert_eq!(reactor.timer_slack(), MAX_TIMER_SLACK);
    let mut last = pin!(reactor.sleep(Duration::from_secs(30)));
    assert!(poll(last.as_mut()).is_pending());
    assert_eq!(reactor.turn(Some(Duration::from_millis(1))).unwrap(), 0);
    // Nor does it hold up a clock that stands.
    reactor.pause();
    let start = reactor.now();
    for nanos in [10, 20] {
        let mut sleep = pin!(reactor.sleep_until(start + Duration::from_nanos(nanos)));
        while poll(sleep.as_mut()).is_pending() {
            reactor.turn(None).unwrap();
        }
        assert_eq!(reactor.now(), start + Duration::from_nanos(nanos));
    }
}

/// Who only asks in passing leaves the timers of other shards to their threads, until they are overdue.
#[test]
fn a_poll_takes_its_own_timers_and_what_is_overdue() {
    let reactor = Reactor::with_timer_shards(3).unwrap();
    reactor.set_timer_slack(MAX_TIMER_SLACK);
    let mut sleeps = Vec::new();
    for shard in 0..3 {
        let _entered = reactor.enter_shard(shard);
        sleeps.push(Box::pin(reactor.sleep(Duration::from_nanos(1))));
        assert!(poll(sleeps[shard].as_mut()).is_pending());
    }
    thread::sleep(Duration::from_millis(2));
    let mut woken = Vec::new();
    let ask = |own, woken: &mut Vec<Waker>| reactor.try_lock().expect("nobody turns it").poll(own, woken).unwrap();
    ask(0, &mut woken);
    assert_eq!((woken.len(), reactor.sleeps()), (1, 2));
    reactor.expire_shard(1, &mut woken);
    assert_eq!((woken.len(), reactor.sleeps()), (2, 1));
    ask(1, &mut woken);
    assert_eq!(reactor.sleeps(), 1);
    reactor.set_timer_slack(Duration::from_millis(1));
    ask(1, &mut woken);
    assert_eq!((woken.len(), reactor.sleeps()), (3, 0));
    assert!(sleeps.iter_mut().all(|sleep| poll(sleep.as_mut()).is_ready()));
}

#[test]
fn shutdown_completes_sleeps_and_those_that_come_later() {
    let reactor = Reactor::with_timer_shards(2).unwrap();
    let (count, waker) = Count::new();
    let mut sleeps: Vec<_> = (0..2)
        .map(|shard| {
            let _entered = reactor.enter_shard(shard);
            Box::pin(reactor.sleep(HOUR))
        })
        .collect();
    for sleep in &mut sleeps {
        assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    reactor.shutdown();
    assert_eq!(count.get(), 2);
    assert!(sleeps.iter_mut().all(|sleep| poll(sleep.as_mut()).is_ready()));
    assert!(poll(pin!(reactor.sleep(HOUR))).is_ready());
}

/// Who ends a reactor can ask who was waiting, and for what.
#[test]
fn shutdown_tells_what_was_waited_for() {
    let reactor = Reactor::with_timer_shards(2).unwrap();
    reactor.pause();
    let (ours, _theirs) = common::streams();
    let stream = Source::with_reactor(ours, &reactor).unwrap();
    let fd = stream.as_fd().as_raw_fd();
    let [(slept, sleeper), (read, reader)] = [Count::new(), Count::new()];
    let mut sleep = pin!(reactor.sleep(HOUR));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&sleeper)).is_pending());
    assert!(stream.poll_read_ready(&mut Context::from_waker(&reader)).is_pending());
    let mut visited = Vec::new();
    reactor.shutdown_with(|waiting, waker| visited.push((waiting, waker)));
    let expected = [(Waiting::Readable(fd), reader), (Waiting::Deadline(HOUR), sleeper)];
    assert_eq!((slept.get(), read.get(), visited.len()), (0, 0, 2));
    assert!(expected.iter().zip(&visited).all(|(a, b)| a.0 == b.0 && a.1.will_wake(&b.1)), "{visited:?}");
    assert_eq!(visited[1].0.to_string(), "a deadline in 3600.0s");
    assert!(poll(sleep).is_ready() && stream.try_io(Direction::Read, |_| Ok(())).is_err());
}

/// Nobody can turn a reactor that has no handle left: its sleeps complete rather than wait for ever.
#[test]
fn last_handle_completes_the_sleeps() {
    let reactor = Reactor::new().unwrap();
    let (count, waker) = Count::new();
    let mut sleep = pin!(reactor.sleep(HOUR));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(reactor);
    assert_eq!(count.get(), 1);
    assert!(poll(sleep).is_ready());
}

/// A waker is its executor's code: one that panics takes no wake from the others.
#[test]
fn panicking_waker_takes_no_wake_from_the_others() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let reactor = Reactor::new().unwrap();
    let (count, waker) = Count::new();
    let wakers = [waker.clone(), Arc::new(Panics).into(), waker];
    let mut sleeps = wakers.each_ref().map(|_| Box::pin(reactor.sleep(Duration::from_micros(1))));
    for (sleep, waker) in sleeps.iter_mut().zip(&wakers) {
        assert!(sleep.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    thread::sleep(Duration::from_millis(1)); // all three are due in one turn
    let panic = catch_unwind(AssertUnwindSafe(|| reactor.turn(None))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"in a waker"));
    assert_eq!(count.get(), 2);
}

/// R5 to R7 under load: threads that set, move, cancel and await sleeps on their shards while another turns. Each sleep that is
/// awaited ends, none is early, and nothing is left.
#[test]
fn storm() {
    const THREADS: usize = 4;
    watched(|| {
        let reactor = Reactor::with_timer_shards(THREADS).unwrap();
        let turning = Turning::new(&reactor);
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for index in 0..THREADS {
                let (reactor, start) = (&reactor, &start);
                scope.spawn(move || {
                    let _entered = reactor.enter_shard(index);
                    start.wait();
                    sleeper(index as u64 + 1);
                });
            }
        });
        assert_eq!(reactor.sleeps(), 0);
        drop(turning);
    });
}

/// One thread of the storm.
fn sleeper(mut random: u64) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..300 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let micros = Duration::from_micros(random % 400);
        let mut cancelled: Vec<_> = (0..4).map(|_| Box::pin(sleep(micros * 2).unwrap())).collect();
        for sleep in &mut cancelled {
            let _ = sleep.as_mut().poll(&mut cx);
        }
        let mut awaited = pin!(sleep(micros).unwrap());
        if random.is_multiple_of(3) {
            let _ = awaited.as_mut().poll(&mut cx);
            awaited.as_mut().reset(Instant::now() + micros / 2);
        }
        drop(cancelled.drain(..2));
        block_on(awaited.as_mut());
        assert!(Instant::now() >= awaited.deadline(), "early");
    }
}
