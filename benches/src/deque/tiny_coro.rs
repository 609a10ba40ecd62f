//! tiny-coro-deque.

use tiny_coro_deque as ours;

use super::{Deque, Element, Injector};

/// `tiny_coro_deque::Worker`.
#[derive(Debug)]
pub struct TinyCoro(ours::Worker<Element>);

impl Deque for TinyCoro {
    type Stealer = ours::Stealer<Element>;

    fn lifo() -> Self {
        TinyCoro(ours::Worker::lifo())
    }

    fn fifo() -> Self {
        TinyCoro(ours::Worker::fifo())
    }

    fn stealer(&self) -> Self::Stealer {
        self.0.stealer()
    }

    fn push(&self, element: Element) {
        self.0.push(element);
    }

    fn pop(&self) -> Option<Element> {
        self.0.pop()
    }

    fn steal(stealer: &Self::Stealer) -> Option<Element> {
        stealer.steal().success()
    }
}

/// `tiny_coro_deque::Injector`.
#[derive(Debug)]
pub struct TinyCoroInjector(ours::Injector<Element>);

impl Injector for TinyCoroInjector {
    fn new() -> Self {
        TinyCoroInjector(ours::Injector::new())
    }

    fn push(&self, element: Element) {
        self.0.push(element);
    }

    fn steal(&self) -> Option<Element> {
        self.0.steal().success()
    }
}
