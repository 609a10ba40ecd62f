//! `std::task::Waker` on a task: one counted reference, no allocation.

use super::current;
use super::header::{Header, drop_reference};
use super::state::Wake;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// Lends `body` a waker of the task. It counts no reference itself; its clones do.
pub(super) fn with_waker<R>(header: NonNull<Header>, body: impl FnOnce(&Waker) -> R) -> R {
    let raw = RawWaker::new(header.as_ptr().cast_const().cast(), &VTABLE);
    // SAFETY: the functions below keep the contract of `RawWaker`, and the caller's reference outlives this borrow.
    let waker = ManuallyDrop::new(unsafe { Waker::from_raw(raw) });
    body(&waker)
}

/// True if `waker` is one of the task's.
pub(super) fn is_waker_of(waker: &Waker, task: NonNull<Header>) -> bool {
    waker.data() == task.as_ptr().cast_const().cast() && std::ptr::eq(waker.vtable(), &VTABLE)
}

fn header(data: *const ()) -> NonNull<Header> {
    NonNull::new(data.cast_mut().cast()).expect("a task's waker holds a pointer to it")
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned holds a reference.
    unsafe { header(data).as_ref() }.state.reference();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    let header = header(data);
    // SAFETY: this waker holds a reference up to the transition; the vtable is read before, because another thread may free
    // the task right after.
    let vtable = unsafe { header.as_ref() }.vtable;
    // SAFETY: as above; the transition passes the reference on or gives it up.
    match unsafe { header.as_ref() }.state.wake_by_value() {
        // SAFETY: `wake_by_value` has set SCHEDULED and left this waker's reference to the queue.
        Wake::Submit => unsafe { (vtable.submit)(header) },
        Wake::Nothing => {}
        // SAFETY: it was the last reference.
        Wake::Free => unsafe { (vtable.free)(header) },
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    let header = header(data);
    if current::wake(header) {
        return; // a task that gives way: no read-modify-write, since nobody else has to hear of it
    }
    // SAFETY: the waker is borrowed and holds a reference.
    let task = unsafe { header.as_ref() };
    if task.state.wake_by_ref() == Wake::Submit {
        // SAFETY: `wake_by_ref` has set SCHEDULED and counted a reference for the queue.
        unsafe { (task.vtable.submit)(header) };
    }
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker's own reference, given up once.
    unsafe { drop_reference(header(data)) };
}
