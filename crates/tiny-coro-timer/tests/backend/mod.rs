//! What the backends have in common, so that one test holds both: `fn check<B: Backend>()`.

use tiny_coro_timer::{Key, heap, wheel};

/// A family of queues.
pub(crate) trait Backend {
    type Queue<T>: Queue<T>;
}

#[derive(Debug)]
pub(crate) struct Heap;

impl Backend for Heap {
    type Queue<T> = heap::TimerQueue<T>;
}

#[derive(Debug)]
pub(crate) struct Wheel;

impl Backend for Wheel {
    type Queue<T> = wheel::TimerQueue<T>;
}

/// The inherent methods of each backend's `TimerQueue`.
pub(crate) trait Queue<T>: Default {
    fn with_capacity(capacity: usize) -> Self;
    fn insert(&mut self, deadline: u64, value: T) -> Key;
    fn cancel(&mut self, key: Key) -> Option<T>;
    fn reset(&mut self, key: Key, deadline: u64) -> bool;
    fn get(&self, key: Key) -> Option<&T>;
    fn get_mut(&mut self, key: Key) -> Option<&mut T>;
    fn deadline(&self, key: Key) -> Option<u64>;
    fn next_deadline(&self) -> Option<u64>;
    fn pop_expired(&mut self, now: u64) -> Option<T>;
    fn expire(&mut self, now: u64, fired: impl FnMut(T)) -> usize;
    fn len(&self) -> usize;
    fn is_empty(&self) -> bool;
    fn clear(&mut self);
}

impl<T> Queue<T> for heap::TimerQueue<T> {
    fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity(capacity)
    }
    fn insert(&mut self, deadline: u64, value: T) -> Key {
        self.insert(deadline, value)
    }
    fn cancel(&mut self, key: Key) -> Option<T> {
        self.cancel(key)
    }
    fn reset(&mut self, key: Key, deadline: u64) -> bool {
        self.reset(key, deadline)
    }
    fn get(&self, key: Key) -> Option<&T> {
        self.get(key)
    }
    fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.get_mut(key)
    }
    fn deadline(&self, key: Key) -> Option<u64> {
        self.deadline(key)
    }
    fn next_deadline(&self) -> Option<u64> {
        self.next_deadline()
    }
    fn pop_expired(&mut self, now: u64) -> Option<T> {
        self.pop_expired(now)
    }
    fn expire(&mut self, now: u64, fired: impl FnMut(T)) -> usize {
        self.expire(now, fired)
    }
    fn len(&self) -> usize {
        self.len()
    }
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
    fn clear(&mut self) {
        self.clear();
    }
}

impl<T> Queue<T> for wheel::TimerQueue<T> {
    fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity(capacity)
    }
    fn insert(&mut self, deadline: u64, value: T) -> Key {
        self.insert(deadline, value)
    }
    fn cancel(&mut self, key: Key) -> Option<T> {
        self.cancel(key)
    }
    fn reset(&mut self, key: Key, deadline: u64) -> bool {
        self.reset(key, deadline)
    }
    fn get(&self, key: Key) -> Option<&T> {
        self.get(key)
    }
    fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.get_mut(key)
    }
    fn deadline(&self, key: Key) -> Option<u64> {
        self.deadline(key)
    }
    fn next_deadline(&self) -> Option<u64> {
        self.next_deadline()
    }
    fn pop_expired(&mut self, now: u64) -> Option<T> {
        self.pop_expired(now)
    }
    fn expire(&mut self, now: u64, fired: impl FnMut(T)) -> usize {
        self.expire(now, fired)
    }
    fn len(&self) -> usize {
        self.len()
    }
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
    fn clear(&mut self) {
        self.clear();
    }
}
