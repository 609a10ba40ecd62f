//! The current-thread runtime: one worker without a thread of its own, which whoever calls `block_on` lends it.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | M1 | a poll of the main future sees what was done before the wake that it answers | `MainWake::wake` (release) | `MainFuture::poll` (acquire) | `main_wake_against_poll_and_park`, `two_main_wakes_publish` |
//! | M2 | while a call of `block_on` waits and no other has the worker, the worker is taken or somebody is on the way | the mutex of `Core`: taking, giving back and queueing up are one critical section each | `block_on` of several threads | `two_callers_hand_the_worker_on` |

use crate::block_on;
use crate::context;
use crate::shared::Shared;
use crate::worker::{self, HandOver, Main, Worker};
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use tiny_coro_parker::{Parker, Unparker};
use tiny_coro_prim::atomic::{AtomicBool, Ordering};
use tiny_coro_prim::budget;
use tiny_coro_prim::sync::Mutex;

/// The worker, while no thread has it, and the threads that would like to.
pub(crate) struct Core(Mutex<State>);

struct State {
    worker: Option<Box<Worker>>,
    waiting: Vec<Unparker>,
}

impl Core {
    pub(crate) fn new(worker: Box<Worker>) -> Self {
        Self(Mutex::new(State { worker: Some(worker), waiting: Vec::new() }))
    }

    /// Takes the worker; queues `unparker` up if another thread has it.
    pub(crate) fn take(&self, unparker: &Unparker) -> Option<Box<Worker>> {
        let mut state = self.0.lock();
        // Once, however often its own future was woken meanwhile.
        if state.worker.is_none() && !state.waiting.iter().any(|other| other.same_parker(unparker)) {
            state.waiting.push(unparker.clone());
        }
        state.worker.take()
    }

    /// A worker whose runtime ends is dropped, and with it every task that is left.
    pub(crate) fn give_back(&self, worker: Box<Worker>) {
        let ending = worker.shared().is_shutting_down();
        let (kept, dropped) = if ending { (None, Some(worker)) } else { (Some(worker), None) };
        let mut state = self.0.lock();
        state.worker = kept;
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        drop(dropped); // outside the lock: it runs destructors of users
        waiting.iter().for_each(Unparker::unpark);
    }

    /// Takes the worker for good.
    pub(crate) fn close(&self) -> Option<Box<Worker>> {
        self.0.lock().worker.take()
    }

    /// Polls `future` on this thread until it completes, and tasks in between if no other thread does.
    pub(crate) fn block_on<F: Future>(&self, shared: &Arc<Shared>, future: F) -> F::Output {
        let mut future = pin!(future);
        // Inside a task of this very runtime, its worker is this thread's, if perhaps below that of another: its other tasks go on,
        // on top of this one's stack.
        if let Some(worker) = context::with_worker(shared, |worker| worker.map(NonNull::from)) {
            return work_on_top(worker, shared, future);
        }
        if let Some(again) = context::install_again(shared) {
            return work_on_top(again.worker(), shared, future);
        }
        // Inside a task of another runtime: that goes on without this thread, if it has others.
        let _hand_over = HandOver::begin();
        let parker = Parker::new();
        let waker = Waker::from(parker.unparker());
        loop {
            if let Some(worker) = self.take(&parker.unparker()) {
                return self.work(worker, shared, future);
            }
            budget::reset(budget::UNLIMITED);
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            parker.park();
        }
    }

    fn work<F: Future>(&self, worker: Box<Worker>, shared: &Arc<Shared>, mut future: Pin<&mut F>) -> F::Output {
        /// Gives the worker back, also when the main future panics.
        struct Lent<'a>(&'a Core, Option<context::Installed>);
        impl Drop for Lent<'_> {
            fn drop(&mut self) {
                if let Some(worker) = self.1.take().and_then(context::Installed::into_worker) {
                    self.0.give_back(worker);
                }
                budget::reset(budget::UNLIMITED);
            }
        }
        let installed = context::install(worker);
        let pointer = installed.worker();
        let lent = Lent(self, Some(installed));
        let mut main = MainFuture::new(future.as_mut(), shared);
        worker::work(pointer, &mut main);
        let output = main.output.take();
        drop(lent);
        // Without an output the runtime was shut down by a panic policy while the main future waits: it goes on alone.
        output.unwrap_or_else(|| block_on::block_on(future))
    }
}

/// Works with a worker that this thread has, and an earlier call of `block_on` will give back.
fn work_on_top<F: Future>(worker: NonNull<Worker>, shared: &Arc<Shared>, mut future: Pin<&mut F>) -> F::Output {
    let mut main = MainFuture::new(future.as_mut(), shared);
    worker::work(worker, &mut main);
    if let Some(output) = main.output {
        return output;
    }
    // SAFETY: the worker of a current-thread runtime stays with this thread until the call of `block_on` below this one gives it back.
    end_on_top(unsafe { worker.as_ref() }, shared, future)
}

/// The runtime ends, but the calls below, which have a hand in that, can't go on before this one returns; and that may wait for what
/// only the end cancels. So the tasks are cancelled from here, also those that come of it.
fn end_on_top<F: Future>(worker: &Worker, shared: &Shared, mut future: Pin<&mut F>) -> F::Output {
    worker.cancel_queued();
    shared.finish();
    let parker = Parker::new();
    let waker = Waker::from(parker.unparker());
    loop {
        budget::reset(budget::UNLIMITED);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if !worker.cancel_queued() {
            parker.park();
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

/// Wakes the thread that has the worker, for the main future.
struct MainWake {
    woken: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for MainWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING M1: release. Also when it is set already: the poll to come must see what this thread did.
        if !self.woken.swap(true, Ordering::Release) {
            self.shared.unpark(0);
        }
    }
}

struct MainFuture<'a, F: Future> {
    future: Pin<&'a mut F>,
    wake: Arc<MainWake>,
    waker: Waker,
    output: Option<F::Output>,
}

impl<'a, F: Future> MainFuture<'a, F> {
    /// It counts as woken: it has not been polled with this waker.
    fn new(future: Pin<&'a mut F>, shared: &Arc<Shared>) -> Self {
        let wake = Arc::new(MainWake { woken: AtomicBool::new(true), shared: shared.clone() });
        Self { future, waker: Waker::from(wake.clone()), wake, output: None }
    }
}

impl<F: Future> Main for MainFuture<'_, F> {
    fn is_woken(&self) -> bool {
        // Relaxed: a hint; `poll` acquires.
        self.wake.woken.load(Ordering::Relaxed)
    }

    fn poll(&mut self) -> bool {
        // ORDERING M1: acquire. Pairs with the release in `wake_by_ref`.
        self.wake.woken.swap(false, Ordering::Acquire);
        match self.future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(output) => self.output = Some(output),
            Poll::Pending => return false,
        }
        true
    }
}
