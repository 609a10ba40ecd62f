//! Any program of operations, polls and cancellations against a plain model. One thread, so every run is the same.
#![cfg(not(tiny_coro_loom))]

mod common;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use common::{Wakes, poll};
use proptest::prelude::*;
use tiny_coro_sync::channel::{self, RecvFuture, SendError, SendFuture, TryRecvError, TrySendError};
use tiny_coro_sync::mutex::Lock;
use tiny_coro_sync::{Mutex, MutexGuard, oneshot};

/// A coroutine of the mini-executor: a future, and the waker that it was polled with last.
struct Task<F> {
    id: usize,
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl<F: Future> Task<F> {
    fn new(id: usize, future: F) -> Self {
        let (wakes, waker) = Wakes::new();
        Self { id, future: Box::pin(future), wakes, waker }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        poll(self.future.as_mut(), &self.waker)
    }

    /// Moves the coroutine to another task: from now on it is polled with a new waker.
    fn migrate(&mut self) {
        (self.wakes, self.waker) = Wakes::new();
    }
}

#[derive(Clone, Debug)]
enum MutexOp {
    Lock,
    TryLock,
    Unlock,
    Poll(prop::sample::Index),
    Migrate(prop::sample::Index),
    Cancel(prop::sample::Index),
}

fn mutex_op() -> impl Strategy<Value = MutexOp> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => Just(MutexOp::Lock),
        1 => Just(MutexOp::TryLock),
        3 => Just(MutexOp::Unlock),
        3 => index().prop_map(MutexOp::Poll),
        1 => index().prop_map(MutexOp::Migrate),
        2 => index().prop_map(MutexOp::Cancel),
    ]
}

/// The mutex beside its model: a queue, and who has the baton.
struct MutexWorld<'a> {
    mutex: &'a Mutex<()>,
    guard: Option<MutexGuard<'a, ()>>,
    waiting: Vec<Task<Lock<'a, ()>>>,
    /// The model's queue.
    queue: VecDeque<usize>,
    /// The model's heir: a waiter that has been handed the baton.
    heir: Option<usize>,
    ids: usize,
}

impl MutexWorld<'_> {
    /// The model's unlock. The heir, and nobody else, must be woken.
    fn pass_baton(&mut self) {
        self.heir = self.queue.pop_front();
        for task in &self.waiting {
            assert_eq!(
                task.wakes.take(),
                usize::from(Some(task.id) == self.heir),
                "M4: the first waiter is woken, once"
            );
        }
    }

    fn is_free(&self) -> bool {
        self.guard.is_none() && self.heir.is_none()
    }

    fn step(&mut self, op: MutexOp) {
        match op {
            MutexOp::Lock => {
                self.ids += 1;
                let mut task = Task::new(self.ids, self.mutex.lock());
                match task.poll() {
                    Poll::Ready(guard) => {
                        assert!(self.is_free(), "M2");
                        self.guard = Some(guard);
                    }
                    Poll::Pending => {
                        assert!(!self.is_free(), "M3: a free lock is taken");
                        self.queue.push_back(task.id);
                        self.waiting.push(task);
                    }
                }
            }
            MutexOp::TryLock => {
                let free = self.is_free();
                assert_eq!(self.mutex.try_lock().is_some(), free, "M2");
            }
            MutexOp::Unlock => {
                if self.guard.take().is_some() {
                    self.pass_baton();
                }
            }
            MutexOp::Poll(index) if !self.waiting.is_empty() => {
                let index = index.index(self.waiting.len());
                let task = &mut self.waiting[index];
                let granted = self.heir == Some(task.id);
                match task.poll() {
                    Poll::Ready(guard) => {
                        assert!(granted, "M4: only the heir gets the lock");
                        self.heir = None;
                        self.guard = Some(guard);
                        self.waiting.remove(index);
                    }
                    Poll::Pending => assert!(!granted, "M2: the heir has the lock"),
                }
            }
            MutexOp::Migrate(index) if !self.waiting.is_empty() => {
                let index = index.index(self.waiting.len());
                let task = &mut self.waiting[index];
                if self.heir != Some(task.id) {
                    task.migrate();
                    assert!(task.poll().is_pending());
                }
            }
            MutexOp::Cancel(index) if !self.waiting.is_empty() => {
                let task = self.waiting.remove(index.index(self.waiting.len()));
                let id = task.id;
                drop(task);
                self.queue.retain(|&queued| queued != id);
                if self.heir == Some(id) {
                    self.pass_baton();
                }
            }
            MutexOp::Poll(_) | MutexOp::Migrate(_) | MutexOp::Cancel(_) => {}
        }
    }
}

