//! Where those who wait for one direction of a source leave their wakers.

use std::mem;
use std::task::Waker;
use tiny_coro_prim::sync::Mutex;

/// The waiters of one direction (invariant R3 of the crate page): one that polls by hand, and any number of futures.
///
/// A mutex, held for a compare and a move: user code (a waker's clone, wake or drop) never runs under it.
#[derive(Debug)]
pub(crate) struct Waiters(Mutex<Wakers>);

#[derive(Debug, Default)]
struct Wakers {
    polled: Option<Waker>,
    /// The futures' places. Made for the first future: most sources are only polled, and there are many sources.
    #[expect(clippy::box_collection, reason = "one word instead of three in each idle source")]
    places: Option<Box<Vec<Place>>>,
}

#[derive(Debug)]
enum Place {
    Free,
    /// Its future was woken, and has not looked yet.
    Woken,
    Waiting(Waker),
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Leaves `waker` as the polling waiter's. The caller looks at the readiness again afterwards.
    pub(crate) fn register(&self, waker: &Waker) {
        if self.0.lock().polled.as_ref().is_some_and(|old| old.will_wake(waker)) {
            return;
        }
        let new = waker.clone();
        let replaced = self.0.lock().polled.replace(new);
        drop(replaced); // after the lock
    }

    /// Leaves `waker` in the future's place, which it gets with its first one. The caller looks at the readiness again
    /// afterwards, and calls [`leave`](Waiters::leave) when it waits no more.
    pub(crate) fn enlist(&self, place: &mut Option<usize>, waker: &Waker) {
        if place.is_some_and(|index| self.0.lock().waits(index, waker)) {
            return;
        }
        let new = waker.clone();
        let replaced = self.0.lock().put(place, new);
        drop(replaced); // after the lock
    }

    /// Gives up a place.
    pub(crate) fn leave(&self, place: usize) {
        let replaced = self.0.lock().free(place);
        drop(replaced); // after the lock
    }

    /// Moves the wakers of all waiters to `woken`. The caller has set the readiness before.
    pub(crate) fn take(&self, woken: &mut Vec<Waker>) {
        let mut wakers = self.0.lock();
        woken.extend(wakers.polled.take());
        for place in wakers.places.iter_mut().flat_map(|places| places.iter_mut()) {
            if matches!(place, Place::Waiting(_))
                && let Place::Waiting(waker) = mem::replace(place, Place::Woken)
            {
                woken.push(waker);
            }
        }
    }
}

impl Wakers {
    fn waits(&self, index: usize, waker: &Waker) -> bool {
        let place = self.places.as_ref().and_then(|places| places.get(index));
        matches!(place, Some(Place::Waiting(old)) if old.will_wake(waker))
    }

    fn put(&mut self, place: &mut Option<usize>, waker: Waker) -> Place {
        let places = self.places.get_or_insert_with(|| Box::new(Vec::with_capacity(1)));
        let index = *place.get_or_insert_with(|| {
            places.iter().position(|place| matches!(place, Place::Free)).unwrap_or_else(|| {
                places.push(Place::Free);
                places.len() - 1
            })
        });
        mem::replace(&mut places[index], Place::Waiting(waker))
    }

    fn free(&mut self, index: usize) -> Place {
        let Some(places) = &mut self.places else { return Place::Free };
        let old = mem::replace(&mut places[index], Place::Free);
        // The list is as long as its last waiter needs it to be: a search for a free place stays short.
        while places.last().is_some_and(|last| matches!(last, Place::Free)) {
            places.pop();
        }
        old
    }
}
