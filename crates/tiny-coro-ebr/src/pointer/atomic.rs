//! Where threads exchange pointers.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;

use tiny_coro_prim::atomic::{AtomicPtr, Ordering};

use super::{Owned, Pointer, Shared, assert_aligned, tag_bits, tag_of, untagged};
use crate::Guard;

/// A pointer to a boxed `T`, with a tag, that threads load and replace; it may be null.
///
/// What is loaded lives as long as the guard that it was loaded with. Dropping an `Atomic` drops no object: whoever has
/// it last takes the object with [`into_owned`](Self::into_owned). Each operation takes the ordering that it is to
/// have, as in [`AtomicPtr`](std::sync::atomic::AtomicPtr): a pointer that is to be followed is stored with `Release`
/// and loaded with `Acquire`.
///
/// All that is loaded here must be retired with the same collector as the guards are from. `T` is sized: an array or a
/// trait object goes into a box of its own, inside.
///
/// # Examples
///
/// A stack's push.
///
/// ```
/// use std::sync::atomic::Ordering::{Relaxed, Release};
/// use tiny_coro_ebr::{Atomic, Guard, Owned};
///
/// struct Node {
///     value: u32,
///     next: Atomic<Node>,
/// }
///
/// fn push(head: &Atomic<Node>, value: u32, guard: &Guard) {
///     let mut node = Owned::new(Node { value, next: Atomic::null() });
///     loop {
///         let next = head.load(Relaxed, guard);
///         node.next.store(next, Relaxed);
///         match head.compare_exchange_weak(next, node, Release, Relaxed, guard) {
///             Ok(_) => break,
///             Err(error) => node = error.new,
///         }
///     }
/// }
///
/// let head = Atomic::null();
/// push(&head, 1, &tiny_coro_ebr::pin());
/// // SAFETY: nobody else has the stack.
/// assert_eq!(unsafe { head.into_owned() }.value, 1);
/// ```
pub struct Atomic<T> {
    data: AtomicPtr<T>,
    /// An `AtomicPtr` may be sent whatever it points to; this may not.
    _object: PhantomData<*mut T>,
}

// SAFETY: through it a thread gets shared access to an object (`T: Sync`), and one of them takes or drops it in the end
// (`T: Send`). The pointer itself is atomic.
unsafe impl<T: Send + Sync> Send for Atomic<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Atomic<T> {}

/// Why [`Atomic::compare_exchange`] stored nothing: gives back what was to be stored.
pub struct CompareExchangeError<'g, T, P> {
    /// What was found.
    pub current: Shared<'g, T>,
    /// What was to be stored.
    pub new: P,
}

impl<T> Atomic<T> {
    /// Makes a null pointer, without a tag.
    #[cfg(not(tiny_coro_loom))]
    pub const fn null() -> Self {
        Self { data: AtomicPtr::new(ptr::null_mut()), _object: PhantomData }
    }

    /// Makes a null pointer, without a tag.
    #[cfg(tiny_coro_loom)]
    pub fn null() -> Self {
        Self::of(ptr::null_mut())
    }

    /// Puts `value` into a box and points there.
    pub fn new(value: T) -> Self {
        Self::from(Owned::new(value))
    }

    fn of(data: *mut T) -> Self {
        Self { data: AtomicPtr::new(data), _object: PhantomData }
    }

