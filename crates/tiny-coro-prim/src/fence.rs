//! The full fence, with the reason why no crate above needs a trick for it.

use crate::atomic::{Ordering, fence};

/// Orders every access before it before every access after it, stores before loads too: `fence(SeqCst)`.
///
/// Two threads each store one word and then look at the other's. Without a fence between store and load both may read
/// the old value, because a store waits in the processor's store buffer while the load behind it is done: release and
/// acquire do not help, they order everything *but* this. With a full fence on both sides one fence comes first, and
/// the other thread sees what was stored before it. Every "announce, then look again" stands on this: a pin of an epoch,
/// the last element of a deque, a worker that goes to sleep.
///
/// # Cost
///
/// On x86-64 it is one locked instruction on the top of the stack (`lock or dword ptr [rsp - 64], 0`), about 2 ns when
/// the store buffer is short. Any locked instruction drains the store buffer, and unlike `mfence` it does not also wait
/// for the instructions that have nothing to do with memory. Compilers emitted `mfence` here for many years, which is
/// why one meets a store and a fence written as one `swap` of the shared word: by the letter of the memory model a
/// read-modify-write is no fence. LLVM 21 and later, and so every compiler that builds this crate, emit the locked
/// instruction, and a store followed by this fence costs what the swap costs. Write the letter. (`objdump -d` shows
/// which of the two a build has.) On aarch64 it is `dmb ish`.
///
/// The model checker runs the same `fence(SeqCst)`, and models it exactly. What it does *not* model is a sequentially
/// consistent load, store or swap, which it takes for acquire and release: one more reason for the fence.
///
/// # Examples
///
/// At least one of two threads sees that the other has come:
///
/// ```
/// use std::thread;
/// use tiny_coro_prim::atomic::{AtomicBool, Ordering, full_fence};
///
/// let come = [AtomicBool::new(false), AtomicBool::new(false)];
/// let meets = |me: usize| {
///     come[me].store(true, Ordering::Relaxed);
///     full_fence();
///     come[1 - me].load(Ordering::Relaxed)
/// };
/// let met = thread::scope(|scope| [0, 1].map(|me| scope.spawn(move || meets(me))).map(|thread| thread.join().unwrap()));
/// assert!(met[0] || met[1]);
/// ```
#[inline(always)]
pub fn full_fence() {
    // Whoever calls it names the two sides of the protocol: here is only the instruction.
    fence(Ordering::SeqCst);
}
