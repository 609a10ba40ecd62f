//! The way of a request body from the connection to its reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::BodyError;

/// Carries a request body from the connection (the *feeder*) to whoever holds the [`Body`](super::Body) (the *reader*),
/// one piece at a time.
///
/// Back-pressure: the feeder reads the socket only after the reader has found the pipe empty and said so (`wanted`), so
/// that one piece and one receive buffer are all that a slow handler can pile up.
///
/// Reader and feeder mostly are one task: the handler runs inside the connection's poll. Neither then wakes the other:
///
/// | ID | always true | kept by |
/// |---|---|---|
/// | B1 | a feeder that is not inside its poll is woken when the demand differs from what it saw last | `leave`, `poll_next`, `drop` |
/// | B2 | a reader that was polled from inside the feeder's poll is polled again there after a delivery | the connection's loop |
/// | B3 | any other reader is woken by a delivery and by the end | `wake_reader` |
#[derive(Debug)]
struct Pipe {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    piece: Option<Bytes>,
    end: Option<Result<(), BodyError>>,
    over: bool,
    wanted: bool,
    reader_gone: bool,
    /// Bytes that are still to come, where the length was declared.
    remaining: Option<u64>,
    reader: Option<Waker>,
    /// The reader was last polled from inside the feeder's poll.
    reader_is_local: bool,
    /// The feeder's task; taken by whoever wakes it.
    feeder: Option<Waker>,
    /// The feeder's task is inside its poll and will look here before it leaves.
    inside: bool,
}

/// Says what the reader is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It waits for a piece.
    Wanted,
    /// It is busy with the last one, or did not begin.
    NotYet,
    /// It was dropped: nobody will read the rest.
    Gone,
}

impl State {
    /// Takes what there is for the reader: a piece, an error, or the end.
    fn take(&mut self) -> Option<Option<Result<Bytes, BodyError>>> {
        if let Some(piece) = self.piece.take() {
            return Some(Some(Ok(piece)));
        }
        if self.over {
            return Some(None);
        }
        let end = self.end.take()?;
        self.over = true;
        Some(end.err().map(Err))
    }

    fn demand(&self) -> Demand {
        match (self.reader_gone, self.wanted) {
            (true, _) => Demand::Gone,
            (false, true) => Demand::Wanted,
            (false, false) => Demand::NotYet,
        }
    }
}

/// Makes a pipe. The caller is the feeder's task, inside its poll.
pub(crate) fn pipe(remaining: Option<u64>, cx: &Context<'_>) -> (Feeder, Reader) {
    let feeder = Some(cx.waker().clone());
    let pipe = Arc::new(Pipe { state: Mutex::new(State { remaining, feeder, inside: true, ..State::default() }) });
    (Feeder { pipe: Arc::clone(&pipe) }, Reader { pipe })
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under this lock, wakers are cloned before it and dropped after it: a poisoned state is
        // still a consistent one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection's end. Dropping it ends the body with [`BodyError::Disconnected`] unless it was ended before.
#[derive(Debug)]
pub(crate) struct Feeder {
    pipe: Arc<Pipe>,
}

impl Feeder {
    /// Says that the feeder's poll begins: it need not be woken until it leaves.
    pub(crate) fn enter(&self, cx: &Context<'_>) {
        let mut state = self.pipe.lock();
        // From here on nobody takes the waker.
        state.inside = true;
        if wakes(&state.feeder, cx) {
            return;
        }
        drop(state);
        let fresh = cx.waker().clone();
        let old = self.pipe.lock().feeder.replace(fresh);
        drop(old);
    }

    /// Says that the feeder's poll ends, after it saw `seen`: from now on a change wakes it. A change that came in between
    /// wakes it at once.
    pub(crate) fn leave(&self, seen: Demand, cx: &Context<'_>) {
        let mut state = self.pipe.lock();
        state.inside = false;
        let changed = state.demand() != seen;
        drop(state);
        if changed {
            cx.waker().wake_by_ref();
        }
    }

    /// Asks whether a piece is wanted.
    pub(crate) fn demand(&self) -> Demand {
        self.pipe.lock().demand()
    }

    /// Whether the reader still exists.
    pub(crate) fn has_reader(&self) -> bool {
        !self.pipe.lock().reader_gone
    }

    /// Hands a piece over. Only after [`Demand::Wanted`].
    pub(crate) fn deliver(&self, piece: Bytes) {
        let mut state = self.pipe.lock();
        debug_assert!(state.piece.is_none());
        state.remaining = state.remaining.map(|left| left.saturating_sub(piece.len() as u64));
        state.piece = Some(piece);
        state.wanted = false;
        wake_reader(state);
    }

    /// Ends the body.
    pub(crate) fn finish(&self, end: Result<(), BodyError>) {
        let mut state = self.pipe.lock();
        if state.end.is_none() && !state.over {
            state.end = Some(end);
            state.wanted = false;
            wake_reader(state);
        }
    }
}

fn wakes(waker: &Option<Waker>, cx: &Context<'_>) -> bool {
    waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
}

fn wake_reader(mut state: MutexGuard<'_, State>) {
    let waker = state.reader.take();
    let is_local = state.inside && state.reader_is_local;
    drop(state);
    if let Some(waker) = waker
        && !is_local
    {
        waker.wake();
    }
}

fn wake_feeder(mut state: MutexGuard<'_, State>) {
    if !state.inside
        && let Some(feeder) = state.feeder.take()
    {
        drop(state);
        feeder.wake();
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        let mut state = self.pipe.lock();
        if state.end.is_none() && !state.over {
            state.end = Some(Err(BodyError::Disconnected));
        }
        let feeder = state.feeder.take();
        // Nobody polls on behalf of this pipe any more.
        state.inside = false;
        wake_reader(state);
        drop(feeder);
    }
}

/// The application's end, inside a [`Body`](super::Body).
#[derive(Debug)]
pub(crate) struct Reader {
    pipe: Arc<Pipe>,
}

impl Reader {
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let mut state = self.pipe.lock();
        if let Some(item) = state.take() {
            return Poll::Ready(item);
        }
        let mut old = None;
        if !wakes(&state.reader, cx) {
            drop(state);
            let fresh = cx.waker().clone();
            state = self.pipe.lock();
            // It may have come meanwhile.
            if let Some(item) = state.take() {
                drop(state);
                return Poll::Ready(item);
            }
            old = state.reader.replace(fresh);
        }
        state.wanted = true;
        state.reader_is_local = state.inside && wakes(&state.feeder, cx);
        wake_feeder(state);
        drop(old);
        Poll::Pending
    }

    /// Bytes that are still to come, where that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        let state = self.pipe.lock();
        let waiting = state.piece.as_ref().map_or(0, Bytes::len) as u64;
        state.remaining.map(|left| left + waiting)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.pipe.lock();
        state.reader_gone = true;
        let left = (state.reader.take(), state.piece.take());
        wake_feeder(state);
        drop(left);
    }
}