#[derive(Clone, Debug)]
enum ChannelOp {
    Send,
    TrySend,
    Recv,
    TryRecv,
    PollSend(prop::sample::Index),
    PollRecv(prop::sample::Index),
    CancelSend(prop::sample::Index),
    CancelRecv(prop::sample::Index),
    Migrate(prop::sample::Index),
    Close,
}

fn channel_op() -> impl Strategy<Value = ChannelOp> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        40 => Just(ChannelOp::Send),
        10 => Just(ChannelOp::TrySend),
        40 => Just(ChannelOp::Recv),
        10 => Just(ChannelOp::TryRecv),
        30 => index().prop_map(ChannelOp::PollSend),
        30 => index().prop_map(ChannelOp::PollRecv),
        20 => index().prop_map(ChannelOp::CancelSend),
        20 => index().prop_map(ChannelOp::CancelRecv),
        10 => index().prop_map(ChannelOp::Migrate),
        2 => Just(ChannelOp::Close),
    ]
}

/// A value that writes its end into a ledger.
#[derive(Debug)]
struct Value(usize, Rc<RefCell<Vec<usize>>>);

impl Drop for Value {
    fn drop(&mut self) {
        self.1.borrow_mut()[self.0] += 1;
    }
}

struct ChannelWorld<'a> {
    sender: &'a channel::Sender<Value>,
    receiver: &'a channel::Receiver<Value>,
    capacity: usize,
    sends: Vec<Task<SendFuture<'a, Value>>>,
    recvs: Vec<Task<RecvFuture<'a, Value>>>,
    most_recvs: usize,
    /// How often the value with this number was dropped.
    drops: Rc<RefCell<Vec<usize>>>,
    /// Which values were received, in order.
    received: Vec<usize>,
    closed: bool,
}

