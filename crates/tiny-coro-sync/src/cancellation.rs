//! A token that tells many coroutines to stop.
//!
//! Tokens form a tree: cancelling one cancels its children, and theirs, and nothing above. Cancelling is a request: who holds a token
//! looks at it, or waits for it beside its work, and stops in its own good time.
//!
//! ```text
//!        server ●───────────┐           server.cancel() reaches all three;
//!               │           │           connection.cancel() reaches connection and request
//!        connection ●   connection ●
//!               │
//!         request ●
//! ```
//!
//! A node points to its parent, and counts as a reference to it; the parent knows its children weakly. So a token that nobody has any
//! more is gone, unless it has descendants, which must still hear of what is above it.
//!
//! | ID | always true | kept by | relied on by | model |
//! |----|-------------|---------|--------------|-------|
//! | X1 | a waiter that registers either finds the token cancelled or is woken by who cancels it | the node's lock: looking and registering are one critical section, setting and taking the wakers another | `cancelled` | `x1_*` |
//! | X2 | a child that is made either finds its parent cancelled or is cancelled with it | as above, for the list of children | `child_token` | `x2_*` |
//!
//! # Example
//!
//! ```
//! use futures_lite::future;
//! use tiny_coro_sync::CancellationToken;
//!
//! let token = CancellationToken::new();
//! let child = token.child_token();
//! let work = child.run_until_cancelled(future::pending::<()>());
//! token.cancel();
//! assert_eq!(future::block_on(work), None);
//! ```

use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use tiny_coro_prim::atomic::{AtomicBool, Ordering};
use tiny_coro_prim::sync::Mutex;

/// Tells many coroutines to stop. Clones are the same token.
#[derive(Clone)]
pub struct CancellationToken {
    node: Arc<Node>,
}

struct Node {
    /// Written under the lock; read without it as an answer to `is_cancelled`.
    cancelled: AtomicBool,
    state: Mutex<State>,
    /// The parent, and this node's place in its list.
    parent: Option<(Arc<Node>, usize)>,
}

#[derive(Default)]
struct State {
    waiters: Places<Waker>,
    children: Places<Weak<Node>>,
}

/// Values that stay in their places.
struct Places<T> {
    places: Vec<Option<T>>,
    vacant: Vec<usize>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { places: Vec::new(), vacant: Vec::new() }
    }
}

impl<T> Places<T> {
    fn insert(&mut self, value: T) -> usize {
        match self.vacant.pop() {
            Some(place) => {
                self.places[place] = Some(value);
                place
            }
            None => {
                self.places.push(Some(value));
                self.places.len() - 1
            }
        }
    }

    fn remove(&mut self, place: usize) -> Option<T> {
        let value = self.places.get_mut(place)?.take();
        if value.is_some() {
            self.vacant.push(place);
        }
        value
    }
}

impl Node {
    fn is_cancelled(&self) -> bool {
        // ORDERING X1: acquire. Pairs with the release in `cancel`: who sees it sees what came before the call.
        self.cancelled.load(Ordering::Acquire)
    }

    /// Cancels this node alone, and returns whom to wake and whom to cancel next.
    fn cancel(&self) -> State {
        let mut state = self.state.lock();
        // ORDERING X1: release. Pairs with the acquire in `is_cancelled`.
        self.cancelled.store(true, Ordering::Release);
        mem::take(&mut *state)
    }
}

impl Drop for Node {
    /// Takes the node out of its parent's list; in a loop, because a long chain of parents may end with it.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some((parent, place)) = next {
            let removed = parent.state.lock().children.remove(place);
            drop(removed); // outside the lock: it may free memory
            next = Arc::into_inner(parent).and_then(|mut node| node.parent.take());
        }
    }
}

impl CancellationToken {
    /// A token that is not cancelled, and has no parent.
    pub fn new() -> Self {
        Self::with_parent(None)
    }

    fn with_parent(parent: Option<(Arc<Node>, usize)>) -> Self {
        let state = Mutex::new(State::default());
        Self { node: Arc::new(Node { cancelled: AtomicBool::new(false), state, parent }) }
    }

    /// A token that is cancelled with this one, and can be by itself.
    pub fn child_token(&self) -> Self {
        let node = Arc::new_cyclic(|child| {
            let place = {
                let mut state = self.node.state.lock();
                // Looking and entering under one lock (X2).
                (!self.node.is_cancelled()).then(|| state.children.insert(child.clone()))
            };
            Node {
                cancelled: AtomicBool::new(place.is_none()),
                state: Mutex::new(State::default()),
                parent: place.map(|place| (self.node.clone(), place)),
            }
        });
        let child = Self { node };
        // While it was being made the weak reference led nowhere, and who cancelled the parent then has missed it. Whoever gets the
        // lock after this finds the child.
        let missed = {
            let _state = self.node.state.lock();
            self.is_cancelled()
        };
        if missed {
            child.cancel();
        }
        child
    }

    /// Cancels this token and all below it, and wakes who waits for them. Has no effect on a token that is cancelled.
    pub fn cancel(&self) {
        let mut nodes = vec![self.node.clone()];
        while let Some(node) = nodes.pop() {
            let State { waiters, children } = node.cancel();
            nodes.extend(children.places.iter().flatten().filter_map(Weak::upgrade));
            waiters.places.into_iter().flatten().for_each(Waker::wake);
        }
    }

    /// True once the token, or one above it, has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    /// Completes when the token is cancelled; at once, if it is.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled { token: self, place: None }
    }

    /// As [`cancelled`](CancellationToken::cancelled), for a future that must not borrow.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn cancelled_owned(self) {
        self.cancelled().await;
    }

    /// Runs `future` until it completes or the token is cancelled, which gives `None`. A future that is ready wins.
    ///
    /// # Cancel safety
    ///
    /// That of `future`.
    pub fn run_until_cancelled<F: Future>(&self, future: F) -> impl Future<Output = Option<F::Output>> {
        RunUntilCancelled { future, cancelled: self.cancelled() }
    }

    /// A guard that cancels the token when it is dropped.
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// The future of [`CancellationToken::cancelled`].
#[must_use = "a future does nothing until it is polled"]
pub struct Cancelled<'a> {
    token: &'a CancellationToken,
    place: Option<usize>,
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let node = &self.token.node;
        if node.is_cancelled() {
            self.place = None;
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut state = node.state.lock();
        // Looking and registering under one lock (X1).
        if node.is_cancelled() {
            drop(state);
            self.place = None;
            return Poll::Ready(());
        }
        let old = self.place.and_then(|place| state.waiters.remove(place));
        let place = state.waiters.insert(waker);
        drop(state);
        drop(old); // after the lock: it may run user code
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = self.token.node.state.lock();
        // Once cancelled the list is empty, and stays so.
        let waker = state.waiters.remove(place);
        drop(state);
        drop(waker); // after the lock: it may run user code
    }
}

impl fmt::Debug for Cancelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").field("token", self.token).finish_non_exhaustive()
    }
}

pin_project! {
    struct RunUntilCancelled<'a, F> {
        #[pin]
        future: F,
        cancelled: Cancelled<'a>,
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Some(output));
        }
        Pin::new(this.cancelled).poll(cx).map(|()| None)
    }
}

/// Cancels its token when it is dropped; from [`CancellationToken::drop_guard`].
#[derive(Debug)]
#[must_use = "dropping the guard cancels the token"]
pub struct DropGuard {
    token: Option<CancellationToken>,
}

impl DropGuard {
    /// Gives the token back, not cancelled.
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect("only `disarm` and `drop` take the token, and each ends the guard")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}
