//! Pointers and their tags.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::names::{Atomic, Owned, Shared, pin, unprotected};

#[test]
fn a_tag_is_as_wide_as_the_alignment_allows() {
    let guard = &pin();
    let byte = Shared::<u8>::null();
    let word = Shared::<u64>::null();
    assert_eq!((byte.with_tag(1).tag(), word.with_tag(7).tag(), word.with_tag(9).tag()), (0, 7, 1));
    assert!(word.with_tag(7).is_null() && word.with_tag(7) != word && word.with_tag(7) > word);

    let owned = Owned::new(5_u64).with_tag(3);
    assert_eq!((*owned, owned.tag(), owned.clone().tag()), (5, 3, 3));
    let shared = owned.into_shared(guard);
    // SAFETY: nobody else has the object.
    unsafe {
        assert_eq!((*shared.deref(), shared.tag(), shared.as_raw().addr() % 8), (5, 3, 0));
        assert_eq!(*shared.with_tag(1).into_owned().into_box(), 5);
    }
}

#[test]
fn an_atomic_exchanges_pointer_and_tag_together() {
    let guard = &pin();
    let atomic = Atomic::null();
    assert!(atomic.load(SeqCst, guard).is_null());
    atomic.store(Owned::new(1_u32), SeqCst);
    let first = atomic.load(SeqCst, guard);

    // The same pointer with another tag is another value.
    let error = atomic.compare_exchange(first.with_tag(1), Owned::new(2), SeqCst, SeqCst, guard).unwrap_err();
    assert_eq!((error.current, *error.new), (first, 2));
    let second = atomic.compare_exchange(first, error.new.with_tag(2), SeqCst, SeqCst, guard).unwrap();
    assert_eq!((second.tag(), atomic.load(SeqCst, guard)), (2, second));
    let third = loop {
        match atomic.compare_exchange_weak(second, second.with_tag(0), SeqCst, Relaxed, guard) {
            Ok(stored) => break stored,
            Err(error) => assert_eq!(error.current, second),
        }
    };
    assert_eq!(atomic.swap(Shared::null(), SeqCst, guard), third);
    // SAFETY: nobody else has the objects.
    unsafe {
        assert_eq!((*first.into_owned(), *third.try_into_owned().unwrap()), (1, 2));
        assert!(atomic.try_into_owned().is_none());
    }
}

#[test]
fn tags_are_changed_in_place() {
    let guard = &pin();
    let atomic = Atomic::<u64>::from(Owned::new(1_u64).with_tag(0b011));
    let pointer = atomic.load(Relaxed, guard).with_tag(0);
    assert_eq!(atomic.fetch_or(0b100, SeqCst, guard).tag(), 0b011);
    assert_eq!(atomic.fetch_and(0b110, SeqCst, guard).tag(), 0b111);
    assert_eq!(atomic.fetch_xor(0b011, SeqCst, guard).tag(), 0b110);
    assert_eq!(atomic.load(SeqCst, guard), pointer.with_tag(0b101));
    // Bits beyond the alignment are the pointer's: they stay.
    atomic.fetch_or(!0, SeqCst, guard);
    atomic.fetch_xor(!0, SeqCst, guard);
    atomic.fetch_and(0, SeqCst, guard);
    assert_eq!(atomic.load(SeqCst, guard), pointer);

    let counted = atomic.fetch_update(SeqCst, SeqCst, guard, |found| Some(found.with_tag(found.tag() + 1)));
    assert_eq!((counted, atomic.load(SeqCst, guard).tag()), (Ok(pointer), 1));
    assert_eq!(atomic.fetch_update(SeqCst, SeqCst, guard, |_| None), Err(pointer.with_tag(1)));
    // SAFETY: nobody else has the object.
    assert_eq!(unsafe { *atomic.into_owned() }, 1);
}

#[test]
fn whoever_owns_drops_once() {
    #[derive(Clone)]
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let make = || Counted(dropped.clone());
    drop(Owned::new(make()));
    drop(Owned::<Counted>::from(Box::new(make())).with_tag(1));
    drop(Owned::new(make()).into_box());
    // SAFETY: it comes from a box, and nobody else has it.
    drop(unsafe { Owned::from_raw(Box::into_raw(Box::new(make()))) });
    assert_eq!(dropped.load(Relaxed), 4);

    // SAFETY: nobody else has any of them.
    unsafe {
        let guard = unprotected();
        let atomic = Atomic::<Counted>::from(make());
        let mut shared = atomic.load(Relaxed, guard);
        let seen = Arc::strong_count(&shared.deref_mut().0);
        assert!(seen > 1 && shared.as_ref().is_some() && Shared::<Counted>::null().as_ref().is_none());
        guard.defer_destroy(shared);
        assert_eq!(dropped.load(Relaxed), 5);
        drop(Atomic::<Counted>::from(Box::new(make())).into_owned());
        drop(Atomic::<Counted>::from(Shared::from(Box::into_raw(Box::new(make())).cast_const())).into_owned());
    }
    assert_eq!(dropped.load(Relaxed), 7);
}

#[test]
fn what_may_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Atomic<u64>>();
    crosses::<Owned<u64>>();
}
