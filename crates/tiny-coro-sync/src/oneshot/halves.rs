//! The two halves and the memory that they share.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker, ready};

use tiny_coro_prim::budget;
use tiny_coro_prim::cell::UnsafeCell;

use super::state::{End, Half, Snapshot, State};
use super::{RecvError, TryRecvError};

/// The one allocation.
struct Shared<T> {
    state: State,
    value: UnsafeCell<Option<T>>,
    sender_waker: UnsafeCell<Option<Waker>>,
    receiver_waker: UnsafeCell<Option<Waker>>,
}

impl<T> Shared<T> {
    fn waker(&self, half: Half) -> &UnsafeCell<Option<Waker>> {
        match half {
            Half::Sender => &self.sender_waker,
            Half::Receiver => &self.receiver_waker,
        }
    }

    /// Takes the waker of `half` out of its cell.
    ///
    /// # Safety
    ///
    /// By O2 the cell is the caller's: a transition has just said so.
    unsafe fn take_waker(&self, half: Half) -> Option<Waker> {
        // SAFETY: the cell is ours, as the caller promises.
        self.waker(half).with_mut(|waker| unsafe { (*waker).take() })
    }

    /// Takes the waker that `half` left when it waited, so that nobody is woken for it. None if the other half has it.
    ///
    /// # Safety
    ///
    /// The caller is `half`, and has not ended.
    #[inline]
    unsafe fn forget_waker(&self, half: Half, seen: Snapshot) -> Option<Waker> {
        if seen.waits(half) && self.state.retract_waker(half) {
            // SAFETY: O2: retracted, so the cell is the caller's.
            unsafe { self.take_waker(half) }
        } else {
            None
        }
    }

    /// Registers the task of `cx` to be woken when what `half` waits for happens. False if it has happened.
    ///
    /// # Safety
    ///
    /// The caller is `half`, and `seen` is what it saw last: not the event it waits for.
    unsafe fn wait(&self, half: Half, seen: Snapshot, cx: &mut Context<'_>) -> bool {
        if seen.waits(half) && !self.state.retract_waker(half) {
            return false;
        }
        // SAFETY: O2: the bit is clear and the other half had not ended, so it has not taken the cell and won't.
        let kept = self.waker(half).with(|waker| unsafe { &*waker }.as_ref().is_some_and(|w| w.will_wake(cx.waker())));
        let mut old = None;
        if !kept {
            let fresh = Some(cx.waker().clone());
            // SAFETY: O2: as above. The old waker is dropped at the end, when it can do no harm.
            old = self.waker(half).with_mut(|waker| std::mem::replace(unsafe { &mut *waker }, fresh));
        }
        let waits = self.state.publish_waker(half);
        if !waits {
            // SAFETY: O2: not published, so still ours.
            drop(unsafe { self.take_waker(half) });
        }
        drop(old);
        waits
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // To the model checker, freeing is a write to each cell. Compiles to nothing.
        self.value.with_mut(|_| ());
        self.sender_waker.with_mut(|_| ());
        self.receiver_waker.with_mut(|_| ());
    }
}

/// Does what the end of `half` asks for: takes and wakes the other half's waker, frees the memory.
///
/// # Safety
///
/// `end` is the outcome of the transition that ended `half`, which does not use `shared` afterwards.
#[inline]
unsafe fn finish<T>(shared: NonNull<Shared<T>>, half: Half, end: End) {
    match end {
        End::Left => {}
        // SAFETY: O3: both halves have left, this one last, so it is the only owner; it came from a `Box`.
        End::Last => drop(unsafe { Box::from_raw(shared.as_ptr()) }),
        // SAFETY: as the caller promises.
        End::TakeWaker => unsafe { wake_and_leave(shared, half) },
    }
}

/// The part of `finish` for an end that the other half has waited for.
///
/// # Safety
///
/// As `finish`, with `End::TakeWaker`.
unsafe fn wake_and_leave<T>(shared: NonNull<Shared<T>>, half: Half) {
    let other = match half {
        Half::Sender => Half::Receiver,
        Half::Receiver => Half::Sender,
    };
    // SAFETY: O3: this half has not left, so the memory is there.
    let this = unsafe { shared.as_ref() };
    // SAFETY: O2: `TakeWaker` made the cell ours.
    let waker = unsafe { this.take_waker(other) };
    let end = this.state.leave(half);
    if end == End::Last {
        // SAFETY: O3: both halves have left, this one last, so it is the only owner; it came from a `Box`.
        drop(unsafe { Box::from_raw(shared.as_ptr()) });
    }
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Makes a channel for one value.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = tiny_coro_sync::oneshot::channel();
/// let server = std::thread::spawn(move || sender.send(6 * 7));
/// assert_eq!(futures_lite::future::block_on(receiver), Ok(42));
/// assert_eq!(server.join().unwrap(), Ok(()));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = NonNull::from(Box::leak(Box::new(Shared {
        state: State::new(),
        value: UnsafeCell::new(None),
        sender_waker: UnsafeCell::new(None),
        receiver_waker: UnsafeCell::new(None),
    })));
    (Sender { shared }, Receiver { shared })
}

/// The half that sends the value. Dropped unsent, it ends the receiver's wait with an error.
pub struct Sender<T> {
    shared: NonNull<Shared<T>>,
}

// SAFETY: the state machine says which half may touch what, on whatever thread; values and wakers are `Send`.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: through `&Sender` only the state word is read.
unsafe impl<T: Send> Sync for Sender<T> {}

impl<T> Sender<T> {
    #[inline]
    fn shared(&self) -> &Shared<T> {
        // SAFETY: O3: the memory lives until both halves have left, and this one hasn't.
        unsafe { self.shared.as_ref() }
    }

