//! The operations of `std::fs` that need no open file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tiny_coro_sched::Handle;

/// Runs `operation` on the blocking pool, also if the runtime ends before it has started.
pub(crate) async fn on_pool<T: Send + 'static>(
    operation: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    Handle::current().spawn_mandatory_blocking(operation).await?
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($($argument:ident),*) -> $output:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// The operating system's.
        ///
        /// # Panics
        ///
        /// On a thread that is not in a runtime.
        ///
        /// # Cancel safety
        ///
        /// Once it has been polled, the operation is carried out even if the future is dropped.
        pub async fn $name($($argument: impl AsRef<Path>),*) -> io::Result<$output> {
            $(let $argument = $argument.as_ref().to_owned();)*
            on_pool(move || fs::$name($($argument),*)).await
        }
    )*};
}

operations! {
    /// Creates a directory. As [`std::fs::create_dir`].
    create_dir(path) -> ();
    /// Creates a directory and those above it. As [`std::fs::create_dir_all`].
    create_dir_all(path) -> ();
    /// Tells what a path leads to. As [`std::fs::metadata`].
    metadata(path) -> fs::Metadata;
    /// Reads a whole file. As [`std::fs::read`].
    read(path) -> Vec<u8>;
    /// Reads a whole file of UTF-8 text. As [`std::fs::read_to_string`].
    read_to_string(path) -> String;
    /// Removes an empty directory. As [`std::fs::remove_dir`].
    remove_dir(path) -> ();
    /// Removes a directory with all that is in it. As [`std::fs::remove_dir_all`].
    remove_dir_all(path) -> ();
    /// Removes a file. As [`std::fs::remove_file`].
    remove_file(path) -> ();
    /// Gives a file another name, replacing the file that has it. As [`std::fs::rename`].
    rename(from, to) -> ();
}

/// Replaces a file's content, creating it if need be. As [`std::fs::write`].
///
/// # Errors
///
/// The operating system's.
///
/// # Panics
///
/// On a thread that is not in a runtime.
///
/// # Cancel safety
///
/// Once it has been polled, the operation is carried out even if the future is dropped.
pub async fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, content) = (path.as_ref().to_owned(), content.as_ref().to_owned());
    on_pool(move || fs::write(path, content)).await
}

/// Tells whether there is something at a path. As [`std::fs::exists`].
///
/// # Errors
///
/// The operating system's, when it cannot tell.
///
/// # Panics
///
/// On a thread that is not in a runtime.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = path.as_ref().to_owned();
    on_pool(move || path.try_exists()).await
}

/// Lists the paths in a directory, in the order in which the operating system gives them.
///
/// # Errors
///
/// The operating system's, of the first entry that cannot be read.
///
/// # Panics
///
/// On a thread that is not in a runtime.
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let path = path.as_ref().to_owned();
    on_pool(move || fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()).await
}
