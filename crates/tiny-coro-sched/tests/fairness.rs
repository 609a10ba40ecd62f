#![cfg(not(tiny_coro_loom))]
//! The fairness promise of the crate page: how many other polls come between a wake and its poll where that can be counted, and that
//! everybody gets on where it can't.

use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_reactor::{Direction, Source};
use tiny_coro_sched::{Builder, Handle, Runtime, sleep, spawn, yield_now};

mod common;
use common::{runtime, watched};

/// The intervals' default.
const INTERVAL: u64 = 61;
/// How often in a row the LIFO slot wins.
const LIFO_WINS: u64 = 3;

/// The bound for a task with `ahead` tasks before it in the deque: each of them, and it itself, may have to let the LIFO slot win, and
/// one poll in 61 is the injector's.
fn deque_bound(ahead: u64) -> u64 {
    (ahead + 1) * (LIFO_WINS + 1) * INTERVAL / (INTERVAL - 1) + 1
}

/// A place where one task waits until it is called, and says how many polls came in between.
#[derive(Default)]
struct Bell {
    rung_at: Mutex<Option<u64>>,
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    fn ring(&self, now: u64) {
        *self.rung_at.lock().unwrap() = Some(now);
        let waker = self.waker.lock().unwrap().take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn is_waited_for(&self) -> bool {
        self.waker.lock().unwrap().is_some()
    }

    /// Waits until it is rung; returns the count that `ring` was given.
    fn heard(&self) -> impl Future<Output = u64> {
        poll_fn(|cx| {
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            match self.rung_at.lock().unwrap().take() {
                Some(rung_at) => Poll::Ready(rung_at),
                None => Poll::Pending,
            }
        })
    }
}

/// Counts its polls in `polls`, gives way for ever, and calls `also` each time.
async fn spin(polls: Arc<AtomicU64>, also: impl Fn(u64)) {
    loop {
        also(polls.fetch_add(1, Ordering::Relaxed) + 1);
        yield_now().await;
    }
}

/// The worst of `rounds` waits of one task for a bell that a spinning task rings, beside `spinners` of them.
fn worst_wait(runtime: &Runtime, spinners: u64, rounds: usize) -> u64 {
    let (polls, bell) = (Arc::new(AtomicU64::new(0)), Arc::new(Bell::default()));
    let all = runtime.spawn(async move {
        let mut tasks = Vec::new();
        for n in 0..spinners {
            let bell = bell.clone();
            tasks.push(spawn(spin(polls.clone(), move |now| {
                if n == 0 && now % 7 == 0 && bell.is_waited_for() {
                    bell.ring(now);
                }
            })));
        }
        let waiter = spawn(async move {
            let mut worst = 0;
            for _ in 0..rounds {
                let rung_at = bell.heard().await;
                worst = worst.max(polls.load(Ordering::Relaxed) - rung_at);
            }
            worst
        });
        let worst = waiter.await.unwrap();
        tasks.iter().for_each(|task| task.abort());
        worst
    });
    runtime.block_on(all).unwrap()
}

/// One worker with a LIFO slot, and one without.
fn single_workers() -> [Runtime; 2] {
    [runtime(1), Builder::new_current_thread().build().unwrap()]
}

/// Tasks that wake themselves for ever starve nobody.
#[test]
fn tasks_that_wake_themselves() {
    watched(|| {
        for runtime in single_workers() {
            for spinners in [1, 2, 10, 100] {
                let worst = worst_wait(&runtime, spinners, 100);
                assert!(worst <= deque_bound(spinners), "{worst} polls beside {spinners} spinners");
            }
        }
    });
}

/// Two tasks that wake each other starve neither a task in the deque nor one in the injector, nor a deadline; with a LIFO slot, through
/// which they do so.
#[test]
fn a_ping_pong_through_the_lifo_slot() {
    watched(|| {
        for runtime in single_workers() {
            let outside = runtime.handle().clone();
            let all = runtime.spawn(ping_pong_beside_others(outside));
            runtime.block_on(all).unwrap();
        }
    });
}

async fn ping_pong_beside_others(outside: Handle) {
    let (polls, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let bells: [Arc<Bell>; 2] = Default::default();
    let player = |own: usize| {
        let (polls, stop, bells) = (polls.clone(), stop.clone(), bells.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                bells[own].heard().await;
                bells[1 - own].ring(polls.fetch_add(1, Ordering::Relaxed));
            }
            bells[1 - own].ring(0);
        }
    };
    let players = [spawn(player(0)), spawn(player(1))];
    yield_now().await;
    bells[0].ring(0);
    // In the deque, with nobody before it but a player that lost the slot, and the task that waits for this one.
    let counted = polls.clone();
    let in_deque = spawn(async move {
        let mut worst = 0;
        for _ in 0..100 {
            let before = counted.load(Ordering::Relaxed);
            yield_now().await;
            worst = worst.max(counted.load(Ordering::Relaxed) - before);
        }
        worst
    });
    let worst = in_deque.await.unwrap();
    assert!(worst <= deque_bound(2), "{worst} polls of the players beside a task in the deque");
    // From outside, by way of the injector.
    let from_outside = thread::spawn(move || {
        let (sender, receiver) = mpsc::channel();
        outside.spawn(async move { sender.send(()).unwrap() }).detach();
        receiver.recv().unwrap();
    });
    while !from_outside.is_finished() {
        yield_now().await;
    }
    sleep(Duration::from_millis(1)).await;
    stop.store(true, Ordering::Relaxed);
    for player in players {
        player.await.unwrap();
    }
}

/// A flood from outside does not starve the tasks of a worker, nor they the flood.
#[test]
fn a_flood_through_the_injector() {
    watched(|| {
        let runtime = runtime(1);
        let stop = Arc::new(AtomicBool::new(false));
        let (handle, stopped, flooded) = (runtime.handle().clone(), stop.clone(), Arc::new(AtomicU64::new(0)));
        let counted = flooded.clone();
        let flood = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if handle.metrics().injector_len > 10_000 {
                    thread::yield_now();
                    continue;
                }
                let counted = counted.clone();
                let count = async move {
                    counted.fetch_add(1, Ordering::Relaxed);
                };
                handle.spawn(count).detach();
            }
        });
        let local = runtime.spawn(async {
            for _ in 0..10_000 {
                yield_now().await;
            }
            sleep(Duration::from_millis(1)).await;
        });
        runtime.block_on(local).unwrap();
        let before = flooded.load(Ordering::Relaxed);
        let spinner = runtime.spawn(spin(Arc::default(), |_| {}));
        while flooded.load(Ordering::Relaxed) < before + 1_000 {
            thread::yield_now();
        }
        spinner.abort();
        stop.store(true, Ordering::Relaxed);
        flood.join().unwrap();
    });
}

