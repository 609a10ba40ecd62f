//! Models of the task cell (invariants T1 to T6).

use crate::task::{Cause, Header, JoinHandle, Schedule, TaskRef, WaitingTasks, allocate};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::collections::VecDeque;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::num::NonZeroU32;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// A scheduler that is only a queue and a list.
struct Queue {
    tasks: Mutex<VecDeque<TaskRef>>,
    waiting: WaitingTasks,
}

struct QueueScheduler(Arc<Queue>);

impl Schedule for QueueScheduler {
    unsafe fn submit(this: NonNull<Self>, task: TaskRef, _: Cause) {
        // SAFETY: `task` keeps the scheduler alive until it is pushed; the clone outlives that.
        let queue = unsafe { this.as_ref() }.0.clone();
        queue.tasks.lock().unwrap().push_back(task);
    }

    fn enlist(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller's reference keeps the task alive; the duplicate is the list's.
        let listed = unsafe { ManuallyDrop::new(TaskRef::from_raw(task)) }.duplicate();
        let inserted = self.0.waiting.insert(listed).is_ok();
        // SAFETY: the caller has set RUNNING, which owns the field.
        unsafe { task.as_ref().listed.with_mut(|listed| *listed = inserted.then_some(NonZeroU32::MIN)) };
        inserted
    }

    fn release(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller had set RUNNING, which owns the field.
        let listed = unsafe { task.as_ref().listed.with(|listed| (*listed).is_some()) };
        // SAFETY: the task is alive for the caller and in no other list.
        listed && unsafe { self.0.waiting.remove(task) }
    }
}

impl Queue {
    fn new() -> Arc<Self> {
        Arc::new(Self { tasks: Mutex::new(VecDeque::new()), waiting: WaitingTasks::new() })
    }

    /// Runs what is queued until nothing is.
    fn run(&self) {
        loop {
            let next = self.tasks.lock().unwrap().pop_front();
            match next {
                Some(task) => task.run(),
                None => return,
            }
        }
    }

    fn cancel_queued(&self) {
        let queued = std::mem::take(&mut *self.tasks.lock().unwrap());
        queued.into_iter().for_each(TaskRef::shutdown);
    }

    /// Ends like a runtime: the queued tasks, then the waiting ones.
    fn shutdown(&self) {
        self.cancel_queued();
        while let Some(task) = self.waiting.close_and_pop() {
            task.shutdown();
        }
        self.cancel_queued();
    }
}

fn spawn<F>(queue: &Arc<Queue>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let [queued, joined] = allocate(future, QueueScheduler(queue.clone()), Location::caller());
    queue.tasks.lock().unwrap().push_back(queued);
    // SAFETY: counted for the join handle of this task.
    unsafe { JoinHandle::new(joined) }
}

/// Pending until all of `flags` are set. Leaves its waker on the first poll. The flags are relaxed: the wake must publish them.
struct WaitFor<const N: usize> {
    flags: Arc<[AtomicBool; N]>,
    wakers: Arc<Mutex<Vec<Waker>>>,
    registered: bool,
}

impl<const N: usize> Future for WaitFor<N> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.registered {
            self.registered = true;
            let mut wakers = self.wakers.lock().unwrap();
            (0..N).for_each(|_| wakers.push(cx.waker().clone()));
        }
        if self.flags.iter().all(|flag| flag.load(Ordering::Relaxed)) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A task that waits for `N` flags and has been polled once, and its wakers.
