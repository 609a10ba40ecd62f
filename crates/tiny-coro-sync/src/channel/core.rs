//! The channel itself: each operation is one transition of [`State`] under the lock, then at most one wake outside it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tiny_coro_prim::budget;

use super::error::{RecvError, SendError, TryRecvError, TrySendError};
use super::state::State;
use crate::list::{List, Phase, Waiter};
use crate::short::{ShortGuard, ShortLock};

/// What senders and receivers share.
pub(super) struct Channel<T> {
    state: ShortLock<State<T>>,
}

impl<T> Channel<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { state: ShortLock::new(State::new(capacity)) }
    }

    /// Takes the lock. What runs under it is ours alone: no waker, no `Clone` or `Drop` of a value.
    #[inline]
    pub(super) fn lock(&self) -> ShortGuard<'_, State<T>> {
        self.state.lock()
    }

    #[inline(always)]
    pub(super) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let receiver = self.lock().push(value)?;
        if let Some(waker) = receiver {
            waker.wake();
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        let (value, sender) = self.lock().pop()?;
        if let Some(waker) = sender {
            waker.wake();
        }
        Ok(value)
    }

    /// Sends what is in the waiter's slot.
    #[inline(always)]
    pub(super) fn poll_send(
        &self,
        mut waiter: Pin<&mut Waiter<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        if waiter.phase() != Phase::Idle {
            return self.resume_send(waiter, cx);
        }
        ready!(budget::poll_left(cx));
        let value = waiter.as_mut().take().expect("a send future was polled after it was ready");
        match self.try_send(value) {
            Ok(()) => {
                budget::spend();
                Poll::Ready(Ok(()))
            }
            Err(TrySendError::Closed(value)) => Poll::Ready(Err(SendError(value))),
            Err(TrySendError::Full(value)) => self.wait_for_room(waiter, value, cx),
        }
    }

    /// Looks what has become of a send that waits.
    #[inline(never)]
    fn resume_send(&self, mut waiter: Pin<&mut Waiter<T>>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        if waiter.phase() == Phase::Queued {
            ready!(self.renew(waiter.as_ref(), cx, |state| &mut state.senders));
        }
        let closed = waiter.phase() == Phase::Closed;
        waiter.as_mut().settle();
        if !closed {
            return Poll::Ready(Ok(()));
        }
        let value = waiter.take().expect("a closed channel leaves the value with its sender");
        Poll::Ready(Err(SendError(value)))
    }

    /// The second half of a send that found no room. It tries again: the clone had to happen outside the lock.
    #[inline(never)]
    fn wait_for_room(
        &self,
        mut waiter: Pin<&mut Waiter<T>>,
        value: T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        let waker = cx.waker().clone();
        let mut state = self.lock();
        match state.push(value) {
            Ok(receiver) => {
                drop(state);
                if let Some(receiver) = receiver {
                    receiver.wake();
                }
                Poll::Ready(Ok(()))
            }
            Err(TrySendError::Closed(value)) => {
                drop(state);
                Poll::Ready(Err(SendError(value)))
            }
            Err(TrySendError::Full(value)) => {
                waiter.as_mut().put(value);
                // SAFETY: a sender's waiter only ever meets this list, under this lock.
                unsafe { state.senders.push_back(waiter, waker) };
                Poll::Pending
            }
        }
    }

    /// Receives the oldest value.
    #[inline(always)]
    pub(super) fn poll_recv(&self, waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        if waiter.phase() != Phase::Idle {
            return self.resume_recv(waiter, cx);
        }
        ready!(budget::poll_left(cx));
        match self.try_recv() {
            Ok(value) => {
                budget::spend();
                Poll::Ready(Ok(value))
            }
            Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError)),
            Err(TryRecvError::Empty) => self.wait_for_value(waiter, cx),
        }
    }

    /// Looks what has become of a receive that waits.
    #[inline(never)]
    fn resume_recv(&self, mut waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        if waiter.phase() == Phase::Queued {
            ready!(self.renew(waiter.as_ref(), cx, |state| &mut state.receivers));
        }
        let closed = waiter.phase() == Phase::Closed;
        waiter.as_mut().settle();
        if closed {
            return Poll::Ready(Err(RecvError));
        }
        let mut state = self.lock();
        let (value, sender) = state.pop_reserved();
        let dismissed = state.dismiss_receivers();
        drop(state);
        sender.into_iter().chain(dismissed).for_each(Waker::wake);
        Poll::Ready(Ok(value))
    }

    /// The second half of a receive that found nothing. It tries again: the clone had to happen outside the lock.
    #[inline(never)]
    fn wait_for_value(&self, waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let waker = cx.waker().clone();
        let mut state = self.lock();
        match state.pop() {
            Ok((value, sender)) => {
                drop(state);
                if let Some(sender) = sender {
                    sender.wake();
                }
                Poll::Ready(Ok(value))
            }
            Err(TryRecvError::Closed) => {
                drop(state);
                Poll::Ready(Err(RecvError))
            }
            Err(TryRecvError::Empty) => {
                // SAFETY: a receiver's waiter only ever meets this list, under this lock.
                unsafe { state.receivers.push_back(waiter, waker) };
                Poll::Pending
            }
        }
    }

    /// Leaves a queued waiter with the waker of the task that polls now. Ready when it is no longer queued.
    #[cold]
    fn renew<S>(
        &self,
        waiter: Pin<&Waiter<S>>,
        cx: &mut Context<'_>,
        list: impl Fn(&mut State<T>) -> &mut List<S>,
    ) -> Poll<()> {
        let mut fresh = None;
        loop {
            let mut state = self.lock();
            if waiter.phase() != Phase::Queued {
                return Poll::Ready(()); // the lock goes before `fresh`, which was declared before it
            }
            // SAFETY: queued, and `list` is the only one it can be in.
            let renewed = unsafe { list(&mut state).renew(&waiter, cx.waker(), &mut fresh) };
            drop(state);
            if renewed {
                return Poll::Pending;
            }
            fresh = Some(cx.waker().clone());
        }
    }

    /// Gives up a send. What was not taken stays in the waiter's slot and is dropped with it.
    pub(super) fn cancel_send(&self, waiter: Pin<&mut Waiter<T>>) {
        if waiter.phase() == Phase::Queued {
            let mut state = self.lock();
            // SAFETY: queued in no other list.
            let waker = unsafe { state.senders.remove(waiter) };
            drop(state);
            drop(waker);
        }
    }

    /// Gives up a receive. A value that was reserved for it goes to the next.
    pub(super) fn cancel_recv(&self, mut waiter: Pin<&mut Waiter<()>>) {
        if waiter.phase() == Phase::Queued {
            let mut state = self.lock();
            // SAFETY: queued in no other list.
            let waker = unsafe { state.receivers.remove(waiter.as_mut()) };
            drop(state);
            drop(waker);
        }
        if waiter.phase() == Phase::Done {
            waiter.as_mut().settle();
            let next = self.lock().release();
            next.into_iter().for_each(Waker::wake);
        }
    }

    /// Closes the channel. Returns false if it was closed already.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let wakers = state.close();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Prints a half of the channel.
    pub(super) fn describe(&self, f: &mut fmt::Formatter<'_>, half: &str) -> fmt::Result {
        let state = self.lock();
        let (len, capacity, closed) = (state.buffer.len(), state.capacity, state.closed);
        drop(state);
        let mut out = f.debug_struct(half);
        out.field("len", &len);
        if capacity != usize::MAX {
            out.field("capacity", &capacity);
        }
        out.field("closed", &closed).finish()
    }
}