fn connected_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    (server, client)
}

async fn read_some(source: &Source<TcpStream>, buffer: &mut [u8]) -> usize {
    poll_fn(|cx| source.poll_io(Direction::Read, cx, |mut socket| socket.read(buffer))).await.unwrap()
}

/// A socket that is always readable does not starve the other tasks, nor another socket.
#[test]
fn a_flood_of_io() {
    watched(|| {
        let runtime = runtime(1);
        let stop = Arc::new(AtomicBool::new(false));
        let ((flooded, mut flooder), (quiet, mut caller)) = (connected_pair(), connected_pair());
        let stopped = stop.clone();
        let flood =
            thread::spawn(move || while !stopped.load(Ordering::Relaxed) && flooder.write_all(&[7; 65536]).is_ok() {});
        let reader = runtime.spawn(async move {
            let (source, mut buffer) = (Source::new(flooded).unwrap(), [0; 512]);
            while read_some(&source, &mut buffer).await > 0 {}
        });
        let answered = runtime.spawn(async move {
            let (source, mut buffer) = (Source::new(quiet).unwrap(), [0; 1]);
            for _ in 0..100 {
                assert_eq!(read_some(&source, &mut buffer).await, 1);
                source.get_ref().write_all(&buffer).unwrap();
            }
        });
        for n in 0..100 {
            caller.write_all(&[n]).unwrap();
            let mut answer = [0];
            caller.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [n]);
        }
        runtime.block_on(answered).unwrap();
        stop.store(true, Ordering::Relaxed);
        reader.abort();
        drop(runtime);
        flood.join().unwrap();
    });
}

/// A poll that does not end holds up neither I/O, nor deadlines, nor the task in the same worker's LIFO slot.
#[test]
fn a_worker_stuck_in_a_poll() {
    watched(|| {
        for _ in 0..5 {
            let runtime = runtime(2);
            // The stuck task was woken by I/O, so its worker had the driver; the other one sleeps in its parker.
            let ((server, mut client), bell) = (connected_pair(), Arc::new(Bell::default()));
            let (release, wait) = mpsc::channel::<()>();
            let (other_server, mut other_client) = connected_pair();
            let heard = {
                let bell = bell.clone();
                runtime.spawn(async move { bell.heard().await })
            };
            let echo = runtime.spawn(async move {
                let (source, mut buffer) = (Source::new(other_server).unwrap(), [0; 1]);
                read_some(&source, &mut buffer).await
            });
            let slept = runtime.spawn(async { sleep(Duration::from_millis(30)).await });
            let stuck = runtime.spawn(async move {
                let (source, mut buffer) = (Source::new(server).unwrap(), [0; 1]);
                read_some(&source, &mut buffer).await;
                bell.ring(1); // into the LIFO slot of this worker
                let _ = wait.recv();
            });
            while runtime.metrics().parked_workers < 2 || runtime.metrics().io_sources < 2 {
                thread::yield_now();
            }
            client.write_all(&[1]).unwrap();
            assert_eq!(runtime.block_on(heard).unwrap(), 1);
            other_client.write_all(&[1]).unwrap();
            assert_eq!(runtime.block_on(echo).unwrap(), 1);
            runtime.block_on(slept).unwrap();
            drop(release);
            runtime.block_on(stuck).unwrap();
        }
    });
}