fn parked_task<const N: usize>(queue: &Arc<Queue>) -> (JoinHandle<()>, Arc<[AtomicBool; N]>, Vec<Waker>) {
    let flags = Arc::new([(); N].map(|()| AtomicBool::new(false)));
    let wakers = Arc::new(Mutex::new(Vec::new()));
    let handle = spawn(queue, WaitFor { flags: flags.clone(), wakers: wakers.clone(), registered: false });
    queue.run();
    let wakers = std::mem::take(&mut *wakers.lock().unwrap());
    (handle, flags, wakers)
}

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// T1, T2: a wake that comes while the task is polled makes it be polled again.
#[test]
fn wake_while_running() {
    loom::model(|| {
        let queue = Queue::new();
        let flags = Arc::new([AtomicBool::new(false)]);
        let wakers = Arc::new(Mutex::new(Vec::new()));
        let handle = spawn(&queue, WaitFor { flags: flags.clone(), wakers: wakers.clone(), registered: false });
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        flags[0].store(true, Ordering::Relaxed);
        let waker = wakers.lock().unwrap().pop();
        if let Some(waker) = waker {
            waker.wake();
        }
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T2: of two wakes at once, the one that finds the task scheduled still publishes what came before it.
#[test]
fn two_wakes_publish() {
    loom::model(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<2>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn({
            let flags = flags.clone();
            move || {
                flags[1].store(true, Ordering::Relaxed);
                waker.wake_by_ref();
            }
        });
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        queue.run();
        other.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T2: a task that two threads run in turn is polled by one of them at a time, and sees its own earlier polls.
#[test]
fn two_runners() {
    loom::model(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<1>(&queue);
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        queue.run();
        runner.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T3: the join handle gets the output, or its waker is woken; loom's `Arc` reports an output that is lost.
#[test]
fn join_against_complete() {
    loom::model(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async { Arc::new(7) });
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        let count = std::sync::Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let first = poll_once(&mut handle, &waker);
        runner.join().unwrap();
        let output = match first {
            Poll::Ready(output) => output,
            Poll::Pending => {
                assert_eq!(count.0.load(Relaxed), 1, "the joiner was not woken");
                let Poll::Ready(output) = poll_once(&mut handle, &waker) else { panic!("no output") };
                output
            }
        };
        assert_eq!(*output.unwrap(), 7);
        drop(handle);
        drop(waker);
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was left behind");
    });
}

/// T3: a join handle that changes its waker while the task completes has the new one woken, or gets the output.
#[test]
fn join_waker_replaced() {
    loom::model(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async {});
        let counts = [(); 2].map(|()| std::sync::Arc::new(Count::default()));
        let wakers = counts.clone().map(Waker::from);
        assert!(poll_once(&mut handle, &wakers[0]).is_pending());
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        let second = poll_once(&mut handle, &wakers[1]);
        runner.join().unwrap();
        if second.is_pending() {
            assert_eq!(counts[1].0.load(Relaxed), 1, "the new waker was not woken");
            assert!(poll_once(&mut handle, &wakers[1]).is_ready());
        }
    });
}

/// T3: an output that nobody waits for is dropped once, by the handle or by the completer.
#[test]
fn detach_against_complete() {
    loom::model(|| {
        let queue = Queue::new();
        let output = Arc::new(());
        let mut handle = spawn(&queue, {
            let output = output.clone();
            async move { output }
        });
        let waker = Waker::from(std::sync::Arc::new(Count::default()));
        assert!(poll_once(&mut handle, &waker).is_pending());
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        drop(handle);
        runner.join().unwrap();
        queue.run();
        assert_eq!(Arc::strong_count(&output), 1);
    });
}

/// T5: abort and wake at once push the task once; its future is dropped once.
#[test]
fn abort_against_wake() {
    loom::model(|| {
        let queue = Queue::new();
        let (handle, flags, mut wakers) = parked_task::<1>(&queue);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort());
        flags[0].store(true, Ordering::Relaxed);
        wakers.pop().unwrap().wake();
        assert!(queue.tasks.lock().unwrap().len() <= 1);
        queue.run();
        other.join().unwrap();
        queue.run();
        assert!(handle.is_finished());
    });
}

/// T1: an abort that comes while the task is polled, or after it has completed.
#[test]
fn abort_against_complete() {
    loom::model(|| {
        let queue = Queue::new();
        let mut handle = spawn(&queue, async { 7 });
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        handle.abort();
        runner.join().unwrap();
        queue.run();
        let Poll::Ready(result) = poll_once(&mut handle, Waker::noop()) else { panic!("neither result nor error") };
        assert!(result.map_or_else(|error| error.is_cancelled(), |output| output == 7));
    });
}

/// T4: whichever reference is the last, the cell is freed once; loom's `Arc`s report a leak.
#[test]
fn last_reference_anywhere() {
    loom::model(|| {
        let queue = Queue::new();
        let (handle, _flags, mut wakers) = parked_task::<2>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || drop(waker));
        handle.abort();
        queue.run();
        drop(handle);
        drop(wakers);
        other.join().unwrap();
    });
}

/// T4: a waker that is used after the end of its task and runtime does nothing, and frees what is left.
#[test]
fn waker_outlives_the_runtime() {
    loom::model(|| {
        let queue = Queue::new();
        let (handle, _flags, mut wakers) = parked_task::<1>(&queue);
        drop(handle);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn(move || waker.wake());
        queue.shutdown();
        other.join().unwrap();
        queue.shutdown();
    });
}

/// T6: shutdown drops the future exactly once, whatever a wake does meanwhile, and the joiner hears of it.
#[test]
fn shutdown_against_wake() {
    loom::model(|| {
        let queue = Queue::new();
        let (mut handle, flags, mut wakers) = parked_task::<1>(&queue);
        let waker = wakers.pop().unwrap();
        let other = thread::spawn({
            let flags = flags.clone();
            move || {
                flags[0].store(true, Ordering::Relaxed);
                waker.wake_by_ref();
            }
        });
        queue.shutdown();
        other.join().unwrap();
        queue.shutdown();
        assert!(poll_once(&mut handle, Waker::noop()).is_ready());
        assert_eq!(Arc::strong_count(&flags), 1, "the future was not dropped");
    });
}

/// T6: shutdown while another thread still runs the task.
#[test]
fn shutdown_against_run() {
    loom::model(|| {
        let queue = Queue::new();
        let dropped = Arc::new(());
        let mut handle = spawn(&queue, {
            let held = dropped.clone();
            async move { drop(held) }
        });
        let runner = thread::spawn({
            let queue = queue.clone();
            move || queue.run()
        });
        queue.shutdown();
        runner.join().unwrap();
        queue.shutdown();
        assert!(poll_once(&mut handle, Waker::noop()).is_ready());
        assert_eq!(Arc::strong_count(&dropped), 1);
    });
}
