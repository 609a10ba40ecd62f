//! The sending half.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tiny_coro_prim::sync::Arc;

use super::core::Channel;
use super::error::{SendError, TrySendError};
use crate::list::{Phase, Waiter};

/// The sending half of a channel. Clones send into the same channel.
///
/// When the last one is dropped the channel closes: receivers get what is left, then [`RecvError`](super::RecvError).
pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

impl<T> Sender<T> {
    /// Becomes one of the senders of `channel`, which has counted it.
    pub(super) fn new(channel: Arc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Sends `value`, and waits for room if there is none; with capacity 0, until a receiver takes it.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the value back when the channel is closed, before or while it waits.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready either drops the value, unsent, or the value has been delivered: never both,
    /// never neither. To know which, keep the future until it is ready, or use [`try_send`](Self::try_send).
    pub fn send(&self, value: T) -> SendFuture<'_, T> {
        SendFuture { channel: &self.channel, waiter: Waiter::new(Some(value)) }
    }

    /// Sends `value` if that takes no waiting.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] when there is no room, or nobody receives from a channel of capacity 0;
    /// [`TrySendError::Closed`] when the channel is closed. Both give the value back.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.channel.try_send(value)
    }

    /// Closes the channel for both sides. Returns false if it was closed already.
    ///
    /// Receivers get what has been sent, then an error. Senders that wait get their values back.
    pub fn close(&self) -> bool {
        self.channel.close()
    }

    /// Tells whether the channel is closed.
    pub fn is_closed(&self) -> bool {
        self.channel.lock().closed
    }

    /// Returns how many values are stored.
    pub fn len(&self) -> usize {
        self.channel.lock().buffer.len()
    }

    /// Tells whether no value is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether a send would have to wait for room.
    pub fn is_full(&self) -> bool {
        let state = self.channel.lock();
        state.buffer.len() >= state.capacity
    }

    /// Returns how many values can be stored, or `None` for an unbounded channel.
    pub fn capacity(&self) -> Option<usize> {
        Some(self.channel.lock().capacity).filter(|&capacity| capacity != usize::MAX)
    }

    /// Returns how many senders there are.
    pub fn sender_count(&self) -> usize {
        self.channel.lock().sender_count
    }

    /// Returns how many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.channel.lock().receiver_count
    }

    /// Tells whether both send into one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        std::ptr::eq(&*self.channel, &*other.channel)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.channel.lock().sender_count += 1;
        Self { channel: self.channel.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.sender_count -= 1;
        let last = state.sender_count == 0;
        drop(state);
        if last {
            self.channel.close();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.describe(f, "Sender")
    }
}

/// The future of [`Sender::send`].
#[must_use = "a future does nothing until it is polled"]
pub struct SendFuture<'a, T> {
    channel: &'a Channel<T>,
    /// Pinned with the future. Its slot has the value.
    waiter: Waiter<T>,
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `waiter` stays pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `this` was pinned, and so is its field.
        let waiter = unsafe { Pin::new_unchecked(&mut this.waiter) };
        this.channel.poll_send(waiter, cx)
    }
}

impl<T> Drop for SendFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.waiter.phase() != Phase::Idle {
            // SAFETY: a waiter that isn't idle has been polled, so it is pinned; it is not moved before it is gone.
            self.channel.cancel_send(unsafe { Pin::new_unchecked(&mut self.waiter) });
        }
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
