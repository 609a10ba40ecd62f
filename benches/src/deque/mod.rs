//! The `deque` group: what a work-stealing deque and an injector cost, alone and with a thief.

mod cases;
mod crossbeam;
mod tiny_coro;

pub use cases::{deque_cases, injector_cases};
pub use crossbeam::{Crossbeam, CrossbeamInjector};
pub use tiny_coro::{TinyCoro, TinyCoroInjector};

/// What is pushed. Every contender stores it as it is.
pub type Element = usize;

/// A deque with one owner.
pub trait Deque: Sized + 'static {
    /// The end that others have.
    type Stealer: Send + Sync + 'static;

    /// A deque that pops what was pushed last.
    fn lifo() -> Self;

    /// A deque that pops what was pushed first.
    fn fifo() -> Self;

    /// Another end.
    fn stealer(&self) -> Self::Stealer;

    /// Puts an element in.
    fn push(&self, element: Element);

    /// Takes an element out.
    fn pop(&self) -> Option<Element>;

    /// Takes an element out, from another thread. `None` if there is none, or if somebody else was faster.
    fn steal(stealer: &Self::Stealer) -> Option<Element>;
}

/// A queue that everybody pushes to and steals from.
pub trait Injector: Sync + Sized + 'static {
    /// An empty one.
    fn new() -> Self;

    /// Puts an element in.
    fn push(&self, element: Element);

    /// Takes the first element out. `None` if there is none, or if somebody else was faster.
    fn steal(&self) -> Option<Element>;
}
