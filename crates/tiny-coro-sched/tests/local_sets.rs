#![cfg(not(tiny_coro_loom))]
//! Tasks that stay on one thread.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::mem;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;
use tiny_coro_sched::task::{self, JoinSet, LocalSet, spawn_local};
use tiny_coro_sched::{Builder, Runtime, sleep, spawn, timeout, yield_now};

mod common;
use common::{runtime, watched};

fn runtimes() -> [Runtime; 2] {
    [runtime(2), Builder::new_current_thread().build().unwrap()]
}

/// Local tasks run on the thread of the set, in order, wake each other and are woken from other threads.
#[test]
fn local_tasks_stay_on_their_thread() {
    watched(|| {
        for runtime in runtimes() {
            let (set, here, order) = (LocalSet::new(), thread::current().id(), Rc::new(RefCell::new(Vec::new())));
            set.block_on(&runtime, async {
                let tasks: Vec<_> = (0..100)
                    .map(|n| {
                        let order = order.clone();
                        spawn_local(async move {
                            order.borrow_mut().push(n);
                            spawn(async { yield_now().await }).await.unwrap(); // ends on a worker, perhaps
                            sleep(Duration::from_micros(50)).await;
                            assert_eq!(thread::current().id(), here);
                            spawn_local(async move { Rc::new(n) }).await.unwrap()
                        })
                    })
                    .collect();
                for (n, task) in tasks.into_iter().enumerate() {
                    assert_eq!(*task.await.unwrap(), n);
                }
            });
            assert_eq!(*order.borrow(), (0..100).collect::<Vec<_>>());
        }
    });
}

/// The set as a future ends when all its tasks have; a set that is dropped drops what is left, on its own thread, and later wakes and
/// aborts from elsewhere find nothing.
#[test]
fn the_ends_of_a_local_set() {
    watched(|| {
        let runtime = runtime(2);
        let count = Rc::new(RefCell::new(0));
        let set = LocalSet::new();
        for _ in 0..200 {
            let count = count.clone();
            set.spawn_local(async move {
                yield_now().await;
                *count.borrow_mut() += 1;
            })
            .detach();
        }
        runtime.block_on(set);
        assert_eq!(*count.borrow(), 200);

        let (set, leaked) = (LocalSet::new(), Arc::new(std::sync::Mutex::new(None::<Waker>)));
        let (kept, handed_out) = (Rc::new(()), leaked.clone());
        let inside = kept.clone();
        let waiting = set.spawn_local(async move {
            poll_fn(|cx| {
                *handed_out.lock().unwrap() = Some(cx.waker().clone());
                Poll::<()>::Pending
            })
            .await;
            drop(inside);
        });
        let inside = kept.clone();
        let never_run = set.spawn_local(async move { drop(inside) });
        let abort = waiting.abort_handle();
        set.block_on(&runtime, yield_now());
        drop(set);
        assert_eq!(Rc::strong_count(&kept), 1);
        let waker = leaked.lock().unwrap().take().unwrap();
        thread::spawn(move || {
            waker.wake();
            abort.abort();
        })
        .join()
        .unwrap();
        assert!(runtime.block_on(waiting).unwrap_err().is_cancelled());
        runtime.block_on(never_run).unwrap(); // it ran in `block_on`
    });
}

/// Panics of local tasks are theirs; `spawn_local` outside a set says what to do; a join set takes local tasks.
#[test]
fn local_tasks_and_their_errors() {
    watched(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        let message = catch_unwind(|| drop(spawn_local(async {}))).unwrap_err();
        assert!(message.downcast_ref::<&str>().unwrap().contains("LocalSet::run_until"));
        LocalSet::new().block_on(&runtime, async {
            assert!(spawn_local(async { panic!("local") }).await.map(|(): ()| ()).unwrap_err().is_panic());
            let mut set = JoinSet::new();
            set.spawn_local(async { Rc::new(4) });
            assert_eq!(*set.join_next().await.unwrap().unwrap(), 4);
        });
    });
}
/// Two futures run one set, each with a waker of its own: whichever task is woken, its poller hears of it; one that is dropped is forgotten.
#[test]
fn two_futures_run_one_local_set() {
    watched(|| {
        let runtime = Builder::new_current_thread().start_paused(true).build().unwrap();
        let set = LocalSet::new();
        let until = |delay: u64| async move {
            let task = task::spawn_local(async move {
                sleep(Duration::from_millis(delay)).await;
                delay
            });
            task.await.unwrap()
        };
        // Each of them is woken by itself, in a group that polls only who was woken.
        let (first, second) = (set.run_until(until(20)), set.run_until(until(2)));
        let dropped = set.run_until(pending::<()>());
        let results = runtime.block_on(async {
            let _ = timeout(Duration::ZERO, dropped).await;
            let mut group = WokenOnly::new(vec![Box::pin(first), Box::pin(second)]);
            poll_fn(|cx| group.poll(cx)).await
        });
        assert_eq!(results, [2, 20]);
    });
}

/// Polls those of its futures that were woken, as large joins do.
struct WokenOnly<'a, T> {
    futures: Vec<Option<Pin<Box<dyn Future<Output = T> + 'a>>>>,
    flags: Vec<Arc<Flag>>,
    results: Vec<T>,
}

struct Flag {
    woken: AtomicBool,
    outer: std::sync::Mutex<Option<Waker>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        let outer = self.outer.lock().unwrap().clone();
        outer.into_iter().for_each(Waker::wake);
    }
}

impl<'a, T> WokenOnly<'a, T> {
    fn new(futures: Vec<Pin<Box<dyn Future<Output = T> + 'a>>>) -> Self {
        let flag = |_: &_| Arc::new(Flag { woken: AtomicBool::new(true), outer: Default::default() });
        let flags = futures.iter().map(flag).collect();
        Self { futures: futures.into_iter().map(Some).collect(), flags, results: Vec::new() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        for (slot, flag) in self.futures.iter_mut().zip(&self.flags) {
            *flag.outer.lock().unwrap() = Some(cx.waker().clone());
            if let Some(future) = slot.as_mut().filter(|_| flag.woken.swap(false, Ordering::SeqCst))
                && let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&Waker::from(flag.clone())))
            {
                self.results.push(result);
                *slot = None;
            }
        }
        if self.futures.iter().all(Option::is_none) { Poll::Ready(mem::take(&mut self.results)) } else { Poll::Pending }
    }
}
