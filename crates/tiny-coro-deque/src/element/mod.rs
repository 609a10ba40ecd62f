//! An element as a row of atomic words: the one place where a value is taken apart and put together.
//!
//! A thief may read a slot in the same moment as the owner overwrites it; it then learns that it came too late, and
//! forgets what it read. To the memory model that is a data race, unless every access is atomic. So a slot is a row of
//! atomic words, as many as a `T` fills, each loaded and stored relaxed. A *torn* element, half old and half new, is
//! only words, and never becomes a `T`: the exchange on `top` fails first. For a `T` of one word all this is one plain
//! `mov` each way.
//!
//! A backend supplies `Element<T>`, a `T` on its way, which does not drop it:
//!
//! - `WORDS`, how many words make a slot;
//! - `new` and `into_value`, from and to the value;
//! - `store` and `load`, to and from a slot, where `load` may find anything.

use tiny_coro_prim::atomic::AtomicPtr;

// The one ladder: words are the value's own bits where inline assembly is stable, elsewhere a pointer to a box.
#[cfg_attr(
    all(
        not(miri),
        any(
            target_arch = "aarch64",
            target_arch = "arm",
            target_arch = "loongarch64",
            target_arch = "riscv32",
            target_arch = "riscv64",
            target_arch = "s390x",
            target_arch = "x86",
            target_arch = "x86_64",
        )
    ),
    path = "bits.rs"
)]
mod boxed;

pub(crate) use boxed::Element;

/// One word of a slot. A pointer, so that an address keeps its provenance on the way.
pub(crate) type Word = AtomicPtr<()>;

/// Copies what is in one slot to another: an element, or what may be none.
#[inline]
pub(crate) fn copy(from: &[Word], to: &[Word]) {
    use tiny_coro_prim::atomic::Ordering::Relaxed;

    for (from, to) in from.iter().zip(to) {
        to.store(from.load(Relaxed), Relaxed);
    }
}
