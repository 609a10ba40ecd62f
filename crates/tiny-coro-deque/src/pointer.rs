//! Elements as one word.

use std::ptr::NonNull;
use std::sync::Arc;

/// A value that travels as one word.
///
/// The slots of a deque are atomic words, because a thief may read a slot in the same moment as the owner overwrites
/// it: the thief then learns that it came too late, and forgets what it read. So an element must be able to become a
/// word and back. `Box`, `Arc`, [`NonNull`] and `&'static T` can; a newtype around one of them passes both functions
/// on.
///
/// # Safety
///
/// `from_raw(into_raw(x))` gives back `x`, on whatever thread, any number of operations later. The word between the
/// two owns what `x` owned. Neither function panics, or touches a deque.
///
/// # Examples
///
/// ```
/// use tiny_coro_deque::{Pointer, Worker};
///
/// struct Job(Box<String>);
///
/// // SAFETY: both functions are those of the box.
/// unsafe impl Pointer for Job {
///     fn into_raw(self) -> *mut () {
///         Pointer::into_raw(self.0)
///     }
///
///     unsafe fn from_raw(word: *mut ()) -> Self {
///         // SAFETY: the caller gives a word from `into_raw`, once.
///         Job(unsafe { Pointer::from_raw(word) })
///     }
/// }
///
/// let worker = Worker::fifo();
/// worker.push(Job(Box::new("sweep".into())));
/// assert_eq!(*worker.pop().unwrap().0, "sweep");
/// ```
pub unsafe trait Pointer: Sized {
    /// Turns the value into a word that owns it.
    fn into_raw(self) -> *mut ();

    /// Turns the word back into the value.
    ///
    /// # Safety
    ///
    /// `word` came from [`into_raw`](Self::into_raw) of the same type, and is turned back once.
    unsafe fn from_raw(word: *mut ()) -> Self;
}

// SAFETY: the word is the box's own pointer, and the pair of functions is meant for each other.
unsafe impl<T> Pointer for Box<T> {
    fn into_raw(self) -> *mut () {
        Box::into_raw(self).cast()
    }

    unsafe fn from_raw(word: *mut ()) -> Self {
        // SAFETY: the caller gives a word from `into_raw`, once.
        unsafe { Box::from_raw(word.cast()) }
    }
}

// SAFETY: the word is the pointer that owns the reference, and the pair of functions is meant for each other.
unsafe impl<T> Pointer for Arc<T> {
    fn into_raw(self) -> *mut () {
        Arc::into_raw(self).cast_mut().cast()
    }

    unsafe fn from_raw(word: *mut ()) -> Self {
        // SAFETY: the caller gives a word from `into_raw`, once.
        unsafe { Arc::from_raw(word.cast_const().cast()) }
    }
}

// SAFETY: the word is the pointer; nothing is owned.
unsafe impl<T> Pointer for NonNull<T> {
    fn into_raw(self) -> *mut () {
        self.as_ptr().cast()
    }

    unsafe fn from_raw(word: *mut ()) -> Self {
        // SAFETY: the caller gives a word from `into_raw`, which is not null.
        unsafe { NonNull::new_unchecked(word.cast()) }
    }
}

// SAFETY: the word is the reference; nothing is owned, and it lives for ever.
unsafe impl<T> Pointer for &'static T {
    fn into_raw(self) -> *mut () {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    unsafe fn from_raw(word: *mut ()) -> Self {
        // SAFETY: the caller gives a word from `into_raw`: a reference that lives for ever.
        unsafe { &*word.cast_const().cast() }
    }
}