    /// Loads the pointer.
    #[inline]
    pub fn load<'g>(&self, order: Ordering, _guard: &'g Guard) -> Shared<'g, T> {
        shared(self.data.load(order))
    }

    /// Stores `new`. What was there before is not dropped.
    #[inline]
    pub fn store<P: Pointer<T>>(&self, new: P, order: Ordering) {
        self.data.store(new.into_ptr(), order);
    }

    /// Stores `new` and returns what was there before.
    #[inline]
    pub fn swap<'g, P: Pointer<T>>(&self, new: P, order: Ordering, _guard: &'g Guard) -> Shared<'g, T> {
        shared(self.data.swap(new.into_ptr(), order))
    }

    /// Stores `new` if pointer and tag are those of `current`, and returns what was stored.
    ///
    /// # Errors
    ///
    /// If they are not: returns what was found, and `new`.
    #[inline]
    pub fn compare_exchange<'g, P: Pointer<T>>(
        &self,
        current: Shared<'_, T>,
        new: P,
        success: Ordering,
        failure: Ordering,
        _guard: &'g Guard,
    ) -> Result<Shared<'g, T>, CompareExchangeError<'g, T, P>> {
        let new = new.into_ptr();
        judge(self.data.compare_exchange(current.into_ptr(), new, success, failure), new)
    }

    /// Like [`compare_exchange`](Self::compare_exchange), and may fail without a reason: cheaper in a loop on some
    /// processors.
    ///
    /// # Errors
    ///
    /// If nothing was stored: returns what was found, and `new`.
    #[inline]
    pub fn compare_exchange_weak<'g, P: Pointer<T>>(
        &self,
        current: Shared<'_, T>,
        new: P,
        success: Ordering,
        failure: Ordering,
        _guard: &'g Guard,
    ) -> Result<Shared<'g, T>, CompareExchangeError<'g, T, P>> {
        let new = new.into_ptr();
        judge(self.data.compare_exchange_weak(current.into_ptr(), new, success, failure), new)
    }

    /// Stores what `function` makes of the pointer, and returns what was there before. The function is called again
    /// whenever another thread was faster.
    ///
    /// # Errors
    ///
    /// If `function` returns `None`: returns what was found.
    pub fn fetch_update<'g, F>(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        guard: &'g Guard,
        mut function: F,
    ) -> Result<Shared<'g, T>, Shared<'g, T>>
    where
        F: FnMut(Shared<'g, T>) -> Option<Shared<'g, T>>,
    {
        let mut found = self.load(fetch_order, guard);
        while let Some(next) = function(found) {
            match self.compare_exchange_weak(found, next, set_order, fetch_order, guard) {
                Ok(_) => return Ok(found),
                Err(error) => found = error.current,
            }
        }
        Err(found)
    }

    /// Keeps of the tag those bits that `tag` has too, and returns what was there before.
    #[inline]
    pub fn fetch_and<'g>(&self, tag: usize, order: Ordering, _guard: &'g Guard) -> Shared<'g, T> {
        shared(self.data.fetch_and(tag | !tag_bits::<T>(), order))
    }

    /// Adds those bits to the tag that `tag` has, and returns what was there before.
    #[inline]
    pub fn fetch_or<'g>(&self, tag: usize, order: Ordering, _guard: &'g Guard) -> Shared<'g, T> {
        shared(self.data.fetch_or(tag & tag_bits::<T>(), order))
    }

    /// Flips those bits of the tag that `tag` has, and returns what was there before.
    #[inline]
    pub fn fetch_xor<'g>(&self, tag: usize, order: Ordering, _guard: &'g Guard) -> Shared<'g, T> {
        shared(self.data.fetch_xor(tag & tag_bits::<T>(), order))
    }

    /// Takes the object.
    ///
    /// # Safety
    ///
    /// The pointer is not null, and nobody else uses the object from here on or takes it too.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tiny_coro_ebr::Atomic;
    /// struct Cell(Atomic<String>);
    ///
    /// impl Drop for Cell {
    ///     fn drop(&mut self) {
    ///         // SAFETY: it is never null, and who drops the cell has it alone.
    ///         drop(unsafe { std::mem::take(&mut self.0).into_owned() });
    ///     }
    /// }
    /// # drop(Cell(Atomic::new(String::new())));
    /// ```
    pub unsafe fn into_owned(self) -> Owned<T> {
        // SAFETY: the caller vouches for the object.
        unsafe { self.into_shared().into_owned() }
    }

    /// Takes the object, or nothing if the pointer is null.
    ///
    /// # Safety
    ///
    /// As for [`into_owned`](Self::into_owned), if the pointer is not null.
    pub unsafe fn try_into_owned(self) -> Option<Owned<T>> {
        // SAFETY: the caller vouches for the object.
        unsafe { self.into_shared().try_into_owned() }
    }

    /// Takes the pointer out of an atomic that is the caller's alone, and needs no order for it.
    fn into_shared<'g>(self) -> Shared<'g, T> {
        shared(self.data.load(Ordering::Relaxed))
    }
}

