//! What a channel's lock protects, and each transition of it as one method. Nothing here wakes, clones or drops a waker
//! or a value: the caller does, after it has released the lock.

use std::collections::VecDeque;
use std::mem;
use std::task::Waker;

use super::error::{TryRecvError, TrySendError};
use crate::list::{List, Phase};

/// The content of a channel. Each method keeps the invariants of the [module page](super).
pub(super) struct State<T> {
    /// The oldest value is at the front.
    pub(super) buffer: VecDeque<T>,
    /// How many values the buffer takes; `usize::MAX` for unbounded.
    pub(super) capacity: usize,
    /// How many values belong to receivers that have been completed and not come back yet.
    reserved: usize,
    pub(super) closed: bool,
    pub(super) sender_count: usize,
    pub(super) receiver_count: usize,
    /// Senders that found no room, each with its value in its slot.
    pub(super) senders: List<T>,
    /// Receivers that found nothing.
    pub(super) receivers: List<()>,
}

impl<T> State<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let room = if capacity == usize::MAX { 0 } else { capacity };
        Self {
            buffer: VecDeque::with_capacity(room),
            capacity,
            reserved: 0,
            closed: false,
            sender_count: 1,
            receiver_count: 1,
            senders: List::new(),
            receivers: List::new(),
        }
    }

    /// Stores `value`, if there is room or a receiver waits for it. Returns the receiver to wake.
    #[inline(always)]
    pub(super) fn push(&mut self, value: T) -> Result<Option<Waker>, TrySendError<T>> {
        if self.closed {
            return Err(TrySendError::Closed(value));
        }
        let awaited = !self.receivers.is_empty();
        if !awaited && self.buffer.len() >= self.capacity {
            return Err(TrySendError::Full(value));
        }
        self.buffer.push_back(value);
        Ok(if awaited { self.reserve() } else { None })
    }

    /// Takes the oldest value, unless all are reserved, and lets the first sender that waits move up. Returns the sender
    /// to wake.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Result<(T, Option<Waker>), TryRecvError> {
        if self.buffer.len() > self.reserved
            && let Some(value) = self.buffer.pop_front()
        {
            return Ok((value, if self.senders.is_empty() { None } else { self.move_up() }));
        }
        if !self.senders.is_empty() {
            return self.pop_behind_reserved().ok_or(TryRecvError::Empty);
        }
        Err(if self.closed && self.buffer.is_empty() { TryRecvError::Closed } else { TryRecvError::Empty })
    }

    /// As `pop`, when every stored value is reserved but a sender waits: its value makes up for the one taken.
    #[inline(never)]
    fn pop_behind_reserved(&mut self) -> Option<(T, Option<Waker>)> {
        let Some(value) = self.buffer.pop_front() else {
            return self.take_from_sender().map(|(value, sender)| (value, Some(sender)));
        };
        Some((value, self.move_up()))
    }

    /// Takes the value of a receiver that was completed. Returns the sender to wake.
    pub(super) fn pop_reserved(&mut self) -> (T, Option<Waker>) {
        self.reserved -= 1;
        let value = self.buffer.pop_front().expect("C2: a reserved value is in the buffer");
        (value, if self.senders.is_empty() { None } else { self.move_up() })
    }

    /// Gives up the value of a receiver that was completed. Returns the next receiver, to be woken for it.
    pub(super) fn release(&mut self) -> Option<Waker> {
        self.reserved -= 1;
        self.reserve()
    }

    /// Closes the channel: everybody who waits in vain is completed with `Closed`. Returns whom to wake.
    #[must_use]
    pub(super) fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        let mut wakers = self.dismiss_receivers();
        while let Some((_, waker)) = self.senders.complete_first(Phase::Closed, |_| ()) {
            wakers.push(waker);
        }
        wakers
    }

    /// Completes the receivers that wait for a closed channel once nothing is left in it. Returns whom to wake.
    ///
    /// As long as a value is reserved, its receiver may still give it up to one of them.
    #[must_use]
    pub(super) fn dismiss_receivers(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while self.closed
            && self.buffer.is_empty()
            && let Some((_, waker)) = self.receivers.complete_first(Phase::Closed, |_| ())
        {
            wakers.push(waker);
        }
        wakers
    }

    /// Takes out what nobody will receive any more, to be dropped outside the lock.
    #[must_use]
    pub(super) fn drain(&mut self) -> VecDeque<T> {
        mem::take(&mut self.buffer)
    }

    /// Reserves a value for the first receiver that waits, if there is one. Returns it, to be woken.
    #[inline(never)]
    fn reserve(&mut self) -> Option<Waker> {
        let (_, receiver) = self.receivers.complete_first(Phase::Done, |_| ())?;
        self.reserved += 1;
        Some(receiver)
    }

    /// Stores the value of the first sender that waits, if there is room or a reservation to be met.
    #[inline(never)]
    fn move_up(&mut self) -> Option<Waker> {
        if self.buffer.len() >= self.capacity.max(self.reserved) {
            return None;
        }
        let (value, sender) = self.take_from_sender()?;
        self.buffer.push_back(value);
        Some(sender)
    }

    fn take_from_sender(&mut self) -> Option<(T, Waker)> {
        let (value, sender) = self.senders.complete_first(Phase::Done, Option::take)?;
        Some((value.expect("a sender that waits has its value in its slot"), sender))
    }
}
