//! The cooperative budget: a task whose operations are always ready gives way after a while.
//!
//! Polls are not interrupted. A task that receives from a channel that never runs dry, or reads from a socket that always has more,
//! never answers `Pending` by itself, and its worker's other tasks starve. So the futures at the leaves count: a scheduler calls
//! [`reset`] before each poll of a task, each ready operation costs one unit, and with none left the operation wakes the task and
//! answers `Pending`, so the task goes to the back of its queue.
//!
//! It is here because every layer takes part: sockets, channels, locks, join handles, sleeps. Outside a task of a scheduler that
//! sets one the budget is unlimited, so a leaf future behaves under any executor as if there were none.
//!
//! A leaf future that can look whether it is ready before it changes anything calls [`poll_proceed`] when it is. One that can't, since
//! looking would already take the item, asks [`poll_left`] first and calls [`spend`] when it is done. Neither refuses what has
//! waited and was handed something: that would only hold up the next in line. A future that is refused again and again beside a greedy one,
//! in one task, is let on once in 64 times.
//!
//! Under the model checker there is no budget: its threads share one of the operating system's.

use std::cell::Cell;
use std::task::{Context, Poll};

/// How many ready operations a task may do in one poll, by default.
pub const DEFAULT: u32 = 128;

/// No limit: what a thread starts with.
pub const UNLIMITED: u32 = u32::MAX;

/// One refusal in so many is forgiven, by chance, with a new budget that nobody has reset: a task may run an executor of its own,
/// which polls again and again inside one poll, and must not do so for ever; and where several futures are polled together, the
/// first may spend what there is in each poll, and the others must come to something. By chance, since any fixed number could fall on
/// the same one of them each time.
const PATIENCE: u32 = 64;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(UNLIMITED) };
    static CHANCE: Cell<u32> = const { Cell::new(0) };
}

/// Gives the task that is about to be polled on this thread `units` ready operations; [`UNLIMITED`] lifts the limit.
#[inline]
pub fn reset(units: u32) {
    if !cfg!(tiny_coro_loom) {
        LEFT.set(units);
    }
}

/// How many ready operations the task on this thread has left.
#[inline]
pub fn left() -> u32 {
    LEFT.get()
}

/// Calls `body` without a limit. What was left is left afterwards, also after a panic.
pub fn unlimited<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(u32);
    impl Drop for Restore {
        fn drop(&mut self) {
            reset(self.0);
        }
    }
    let _restore = Restore(left());
    reset(UNLIMITED);
    body()
}

/// Wakes the task and answers `Pending` if no unit is left.
#[inline]
pub fn poll_left(cx: &mut Context<'_>) -> Poll<()> {
    if LEFT.get() > 0 { Poll::Ready(()) } else { refuse(cx) }
}

/// Takes one unit, if there is one.
#[inline]
pub fn spend() {
    let left = LEFT.get();
    if left != UNLIMITED {
        LEFT.set(left.saturating_sub(1));
    }
}

/// Takes one unit, or wakes the task and answers `Pending` if none is left.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<()> {
    poll_left(cx).map(|()| spend())
}

#[cold]
fn refuse(cx: &Context<'_>) -> Poll<()> {
    // A linear congruential generator (Knuth, TAOCP 2, 3.3.4), whose high bits are good enough to roll a die.
    CHANCE.set(CHANCE.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    if CHANCE.get() / (u32::MAX / PATIENCE + 1) == 0 {
        reset(DEFAULT);
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

#[cfg(all(test, not(tiny_coro_loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Units are counted, a refusal wakes, and who goes on polling without a scheduler is let on after a while.
    #[test]
    fn it_refuses_and_forgives() {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        assert_eq!(left(), UNLIMITED);
        spend();
        assert!(poll_proceed(&mut cx).is_ready());
        assert_eq!(left(), UNLIMITED);
        reset(2);
        assert!(poll_proceed(&mut cx).is_ready() && poll_left(&mut cx).is_ready());
        spend();
        spend();
        assert_eq!(left(), 0);
        assert!(unlimited(|| poll_proceed(&mut cx)).is_ready());
        let mut refusals = 0;
        for _ in 0..100 {
            reset(0);
            let more = (0..10_000).take_while(|_| poll_proceed(&mut cx).is_pending()).count();
            assert!(more < 10_000);
            assert_eq!(left(), DEFAULT - 1);
            refusals += more;
        }
        assert_eq!(wakes.0.load(Ordering::Relaxed), refusals);
        // 6,400 are to be expected.
        assert!((3_000..12_000).contains(&refusals), "{refusals}");
    }
}
