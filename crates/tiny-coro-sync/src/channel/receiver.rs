//! The receiving half, and the stream it turns into.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use tiny_coro_prim::sync::Arc;

use super::core::Channel;
use super::error::{RecvError, TryRecvError};
use crate::list::{Phase, Waiter};

/// The receiving half of a channel. Clones receive from the same channel: each value goes to one of them.
///
/// When the last one is dropped the channel closes and what is left in it is dropped.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
}

impl<T> Receiver<T> {
    /// Becomes one of the receivers of `channel`, which has counted it.
    pub(super) fn new(channel: Arc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Receives the oldest value, and waits for one if there is none.
    ///
    /// # Errors
    ///
    /// [`RecvError`] when the channel is closed and nothing is left in it.
    ///
    /// # Cancel safety
    ///
    /// No value is lost, and the order stays. A future takes its value out of the channel when it returns it, not before: if
    /// one was reserved for a future that is dropped, the next receiver gets it, now or later.
    pub fn recv(&self) -> RecvFuture<'_, T> {
        RecvFuture { channel: &self.channel, waiter: Waiter::new(None) }
    }

    /// Receives the oldest value if there is one that isn't reserved for a receiver which has waited.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] when there is none now, [`TryRecvError::Closed`] when there never will be.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.channel.try_recv()
    }

    /// Turns this receiver into a stream that ends when the channel is closed and drained.
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv): a value that was reserved for a stream which is dropped goes to another receiver.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use tiny_coro_sync::channel;
    ///
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = channel::unbounded();
    /// for n in 1..=3 {
    ///     sender.send(n).await.unwrap();
    /// }
    /// drop(sender);
    /// let squares: Vec<_> = receiver.into_stream().map(|n| n * n).collect().await;
    /// assert_eq!(squares, [1, 4, 9]);
    /// # });
    /// ```
    pub fn into_stream(self) -> IntoStream<T> {
        IntoStream { waiter: Waiter::new(None), receiver: self }
    }

    /// Closes the channel for both sides. Returns false if it was closed already.
    ///
    /// Receivers get what has been sent, then an error. Senders that wait get their values back.
    pub fn close(&self) -> bool {
        self.channel.close()
    }

    /// Tells whether the channel is closed. Values may be left in it.
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

    /// Tells whether both receive from one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        std::ptr::eq(&*self.channel, &*other.channel)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.channel.lock().receiver_count += 1;
        Self { channel: self.channel.clone() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.receiver_count -= 1;
        if state.receiver_count > 0 {
            return;
        }
        // One critical section: no value may slip in between.
        let (wakers, left) = (state.close(), state.drain());
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        drop(left);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.describe(f, "Receiver")
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "a future does nothing until it is polled"]
pub struct RecvFuture<'a, T> {
    channel: &'a Channel<T>,
    /// Pinned with the future.
    waiter: Waiter<()>,
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `waiter` stays pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `this` was pinned, and so is its field.
        let waiter = unsafe { Pin::new_unchecked(&mut this.waiter) };
        this.channel.poll_recv(waiter, cx)
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.waiter.phase() != Phase::Idle {
            // SAFETY: a waiter that isn't idle has been polled, so it is pinned; it is not moved before it is gone.
            self.channel.cancel_recv(unsafe { Pin::new_unchecked(&mut self.waiter) });
        }
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// A [`Receiver`] as a [`Stream`]: what [`Receiver::into_stream`] returns.
///
/// The place in the queue is inside, so the stream has to be pinned to be polled (`std::pin::pin!`, `Box::pin`).
#[must_use = "a stream does nothing until it is polled"]
pub struct IntoStream<T> {
    /// Pinned with the stream.
    waiter: Waiter<()>,
    /// Dropped after the waiter has been cancelled.
    receiver: Receiver<T>,
}

impl<T> Stream for IntoStream<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // SAFETY: nothing is moved out; `waiter` stays pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `this` was pinned, and so is its field.
        let waiter = unsafe { Pin::new_unchecked(&mut this.waiter) };
        this.receiver.channel.poll_recv(waiter, cx).map(Result::ok)
    }
}

impl<T> AsRef<Receiver<T>> for IntoStream<T> {
    fn as_ref(&self) -> &Receiver<T> {
        &self.receiver
    }
}

impl<T> Drop for IntoStream<T> {
    fn drop(&mut self) {
        if self.waiter.phase() != Phase::Idle {
            // SAFETY: a waiter that isn't idle has been polled, so it is pinned; it is not moved before it is gone.
            self.receiver.channel.cancel_recv(unsafe { Pin::new_unchecked(&mut self.waiter) });
        }
    }
}

impl<T> fmt::Debug for IntoStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoStream").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}
