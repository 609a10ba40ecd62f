//! Values that belong to a task, or to a part of one, wherever it runs.

use pin_project_lite::pin_project;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

/// Declares task-local values, each a [`LocalKey`]. The syntax is that of [`thread_local!`] without initial values.
///
/// # Examples
///
/// ```
/// tiny_coro_sched::task_local! {
///     /// Whose request this is.
///     static USER: String;
/// }
///
/// # tiny_coro_sched::Runtime::new()?.block_on(async {
/// let greeting = USER.scope("Ada".to_owned(), async {
///     tiny_coro_sched::yield_now().await; // perhaps on another thread from here on
///     USER.with(|user| format!("hello {user}"))
/// });
/// assert_eq!(greeting.await, "hello Ada");
/// assert!(USER.try_with(|_| ()).is_err());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[macro_export]
macro_rules! task_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty);+ $(;)?) => {
        $(
            $(#[$attribute])*
            $visibility static $name: $crate::task::LocalKey<$type> = {
                ::std::thread_local! {
                    static SLOT: ::std::cell::RefCell<::std::option::Option<$type>> =
                        const { ::std::cell::RefCell::new(::std::option::Option::None) };
                }
                $crate::task::LocalKey::new(&SLOT)
            };
        )+
    };
}

/// A task-local value; declared by [`task_local!`](crate::task_local).
///
/// It has a value while a future that was given one by [`scope`](LocalKey::scope) is polled, and not otherwise: tasks do not inherit
/// it from the task that spawns them.
pub struct LocalKey<T: 'static> {
    slot: &'static thread::LocalKey<RefCell<Option<T>>>,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(slot: &'static thread::LocalKey<RefCell<Option<T>>>) -> Self {
        Self { slot }
    }

    /// Gives `future` a value of its own, which it keeps on whatever thread it is polled.
    ///
    /// Its destructor has the value, too, unless it is dropped inside [`with`](LocalKey::with) of the same key, or while the thread ends.
    ///
    /// # Panics
    ///
    /// When it is polled inside [`with`](LocalKey::with) of the same key: the value there is borrowed.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture { key: self, value: Some(value), future: Some(future) }
    }

    /// Calls `body` with a value of its own.
    ///
    /// # Panics
    ///
    /// Inside [`with`](LocalKey::with) of the same key: the value there is borrowed.
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, body: impl FnOnce() -> R) -> R {
        let mut value = Some(value);
        let _swapped = Swapped::new(self, &mut value).unwrap_or_else(|error| panic!("{error}"));
        body()
    }

    /// Calls `body` with the value.
    ///
    /// # Panics
    ///
    /// Where there is none; [`try_with`](LocalKey::try_with) does not.
    #[track_caller]
    pub fn with<R>(&'static self, body: impl FnOnce(&T) -> R) -> R {
        self.try_with(body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls `body` with the value.
    ///
    /// # Errors
    ///
    /// [`AccessError`] where there is none: outside [`scope`](LocalKey::scope), or while the thread ends.
    pub fn try_with<R>(&'static self, body: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let result = self.slot.try_with(|slot| slot.borrow().as_ref().map(body));
        result.ok().flatten().ok_or(AccessError(()))
    }

    /// Returns a copy of the value.
    ///
    /// # Panics
    ///
    /// Where there is none; [`try_get`](LocalKey::try_get) does not.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Returns a copy of the value.
    ///
    /// # Errors
    ///
    /// As [`try_with`](LocalKey::try_with).
    pub fn try_get(&'static self) -> Result<T, AccessError>
    where
        T: Clone,
    {
        self.try_with(T::clone)
    }
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// The error of asking for a task-local value where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such task-local value here: give the future one with `LocalKey::scope`")
    }
}

impl std::error::Error for AccessError {}

/// The value is in the thread's slot for as long as this lives, and what was there before is in `own`.
struct Swapped<'a, T: 'static> {
    key: &'static LocalKey<T>,
    own: &'a mut Option<T>,
}

impl<'a, T: 'static> Swapped<'a, T> {
    /// Fails where the value of the slot is in use, and at the end of the thread.
    fn new(key: &'static LocalKey<T>, own: &'a mut Option<T>) -> Result<Self, Borrowed> {
        let swap = |slot: &RefCell<Option<T>>| slot.try_borrow_mut().map(|mut slot| mem::swap(&mut *slot, own));
        match key.slot.try_with(swap) {
            Ok(Ok(())) => Ok(Self { key, own }),
            Ok(Err(_)) | Err(_) => Err(Borrowed),
        }
    }
}

/// Why a task-local value can't be put in its place.
struct Borrowed;

impl fmt::Display for Borrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a task-local value can't be replaced inside `LocalKey::with` of the same key, or while its thread ends",
        )
    }
}

impl<T> Drop for Swapped<'_, T> {
    fn drop(&mut self) {
        let _ = self.key.slot.try_with(|slot| mem::swap(&mut *slot.borrow_mut(), self.own));
    }
}

pin_project! {
    /// The future of [`LocalKey::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        value: Option<T>,
        #[pin]
        future: Option<F>,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        /// The future's destructor sees the value too.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _swapped = Swapped::new(this.key, this.value);
                this.future.set(None); // also without the value: a destructor has to run
            }
        }
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _swapped = Swapped::new(this.key, this.value).unwrap_or_else(|error| panic!("{error}"));
        let future = this.future.as_mut().as_pin_mut().expect("polled after completion");
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

impl<T, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").finish_non_exhaustive()
    }
}