impl ChannelWorld<'_> {
    fn value(&mut self) -> Value {
        let mut drops = self.drops.borrow_mut();
        drops.push(0);
        Value(drops.len() - 1, self.drops.clone())
    }

    fn step(&mut self, op: ChannelOp) {
        match op {
            ChannelOp::Send => {
                let value = self.value();
                self.sends.push(Task::new(value.0, self.sender.send(value)));
                self.poll_send(self.sends.len() - 1);
            }
            ChannelOp::TrySend => {
                let value = self.value();
                match self.sender.try_send(value) {
                    Err(TrySendError::Closed(_)) => assert!(self.closed),
                    Err(TrySendError::Full(_)) => assert!(!self.closed && self.sender.len() >= self.capacity, "C1"),
                    Ok(()) => assert!(!self.closed, "C3"),
                }
            }
            ChannelOp::Recv => {
                self.recvs.push(Task::new(0, self.receiver.recv()));
                self.most_recvs = self.most_recvs.max(self.recvs.len());
                self.poll_recv(self.recvs.len() - 1);
            }
            ChannelOp::TryRecv => match self.receiver.try_recv() {
                Ok(value) => self.received.push(value.0),
                Err(TryRecvError::Closed) => assert!(self.closed && self.receiver.is_empty(), "C3"),
                Err(TryRecvError::Empty) => {}
            },
            ChannelOp::PollSend(index) if !self.sends.is_empty() => self.poll_send(index.index(self.sends.len())),
            ChannelOp::PollRecv(index) if !self.recvs.is_empty() => self.poll_recv(index.index(self.recvs.len())),
            ChannelOp::CancelSend(index) if !self.sends.is_empty() => {
                self.sends.remove(index.index(self.sends.len()));
            }
            ChannelOp::CancelRecv(index) if !self.recvs.is_empty() => {
                self.recvs.remove(index.index(self.recvs.len()));
            }
            ChannelOp::Migrate(index) if !self.sends.is_empty() && !self.recvs.is_empty() => {
                let (send, recv) = (index.index(self.sends.len()), index.index(self.recvs.len()));
                self.sends[send].migrate();
                self.recvs[recv].migrate();
                self.poll_send(send);
                self.poll_recv(recv);
            }
            ChannelOp::Close => {
                assert_eq!(self.sender.close(), !self.closed);
                self.closed = true;
            }
            _ => {}
        }
        assert!(self.sender.len() <= self.capacity.max(self.most_recvs), "C5");
    }

    fn poll_send(&mut self, index: usize) {
        let Poll::Ready(result) = self.sends[index].poll() else { return };
        if let Err(SendError(value)) = result {
            assert!(self.closed && value.0 == self.sends[index].id, "C3: its own value comes back");
        }
        drop(self.sends.remove(index));
    }

    fn poll_recv(&mut self, index: usize) {
        let Poll::Ready(result) = self.recvs[index].poll() else { return };
        match result {
            Ok(value) => self.received.push(value.0),
            Err(_) => assert!(self.closed && self.receiver.is_empty(), "C3: not before all has been received"),
        }
        drop(self.recvs.remove(index));
    }

    /// Polls who has been woken, as an executor would, until nobody is.
    fn run_woken(&mut self) {
        loop {
            if let Some(index) = self.sends.iter().position(|task| task.wakes.take() > 0) {
                self.poll_send(index);
            } else if let Some(index) = self.recvs.iter().position(|task| task.wakes.take() > 0) {
                self.poll_recv(index);
            } else {
                return;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// M2, M3, M4 after each step of any program with cancellations and changes of task.
    #[test]
    fn mutex_is_exclusive_and_fair(ops in prop::collection::vec(mutex_op(), 1..80)) {
        let mutex = Mutex::new(());
        let mut world =
            MutexWorld { mutex: &mutex, guard: None, waiting: vec![], queue: VecDeque::new(), heir: None, ids: 0 };
        for op in ops {
            world.step(op);
        }
        drop(world);
        prop_assert!(mutex.try_lock().is_some());
    }

    /// C1 to C5: values are received once and in order; who waits at rest has a reason; each value is dropped once.
    #[test]
    fn channel_loses_and_doubles_nothing(
        capacity in 0..4_usize,
        ops in prop::collection::vec(channel_op(), 1..120),
    ) {
        let (sender, receiver) = channel::bounded(capacity);
        let drops = Rc::new(RefCell::new(vec![]));
        let mut world = ChannelWorld {
            sender: &sender, receiver: &receiver, capacity, sends: vec![], recvs: vec![], most_recvs: 0,
            drops: drops.clone(), received: vec![], closed: false,
        };
        for op in ops {
            world.step(op);
        }
        world.run_woken();
        let (stored, sends, recvs) = (sender.len(), world.sends.len(), world.recvs.len());
        prop_assert!(sends == 0 || (stored >= capacity && recvs == 0), "C1: {sends} senders wait for nothing");
        prop_assert!(recvs == 0 || stored == 0, "C2: {recvs} receivers wait beside {stored} values");
        prop_assert!(!world.closed || sends + recvs == 0, "C3: nobody waits for a closed channel");
        prop_assert!(world.received.is_sorted_by(|a, b| a < b), "once, and in order: {:?}", world.received);
        for &id in &world.received {
            prop_assert_eq!(drops.borrow()[id], 1);
        }
        drop(world);
        drop((sender, receiver));
        prop_assert!(drops.borrow().iter().all(|&count| count == 1), "C4: {:?}", drops);
    }

    /// O1, O3: any order of polls, close and ends; the value arrives, comes back or is dropped: one of them.
    #[test]
    fn oneshot_has_one_outcome(steps in prop::collection::vec(0..6_u8, 1..12)) {
        let drops = Rc::new(RefCell::new(vec![0]));
        let (sender, receiver) = oneshot::channel();
        let (mut sender, mut receiver) = (Some(sender), Some(Task::new(0, receiver)));
        let (mut sent, mut closed, mut received) = (false, false, false);
        for step in steps {
            match (step, &mut sender, &mut receiver) {
                (0, Some(_), _) => {
                    let result = sender.take().unwrap().send(Value(0, drops.clone()));
                    prop_assert_eq!(result.is_err(), closed);
                    sent = !closed;
                }
                (1, Some(_), _) => sender = None,
                (2, Some(sender), _) => prop_assert_eq!(sender.is_closed(), closed),
                (3, _, Some(task)) => match task.poll() {
                    Poll::Ready(Ok(_)) => prop_assert!(sent && !std::mem::replace(&mut received, true)),
                    Poll::Ready(Err(_)) => prop_assert!(received || closed || (sender.is_none() && !sent)),
                    Poll::Pending => prop_assert!(sender.is_some() && !closed),
                },
                (4, _, Some(task)) => {
                    task.future.close();
                    closed = true;
                }
                (5, _, Some(_)) => {
                    receiver = None;
                    closed = true;
                }
                _ => {}
            }
            if let Some(task) = &receiver && task.wakes.take() > 0 {
                prop_assert!(sender.is_none());
            }
        }
        drop((sender, receiver));
        prop_assert!(drops.borrow()[0] <= 1);
        prop_assert!(!sent || drops.borrow()[0] == 1);
    }
}