/// Wraps what was in an atomic.
fn shared<'g, T>(data: *mut T) -> Shared<'g, T> {
    // SAFETY: all that gets into an atomic came from a `Pointer`, and a `Shared` has no ownership to keep apart.
    unsafe { Shared::from_ptr(data) }
}

/// Makes of an exchange of pointers what its caller is to see.
fn judge<'g, T, P: Pointer<T>>(
    result: Result<*mut T, *mut T>,
    new: *mut T,
) -> Result<Shared<'g, T>, CompareExchangeError<'g, T, P>> {
    match result {
        Ok(_) => Ok(shared(new)),
        // SAFETY: `new` came from this type's `into_ptr`, and was not stored.
        Err(current) => Err(CompareExchangeError { current: shared(current), new: unsafe { P::from_ptr(new) } }),
    }
}

/// Loom's pointers lack the operations on bits.
#[cfg(all(tiny_coro_loom, not(tiny_coro_shuttle)))]
trait Bits<T> {
    fn change(&self, order: Ordering, change: impl Fn(usize) -> usize) -> *mut T;

    fn fetch_and(&self, bits: usize, order: Ordering) -> *mut T {
        self.change(order, |address| address & bits)
    }
    fn fetch_or(&self, bits: usize, order: Ordering) -> *mut T {
        self.change(order, |address| address | bits)
    }
    fn fetch_xor(&self, bits: usize, order: Ordering) -> *mut T {
        self.change(order, |address| address ^ bits)
    }
}

#[cfg(all(tiny_coro_loom, not(tiny_coro_shuttle)))]
impl<T> Bits<T> for AtomicPtr<T> {
    fn change(&self, order: Ordering, change: impl Fn(usize) -> usize) -> *mut T {
        let changed = self.fetch_update(order, Ordering::Relaxed, |data| Some(data.map_addr(&change)));
        changed.unwrap_or_else(|data| data)
    }
}

impl<T> From<Owned<T>> for Atomic<T> {
    fn from(owned: Owned<T>) -> Self {
        Self::of(owned.into_ptr())
    }
}

impl<T> From<Box<T>> for Atomic<T> {
    fn from(boxed: Box<T>) -> Self {
        Self::from(Owned::from(boxed))
    }
}

impl<T> From<T> for Atomic<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> From<Shared<'_, T>> for Atomic<T> {
    fn from(shared: Shared<'_, T>) -> Self {
        Self::of(shared.into_ptr())
    }
}

impl<T> From<*const T> for Atomic<T> {
    /// Wraps a pointer without a tag.
    ///
    /// # Panics
    ///
    /// In debug builds, if `raw` is not aligned.
    fn from(raw: *const T) -> Self {
        assert_aligned(raw);
        Self::of(raw.cast_mut())
    }
}

impl<T> Clone for Atomic<T> {
    /// Makes another atomic with the same pointer, loaded without any order: the object has two places now.
    fn clone(&self) -> Self {
        Self::of(self.data.load(Ordering::Relaxed))
    }
}

impl<T> Default for Atomic<T> {
    fn default() -> Self {
        Self::null()
    }
}

impl<T> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.data.load(Ordering::Relaxed);
        f.debug_struct("Atomic").field("raw", &untagged(data)).field("tag", &tag_of(data)).finish()
    }
}

impl<T> fmt::Pointer for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&untagged(self.data.load(Ordering::Relaxed)), f)
    }
}

impl<T, P: fmt::Debug> fmt::Debug for CompareExchangeError<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareExchangeError").field("current", &self.current).field("new", &self.new).finish()
    }
}
