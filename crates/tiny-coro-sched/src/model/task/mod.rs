//! Models of the task cell (invariants T1 to T6), and what they are made of.
//!
//! The scheduler is a queue and a waiting list: of the runtime only what a task sees. Flags are relaxed and stages are cells that the
//! model checker watches, so a transition that fails to order them shows as a stale flag or a reported race; an `Arc` of the model
//! checker that is not dropped, or a cell that is not freed, shows as a leak.

mod end;
mod join;
mod panic;
mod references;
mod wake;

use super::core;
use crate::task::{Cause, Header, Incoming, JoinHandle, Schedule, TaskRef, WaitingTasks, allocate};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::collections::VecDeque;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::num::NonZeroU16;
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
        unsafe { task.as_ref().listed.with_mut(|listed| *listed = inserted.then_some(NonZeroU16::MIN)) };
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

    fn len(&self) -> usize {
        self.tasks.lock().unwrap().len()
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
    let [queued, joined] = Incoming::with(future, |it| allocate(it, QueueScheduler(queue.clone()), Location::caller()));
    queue.tasks.lock().unwrap().push_back(queued);
    // SAFETY: counted for the join handle of this task.
    unsafe { JoinHandle::new(joined) }
}

/// A thread that runs what is queued.
fn runner(queue: &Arc<Queue>) -> thread::JoinHandle<()> {
    let queue = queue.clone();
    thread::spawn(move || queue.run())
}

/// Pending until all of `flags` are set. Leaves a waker for each on the first poll. The flags are relaxed: the wake must publish them.
struct WaitFor<const N: usize> {
    flags: Arc<[AtomicBool; N]>,
    wakers: Arc<Mutex<Vec<Waker>>>,
    registered: bool,
}

impl<const N: usize> WaitFor<N> {
    fn new() -> Self {
        let flags = Arc::new([(); N].map(|()| AtomicBool::new(false)));
        Self { flags, wakers: Arc::new(Mutex::new(Vec::new())), registered: false }
    }
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
    let future = WaitFor::<N>::new();
    let (flags, wakers) = (future.flags.clone(), future.wakers.clone());
    let handle = spawn(queue, future);
    queue.run();
    let wakers = std::mem::take(&mut *wakers.lock().unwrap());
    (handle, flags, wakers)
}

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (std::sync::Arc<Self>, Waker) {
        let count = std::sync::Arc::new(Self::default());
        (count.clone(), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// The result of a task that has ended.
fn result<T>(handle: &mut JoinHandle<T>) -> Result<T, crate::JoinError> {
    match poll_once(handle, Waker::noop()) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the task has not ended"),
    }
}
