//! Handlers without their types, and the boxes of their futures.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::request::Request;
use crate::response::{IntoResponse, Response};

/// A handler without its type.
pub(crate) trait ErasedHandler: Send + Sync {
    /// Calls the handler and puts its future into `slots`, where it becomes the current one.
    fn call(&self, request: Request, slots: &mut Slots);
}

impl<H, F> ErasedHandler for H
where
    H: Fn(Request) -> F + Send + Sync,
    F: Future + Send + 'static,
    F::Output: IntoResponse,
{
    fn call(&self, request: Request, slots: &mut Slots) {
        let future = self(request);
        slots.place(future);
    }
}

/// How many types of future keep their box.
const KEPT: usize = 8;
/// A future larger than this gives its box back at once.
const KEPT_SIZE: usize = 4 * 1024;

/// Keeps the boxes of handler futures from one request to the next: a box is allocated when a handler runs for the first
/// time, not for every request. It is the safe answer to erased futures: a box is found again by its type.
#[derive(Default)]
pub(crate) struct Slots {
    boxes: Vec<Box<dyn Slot>>,
    current: usize,
}

/// Says what became of the handler.
pub(crate) enum Outcome {
    Response(Response),
    Panicked,
}

impl Slots {
    fn place<F>(&mut self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: IntoResponse,
    {
        let fits = |slot: &dyn Slot| (slot as &dyn Any).is::<TypedSlot<F>>();
        if !self.boxes.get(self.current).is_some_and(|slot| fits(&**slot)) {
            match self.boxes.iter().position(|slot| fits(&**slot)) {
                Some(found) => self.current = found,
                None => {
                    if self.boxes.len() == KEPT {
                        self.boxes.remove(0);
                    }
                    self.current = self.boxes.len();
                    self.boxes.push(Box::new(TypedSlot::<F>(Box::pin(None))));
                }
            }
        }
        if let Some(slot) = (&mut *self.boxes[self.current] as &mut dyn Any).downcast_mut::<TypedSlot<F>>() {
            slot.0.set(Some(future));
        }
    }

    /// Calls `handler`; a panic in it is a [`Outcome::Panicked`] at the next poll.
    pub(crate) fn start(&mut self, handler: &dyn ErasedHandler, request: Request) -> bool {
        // The handler is lost to the request if it panics, and the slots hold no half-made state: a slot is either
        // set or not.
        catch_unwind(AssertUnwindSafe(|| handler.call(request, self))).is_ok()
    }

    /// Polls the current future. The answer ends it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let Some(slot) = self.boxes.get_mut(self.current) else { return Poll::Ready(Outcome::Panicked) };
        // The future is dropped after a panic, whatever state that left it in.
        match catch_unwind(AssertUnwindSafe(|| slot.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => {
                if slot.size() > KEPT_SIZE {
                    self.boxes.swap_remove(self.current);
                    self.current = 0;
                }
                Poll::Ready(Outcome::Response(response))
            }
            Err(_) => {
                self.clear();
                Poll::Ready(Outcome::Panicked)
            }
        }
    }

    /// Drops the current future, if it is still there.
    pub(crate) fn clear(&mut self) {
        let Some(slot) = self.boxes.get_mut(self.current) else { return };
        if catch_unwind(AssertUnwindSafe(|| slot.clear())).is_err() || slot.size() > KEPT_SIZE {
            // What panicked while it was dropped is not touched again.
            let slot = self.boxes.swap_remove(self.current);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(slot)));
            self.current = 0;
        }
    }
}

trait Slot: Any + Send {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Response>;
    fn clear(&mut self);
    fn size(&self) -> usize;
}

/// Two boxes, so that the outer one can move while the future stays where it is: pinning without `unsafe`.
struct TypedSlot<F>(Pin<Box<Option<F>>>);

impl<F> Slot for TypedSlot<F>
where
    F: Future + Send + 'static,
    F::Output: IntoResponse,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Response> {
        let Some(future) = self.0.as_mut().as_pin_mut() else {
            unreachable!("a handler is polled only between its call and its answer")
        };
        match future.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(output) => {
                self.0.set(None);
                Poll::Ready(output.into_response())
            }
        }
    }

    fn clear(&mut self) {
        self.0.set(None);
    }

    fn size(&self) -> usize {
        size_of::<F>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_box_goes_with_its_answer_and_a_small_one_stays() {
        let mut slots = Slots::default();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for _ in 0..2 {
            slots.place(async {});
            assert!(slots.poll(&mut cx).is_ready());
            slots.place(async {
                let large = [0_u8; 2 * KEPT_SIZE];
                std::future::ready(()).await;
                large.len().to_string()
            });
            assert_eq!(slots.boxes.len(), 2);
            assert!(slots.poll(&mut cx).is_ready());
            assert_eq!(slots.boxes.len(), 1);
        }
    }
}