    /// Sends the value and wakes the receiver. Never waits.
    ///
    /// # Errors
    ///
    /// Gives the value back when the receiver has been dropped or closed. `Ok` does not mean that it will be looked at.
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        let shared = self.shared();
        self.forget_waker();
        // SAFETY: O1: before VALUE is set the cell is the sender's.
        shared.value.with_mut(|cell| unsafe { *cell = Some(value) });
        match shared.state.complete(true) {
            Ok(end) => {
                let this = ManuallyDrop::new(self);
                // SAFETY: the sender has just ended, and is not dropped again.
                unsafe { finish(this.shared, Half::Sender, end) };
                Ok(())
            }
            // SAFETY: O1: refused, so VALUE is not set and the cell is still the sender's. `self` ends unsent.
            Err(()) => Err(shared.value.with_mut(|cell| unsafe { (*cell).take() }).expect("it was just put there")),
        }
    }

    /// Tells whether the receiver has been dropped or closed: a value would come back.
    pub fn is_closed(&self) -> bool {
        self.shared().state.load().is_closed()
    }

    /// Waits until the receiver is dropped or closed: the work for the value may stop.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost by dropping the future. The task may be woken once more for it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let (mut sender, receiver) = tiny_coro_sync::oneshot::channel();
    /// drop(receiver);
    /// sender.closed().await;
    /// assert_eq!(sender.send(1), Err(1));
    /// # });
    /// ```
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Polls for the receiver's end. See [`closed`](Self::closed).
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let shared = self.shared();
        loop {
            let seen = shared.state.load();
            if seen.is_closed() {
                return Poll::Ready(());
            }
            // SAFETY: `&mut self` is the sender, and `seen` is not closed.
            if unsafe { shared.wait(Half::Sender, seen, cx) } {
                return Poll::Pending;
            }
        }
    }

    /// Drops the waker that `poll_closed` left, so that nobody is woken for a sender that has ended.
    #[inline]
    fn forget_waker(&self) {
        let shared = self.shared();
        // SAFETY: this is the sender, and it has not ended.
        drop(unsafe { shared.forget_waker(Half::Sender, shared.state.load()) });
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.forget_waker();
        let state = &self.shared().state;
        let end = if state.load().is_gone(Half::Receiver) {
            End::Last
        } else {
            state.complete(false).expect("nothing refuses an end without a value")
        };
        // SAFETY: the sender has just ended.
        unsafe { finish(self.shared, Half::Sender, end) };
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("state", &self.shared().state.load()).finish()
    }
}

/// The half that receives the value: a future of it.
///
/// # Errors
///
/// The future's output is [`RecvError`] when the sender was dropped unsent, when the channel was [closed](Self::close)
/// before the value came, and when the value has been received already.
///
/// # Cancel safety
///
/// Dropping the receiver closes the channel, and drops a value that has arrived. Poll it by reference (`&mut receiver`) to
/// wait for it in several places: nothing is lost between two polls.
#[must_use = "a future does nothing until it is polled"]
pub struct Receiver<T> {
    shared: NonNull<Shared<T>>,
}

// SAFETY: as for the sender.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: as for the sender.
unsafe impl<T: Send> Sync for Receiver<T> {}

impl<T> Receiver<T> {
    #[inline]
    fn shared(&self) -> &Shared<T> {
        // SAFETY: O3: the memory lives until both halves have left, and this one hasn't.
        unsafe { self.shared.as_ref() }
    }

    /// Takes the value if it has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] when it may still come, [`TryRecvError::Closed`] when it never will.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let seen = self.shared().state.load();
        self.look(seen)
    }

    /// Refuses the value if it hasn't come yet. A value that has can still be received.
    pub fn close(&mut self) {
        if self.shared().state.close() {
            // SAFETY: O2: `close` said that the waker is ours to take.
            let waker = unsafe { self.shared().take_waker(Half::Sender) };
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Takes the value if `seen` has it.
    #[inline]
    fn look(&mut self, seen: Snapshot) -> Result<T, TryRecvError> {
        if seen.has_value() {
            // SAFETY: O1: VALUE is set, so the cell is the receiver's.
            let value = self.shared().value.with_mut(|cell| unsafe { (*cell).take() });
            value.ok_or(TryRecvError::Closed)
        } else if seen.is_complete() || seen.is_closed() {
            Err(TryRecvError::Closed)
        } else {
            Err(TryRecvError::Empty)
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(budget::poll_left(cx));
        let this = self.get_mut();
        loop {
            let seen = this.shared().state.load();
            match this.look(seen) {
                Ok(value) => {
                    budget::spend();
                    return Poll::Ready(Ok(value));
                }
                Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError)),
                Err(TryRecvError::Empty) => {}
            }
            // SAFETY: `&mut self` is the receiver, and `seen` is not complete.
            if unsafe { this.shared().wait(Half::Receiver, seen, cx) } {
                return Poll::Pending;
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        let shared = self.shared();
        let seen = shared.state.load();
        let mut waker = None;
        let end = if seen.is_gone(Half::Sender) {
            End::Last
        } else {
            // The sender may live long: it keeps no task in memory that has stopped waiting.
            // SAFETY: this is the receiver, and it has not ended.
            waker = unsafe { shared.forget_waker(Half::Receiver, seen) };
            shared.state.close_and_leave()
        };
        // SAFETY: the receiver has just ended.
        unsafe { finish(self.shared, Half::Receiver, end) };
        drop(waker);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("state", &self.shared().state.load()).finish()
    }
}
