#![cfg(not(tiny_coro_loom))]
//! Tasks as their users see them: results, panics, aborts, wakes, the blocking pool, time.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tiny_coro_sched::{Handle, Runtime, sleep, spawn, spawn_blocking, timeout, yield_now};

mod common;
use common::{runtime, watched};

/// Counts how often it is dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

impl Drops {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn guard(&self) -> DropGuard {
        DropGuard(self.0.clone())
    }
}

struct DropGuard(Arc<AtomicUsize>);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_hundred_thousand_tasks_give_their_results() {
    watched(|| {
        let runtime = runtime(4);
        let sum = runtime.block_on(async {
            let tasks: Vec<_> = (0..100_000u64)
                .map(|n| {
                    spawn(async move {
                        yield_now().await;
                        n
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 99_999 * 100_000 / 2);
        assert_eq!(runtime.metrics().live_tasks, 0);
    });
}

/// S2: in the ancestor a wake that came while the coroutine ran was dropped. Here a thread wakes as fast as it can while the
/// task runs on a worker; each wake is preceded by a step that the task must see.
#[test]
fn s2_a_wake_while_running_is_never_lost() {
    const STEPS: usize = 20_000;
    watched(|| {
        let runtime = runtime(2);
        let steps = Arc::new(AtomicUsize::new(0));
        let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
        let task = runtime.spawn({
            let (steps, slot) = (steps.clone(), slot.clone());
            let mut expected = 1;
            poll_fn(move |cx| {
                loop {
                    if steps.load(Ordering::Relaxed) >= expected {
                        expected += 1;
                        if expected > STEPS {
                            return Poll::Ready(());
                        }
                        continue;
                    }
                    let mut slot = slot.lock().unwrap();
                    if steps.load(Ordering::Relaxed) >= expected {
                        continue;
                    }
                    *slot = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            })
        });
        for step in 1..=STEPS {
            steps.store(step, Ordering::Relaxed);
            if let Some(waker) = slot.lock().unwrap().take() {
                waker.wake();
            }
        }
        runtime.block_on(task).unwrap();
    });
}

/// S5: in the ancestor a waiter held no reference to the suspended frame. A waker keeps its task's memory, also when handle,
/// task and runtime are gone.
#[test]
fn s5_a_waker_may_outlive_its_task_and_its_runtime() {
    watched(|| {
        let slot: Arc<Mutex<Vec<Waker>>> = Arc::default();
        let drops = Drops::default();
        let runtime = runtime(2);
        for _ in 0..100 {
            let (slot, guard) = (slot.clone(), drops.guard());
            runtime
                .spawn(async move {
                    let _guard = guard;
                    poll_fn(|cx| {
                        slot.lock().unwrap().push(cx.waker().clone());
                        Poll::<()>::Pending
                    })
                    .await;
                })
                .detach();
        }
        while slot.lock().unwrap().len() < 100 {
            thread::yield_now();
        }
        drop(runtime);
        assert_eq!(drops.get(), 100);
        for waker in slot.lock().unwrap().drain(..) {
            waker.wake_by_ref();
            let another = waker.clone();
            waker.wake();
            drop(another);
        }
        assert_eq!(drops.get(), 100);
    });
}

/// S11: in the ancestor an exception ended the process. A panic in poll ends its task only, and the join error has it.
#[test]
fn s11_a_panic_ends_only_its_task() {
    watched(|| {
        let runtime = runtime(2);
        runtime.block_on(async {
            let neighbour = spawn(async {
                for _ in 0..100 {
                    yield_now().await;
                }
                5
            });
            let error = spawn(async { panic!("boom {}", std::hint::black_box(1)) }).await.unwrap_err();
            assert!(error.is_panic() && !error.is_cancelled());
            assert!(error.to_string().ends_with("panicked: boom 1"), "{error}");
            assert_eq!(*error.into_panic().downcast::<String>().unwrap(), "boom 1");
            let error = spawn_blocking(|| -> () { panic!("thump") }).await.unwrap_err();
            assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "thump");
            assert_eq!(neighbour.await.unwrap(), 5);
        });
    });
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("in drop");
        }
    }
}

/// S11: so does a panic in a future's or an output's destructor.
#[test]
fn s11_a_panic_in_a_destructor_ends_only_its_task() {
    watched(|| {
        let runtime = runtime(2);
        runtime.block_on(async {
            struct Bad(PanicsInDrop);
            impl Future for Bad {
                type Output = ();
                fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                    let _ = &self.0;
                    Poll::Ready(())
                }
            }
            assert!(spawn(Bad(PanicsInDrop)).await.unwrap_err().is_panic());
            let aborted = spawn(async {
                let _bad = PanicsInDrop;
                pending::<()>().await;
            });
            yield_now().await;
            aborted.abort();
            assert!(aborted.await.is_err());
            spawn(async { PanicsInDrop }).detach();
            assert_eq!(spawn(async { 5 }).await.unwrap(), 5);
        });
    });
}

#[test]
fn abort_drops_the_future_once_and_completion_wins_over_a_late_abort() {
    watched(|| {
        let runtime = runtime(2);
        let drops = Drops::default();
        runtime.block_on(async {
            let guard = drops.guard();
            let task = spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            let abort = task.abort_handle();
            abort.abort();
            abort.abort();
            let error = task.await.unwrap_err();
            assert!(error.is_cancelled() && abort.is_finished());
            assert!(error.try_into_panic().is_err());
            assert_eq!(drops.get(), 1);

            let task = spawn(async { 5 });
            while !task.is_finished() {
                yield_now().await;
            }
            task.abort();
            assert_eq!(task.await.unwrap(), 5);
        });
    });
}

#[test]
fn a_dropped_handle_detaches_and_its_output_is_dropped() {
    watched(|| {
        let runtime = runtime(2);
        let drops = Drops::default();
        for _ in 0..1000 {
            let guard = drops.guard();
            drop(runtime.spawn(async move { guard }));
        }
        while drops.get() < 1000 {
            thread::yield_now();
        }
        drop(runtime);
        assert_eq!(drops.get(), 1000);
    });
}

#[test]
fn ids_differ_and_name_the_task_in_errors() {
    let runtime = runtime(1);
    runtime.block_on(async {
        let (a, b) = (spawn(pending::<()>()), spawn(pending::<()>()));
        assert_ne!(a.id(), b.id());
        a.abort();
        let id = a.id();
        let error = a.await.unwrap_err();
        assert_eq!(error.id(), id);
        assert_eq!(error.to_string(), format!("task {id} was cancelled"));
    });
}

#[test]
fn blocking_closures_do_not_hold_up_the_workers() {
    watched(|| {
        let runtime = runtime(1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let blocked = runtime.spawn_blocking(move || held.recv().is_err());
        runtime.block_on(async {
            assert_eq!(spawn(async { 5 }).await.unwrap(), 5);
            let inner = spawn_blocking(|| Handle::current().spawn(async { 6 })).await.unwrap();
            assert_eq!(inner.await.unwrap(), 6);
        });
        drop(release);
        assert!(runtime.block_on(blocked).unwrap());
    });
}

#[test]
fn the_blocking_pool_keeps_to_its_limit_and_loses_no_closure() {
    watched(|| {
        let runtime = Runtime::builder().worker_threads(1).max_blocking_threads(3).build().unwrap();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..200)
            .map(|n| {
                let (running, most) = (running.clone(), most.clone());
                runtime.spawn_blocking(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    n
                })
            })
            .collect();
        runtime.block_on(async {
            for (n, task) in tasks.into_iter().enumerate() {
                assert_eq!(task.await.unwrap(), n);
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert!(runtime.metrics().blocking_threads <= 3);
    });
}

/// A thread that ends for lack of work does not take a closure, or its notification, with it: not even the only one.
#[test]
fn a_pool_whose_threads_come_and_go_loses_no_closure() {
    for max in [1, 512] {
        watched(move || {
            let runtime = Runtime::builder()
                .worker_threads(1)
                .max_blocking_threads(max)
                .blocking_keep_alive(Duration::from_micros(50))
                .build()
                .unwrap();
            for n in 0..3_000 {
                let task = runtime.spawn_blocking(move || n);
                assert_eq!(runtime.block_on(task).unwrap(), n);
                for _ in 0..n % 64 {
                    std::hint::spin_loop();
                }
            }
        });
    }
}

/// The references to a task may be given up on several threads at the same moment: the last one frees it, once.
#[test]
fn references_given_up_at_once() {
    watched(|| {
        let runtime = runtime(2);
        let (send, receive) = std::sync::mpsc::channel::<(tiny_coro_sched::AbortHandle, Waker)>();
        let other = thread::spawn(move || {
            for (abort, waker) in receive {
                waker.wake();
                drop(abort);
            }
        });
        for _ in 0..20_000 {
            let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
            let task = runtime.spawn({
                let slot = slot.clone();
                poll_fn(move |cx| {
                    *slot.lock().unwrap() = Some(cx.waker().clone());
                    Poll::Ready([0u8; 64])
                })
            });
            let abort = task.abort_handle();
            while !task.is_finished() {
                std::hint::spin_loop();
            }
            let waker = slot.lock().unwrap().take().unwrap();
            let mine = waker.clone();
            send.send((abort, waker)).unwrap();
            drop(task);
            mine.wake();
        }
        drop(send);
        other.join().unwrap();
    });
}

#[test]
fn timeouts_and_sleeps() {
    watched(|| {
        let runtime = runtime(2);
        runtime.block_on(async {
            let start = Instant::now();
            assert!(timeout(Duration::from_millis(5), pending::<()>()).await.is_err());
            assert!(start.elapsed() >= Duration::from_millis(5));
            assert_eq!(timeout(Duration::from_secs(3600), async { 5 }).await, Ok(5));
            assert_eq!(timeout(Duration::MAX, async { 6 }).await, Ok(6));
            assert_eq!(timeout(Duration::ZERO, async { 7 }).await, Ok(7));
            let sleeps: Vec<_> = (0..1000u64).map(|n| spawn(sleep(Duration::from_micros(n * 7 % 5000)))).collect();
            for task in sleeps {
                task.await.unwrap();
            }
        });
        assert_eq!(runtime.metrics().sleeps, 0);
    });
}

#[test]
fn outside_a_runtime_the_message_says_what_to_do() {
    let error = Handle::try_current().unwrap_err().to_string();
    assert!(error.contains("Handle::enter"), "{error}");
    let panicked = std::panic::catch_unwind(|| spawn(async {})).unwrap_err();
    assert!(panicked.downcast_ref::<String>().unwrap().contains("Handle::enter"));
}

#[test]
fn wrong_options_are_named() {
    let error = |builder: &mut tiny_coro_sched::Builder| builder.build().unwrap_err().to_string();
    assert!(error(Runtime::builder().worker_threads(0)).contains("worker_threads"));
    assert!(error(Runtime::builder().worker_threads(1_000_000)).contains("worker_threads"));
    assert!(error(Runtime::builder().max_blocking_threads(0)).contains("max_blocking_threads"));
    assert!(error(Runtime::builder().global_queue_interval(0)).contains("global_queue_interval"));
    assert!(error(Runtime::builder().event_interval(0)).contains("event_interval"));
    assert!(error(Runtime::builder().thread_name("a\0b")).contains("thread_name"));
}

/// A foreign waker that panics, called from a worker, harms nobody else.
#[test]
fn a_waker_that_panics_harms_nobody_else() {
    struct Bomb(AtomicBool);
    impl std::task::Wake for Bomb {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
            panic!("in wake");
        }
    }
    watched(|| {
        let runtime = runtime(1);
        let bomb = Arc::new(Bomb(AtomicBool::new(false)));
        let waker = Waker::from(bomb.clone());
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let mut task = runtime.spawn(async move {
            let _ = gone.recv();
        });
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(go);
        while !bomb.0.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        assert_eq!(runtime.block_on(runtime.spawn(async { 5 })).unwrap(), 5);
    });
}
