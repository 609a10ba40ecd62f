//! The promises of `Mutex`.
#![cfg(not(tiny_coro_loom))]

mod common;

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;

use common::{Wakes, assert_send, assert_sync, block_on, intrusive_waker, poll, poll_once, self_destruction, watchdog};
use tiny_coro_sync::mutex::{Lock, LockOwned};
use tiny_coro_sync::{Mutex, MutexGuard, OwnedMutexGuard};

/// M4, and R3: of 1,000 waiters every second gives up, some of them after they were handed the lock; the others are served
/// in order, each is woken once, and no waker is left behind.
#[test]
fn cancel_storm() {
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let guard = mutex.try_lock().unwrap();
    let (wakes, waker) = Wakes::new();
    let mut waiters: Vec<_> = (0..1000).map(|n| (n, Box::pin(mutex.clone().lock_owned()))).collect();
    for (_, waiter) in &mut waiters {
        assert!(poll(waiter.as_mut(), &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&wakes), 1002);
    drop(guard);
    assert_eq!(wakes.take(), 1, "the first");
    // 0 has the baton and drops it; 2, 4, … leave the queue.
    waiters.retain(|(n, _)| n % 2 == 1);
    assert_eq!(wakes.take(), 1, "the second, for the first");
    for (n, mut waiter) in waiters {
        let std::task::Poll::Ready(mut served) = poll(waiter.as_mut(), &waker) else { panic!("{n} is next") };
        served.push(n);
    }
    assert_eq!(wakes.take(), 499);
    assert_eq!(*mutex.try_lock().unwrap(), (0..1000).filter(|n| n % 2 == 1).collect::<Vec<_>>());
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1);
}

/// M2: from the unlock to the heir's poll the lock belongs to the heir.
#[test]
fn nobody_overtakes() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let (wakes, waker) = Wakes::new();
    let mut heir = pin!(mutex.lock());
    assert!(poll(heir.as_mut(), &waker).is_pending());
    drop(guard);
    assert_eq!(wakes.take(), 1);
    assert!(mutex.try_lock().is_none());
    assert!(poll_once(mutex.lock()).is_pending());
    assert!(poll(heir, &waker).is_ready());
    assert!(mutex.try_lock().is_some());
}

/// A waiter that moves to another task wakes that one, and lets the first one's waker go.
#[test]
fn waker_follows_the_task() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let ((old, old_waker), (new, new_waker)) = (Wakes::new(), Wakes::new());
    let mut waiter = pin!(mutex.lock());
    assert!(poll(waiter.as_mut(), &old_waker).is_pending());
    assert!(poll(waiter.as_mut(), &old_waker).is_pending());
    assert_eq!(Arc::strong_count(&old), 3, "a waker that would wake the same task is not cloned again");
    assert!(poll(waiter.as_mut(), &new_waker).is_pending());
    assert_eq!(Arc::strong_count(&old), 2);
    drop(guard);
    assert_eq!((old.take(), new.take()), (0, 1));
}

/// A panic under the lock unlocks it.
#[test]
fn no_poisoning() {
    let mutex = Arc::new(Mutex::new(1));
    let other = mutex.clone();
    std::thread::spawn(move || {
        let _guard = other.try_lock().unwrap();
        std::panic::resume_unwind(Box::new("on purpose"));
    })
    .join()
    .unwrap_err();
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

/// R1: a waker that comes back to the mutex, whenever it is touched, finds no lock held.
#[test]
fn wakers_are_touched_outside_the_lock() {
    watchdog(|| {
        let mutex = Arc::new(Mutex::new(()));
        let inner = mutex.clone();
        let waker = intrusive_waker(move || drop(poll_once(inner.lock())));
        let guard = mutex.try_lock().unwrap();
        let (mut first, mut second) = (Box::pin(mutex.lock()), Box::pin(mutex.lock()));
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
        assert!(poll(first.as_mut(), std::task::Waker::noop()).is_pending());
        assert!(poll(first.as_mut(), &waker).is_pending());
        drop(guard);
        drop(first);
        assert!(poll(second.as_mut(), &waker).is_ready());
    });
}

/// S5: a waiter owned what it woke not at all, and was used after it was freed. Here the future goes while it is being woken.
#[test]
fn s5_waiter_freed_while_it_is_woken() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.try_lock().unwrap();
    let (bomb, waker) = self_destruction();
    let mut first = Box::pin(mutex.clone().lock_owned());
    assert!(poll(first.as_mut(), &waker).is_pending());
    *bomb.lock().unwrap() = Some(first);
    let mut second = pin!(mutex.lock());
    let (wakes, second_waker) = Wakes::new();
    assert!(poll(second.as_mut(), &second_waker).is_pending());
    drop(guard); // wakes the first, which is freed with the baton in its hands
    assert!(bomb.lock().unwrap().is_none());
    assert_eq!(wakes.take(), 1, "and passed it on");
    assert!(poll(second, &second_waker).is_ready());
}

#[test]
fn guards_and_accessors() {
    let mutex = Arc::new(Mutex::from(5));
    let mut guard = block_on(mutex.clone().lock_owned());
    *guard += 1;
    assert_eq!(
        (format!("{guard} {guard:?}"), format!("{mutex:?}")),
        ("6 6".into(), "Mutex { value: <locked> }".into())
    );
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    assert!(mutex.clone().try_lock_owned().is_none());
    drop(guard);
    assert_eq!(format!("{mutex:?}"), "Mutex { value: 6 }");
    let unsized_mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    assert_eq!(block_on(unsized_mutex.lock()).len(), 3);
    let mut mutex = Arc::into_inner(mutex).unwrap();
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 7);
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);
}

/// A `T: Send` is enough for everything but sharing a guard.
#[test]
fn auto_traits() {
    fn check(mutex: &Arc<Mutex<Cell<u8>>>, guard: MutexGuard<'_, Cell<u8>>, owned: OwnedMutexGuard<Cell<u8>>) {
        assert_send(&**mutex);
        assert_sync(&**mutex);
        assert_send(&guard);
        assert_send(&owned);
        let (lock, lock_owned): (Lock<'_, _>, LockOwned<_>) = (mutex.lock(), mutex.clone().lock_owned());
        assert_send(&lock);
        assert_send(&lock_owned);
    }
    fn share(guard: MutexGuard<'_, u8>, owned: OwnedMutexGuard<u8>) {
        assert_sync(&guard);
        assert_sync(&owned);
    }
    let _ = (check, share);
}