/// Sixteen polls that wait for one another get a worker each, however few run at once.
#[test]
fn blocked_workers_are_replaced() {
    watched(|| {
        for parallelism in [1, 2, 16] {
            let runtime = Runtime::builder().worker_threads(16).parallelism(parallelism).build().unwrap();
            let all = Arc::new(Barrier::new(16));
            let meet = || {
                let all = all.clone();
                runtime.spawn(async move { all.wait().is_leader() })
            };
            let tasks: Vec<_> = (0..16).map(|_| meet()).collect();
            let leaders = tasks.into_iter().map(|task| runtime.block_on(task).unwrap());
            assert_eq!(leaders.filter(|leads| *leads).count(), 1);
        }
    });
}

/// What a blocked worker has in its queues gets another worker, also where as many are awake as may be and have enough of their own for ever.
#[test]
fn a_blocked_workers_tasks_are_taken() {
    const AWAKE: usize = 4;
    watched(|| {
        for spawned in [1, 100] {
            let runtime = Runtime::builder().worker_threads(6).parallelism(1).build().unwrap();
            let (all, stop) = (Arc::new(Barrier::new(AWAKE)), Arc::new(AtomicBool::new(false)));
            let looper = |blocks: bool| {
                let (all, stop) = (all.clone(), stop.clone());
                runtime.spawn(async move {
                    all.wait();
                    if blocks {
                        let (sender, done) = mpsc::channel();
                        for n in 0..spawned {
                            let sender = sender.clone();
                            spawn(async move { sender.send(n).unwrap() }).detach();
                        }
                        let mut numbers: Vec<_> = done.iter().take(spawned).collect();
                        numbers.sort_unstable();
                        assert!(numbers.into_iter().eq(0..spawned));
                        stop.store(true, Ordering::Relaxed);
                    }
                    while !stop.load(Ordering::Relaxed) {
                        yield_now().await;
                    }
                })
            };
            let loopers: Vec<_> = (0..AWAKE).map(|n| looper(n == 0)).collect();
            loopers.into_iter().for_each(|looper| runtime.block_on(looper).unwrap());
        }
    });
}

/// Polls that block for less than the watch can see get workers all the same, since the processors have time to spare.
#[test]
fn short_blocks_get_workers() {
    const WORKERS: usize = 8;
    watched(|| {
        let runtime = Runtime::builder().worker_threads(WORKERS).parallelism(2).build().unwrap();
        let (now, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let blocker = || {
            let (now, most) = (now.clone(), most.clone());
            runtime.spawn(async move {
                while most.load(Ordering::Relaxed) < WORKERS as u64 {
                    most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::Relaxed);
                    yield_now().await;
                }
            })
        };
        let blockers: Vec<_> = (0..2 * WORKERS).map(|_| blocker()).collect();
        blockers.into_iter().for_each(|blocker| runtime.block_on(blocker).unwrap());
    });
}

/// No runnable task is forgotten beside a parked worker: under any load the slowest wake of many is far below what a missed one would take,
/// which is for ever.
#[test]
fn oversubscribed_workers_answer() {
    watched(|| {
        let runtime = runtime(16);
        let begin = Instant::now();
        let tasks: Vec<_> = (0..200)
            .map(|n| {
                runtime.spawn(async move {
                    for round in 0..50u64 {
                        if (n + round) % 10 == 0 {
                            sleep(Duration::from_micros(200)).await;
                        } else {
                            yield_now().await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
        assert!(begin.elapsed() < Duration::from_secs(60));
        assert_eq!(runtime.metrics().live_tasks, 0);
    });
}

/// A waker that is called again and again while its task runs makes it run once more, not once each.
#[test]
fn wakes_during_a_poll_are_one() {
    watched(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        let mut polls = 0;
        runtime.block_on(poll_fn(|cx: &mut Context<'_>| {
            polls += 1;
            (0..100).for_each(|_| cx.waker().wake_by_ref());
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        let mut task = runtime.spawn(async {});
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
}
