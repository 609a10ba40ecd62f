//! crossbeam-deque.

use crossbeam_deque as theirs;

use super::{Deque, Element, Injector};

/// `crossbeam_deque::Worker`.
#[derive(Debug)]
pub struct Crossbeam(theirs::Worker<Element>);

impl Deque for Crossbeam {
    type Stealer = theirs::Stealer<Element>;

    fn lifo() -> Self {
        Crossbeam(theirs::Worker::new_lifo())
    }

    fn fifo() -> Self {
        Crossbeam(theirs::Worker::new_fifo())
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

/// `crossbeam_deque::Injector`.
#[derive(Debug)]
pub struct CrossbeamInjector(theirs::Injector<Element>);

impl Injector for CrossbeamInjector {
    fn new() -> Self {
        CrossbeamInjector(theirs::Injector::new())
    }

    fn push(&self, element: Element) {
        self.0.push(element);
    }

    fn steal(&self) -> Option<Element> {
        self.0.steal().success()
    }
}
