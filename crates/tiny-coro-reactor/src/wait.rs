//! The future behind `readable`, `writable` and `ready`.

use crate::readiness::{Direction, Ready};
use crate::registry::IoState;
use crate::source::checked;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tiny_coro_poller::Interest;
use tiny_coro_prim::budget;

const DIRECTIONS: [Direction; 2] = [Direction::Read, Direction::Write];

/// Waits for either of the directions in `interest`, beside any number of others.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    state: &'a IoState,
    interest: Interest,
    /// Its places among the waiters, by direction.
    places: [Option<usize>; 2],
}

impl<'a> Wait<'a> {
    pub(crate) fn new(state: &'a IoState, interest: Interest) -> Self {
        Self { state, interest, places: [None; 2] }
    }
}

/// Refuses to wait for what the operating system does not watch: it would be for ever.
pub(crate) fn watched(state: &IoState, interest: Interest) -> io::Result<()> {
    let watched = state.interest | interest == state.interest;
    if watched {
        return Ok(());
    }
    let message = format!("{interest:?} is not watched: the source was registered for {:?}", state.interest);
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

impl Future for Wait<'_> {
    type Output = io::Result<Ready>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(ready) = this.state.readiness.get(this.interest) {
            return budget::poll_proceed(cx).map(|()| checked(ready));
        }
        watched(this.state, this.interest)?;
        for (direction, place) in DIRECTIONS.into_iter().zip(&mut this.places) {
            if this.interest | direction.interest() == this.interest {
                this.state.waiters(direction).enlist(place, cx.waker());
            }
        }
        // ORDERING R3: the waiters' mutex. Enlist, then look again: `publish` sets the readiness, then takes the wakers.
        match this.state.readiness.get(this.interest) {
            Some(ready) => Poll::Ready(checked(ready)),
            None => Poll::Pending,
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        for (direction, place) in DIRECTIONS.into_iter().zip(self.places) {
            if let Some(place) = place {
                self.state.waiters(direction).leave(place);
            }
        }
    }
}
