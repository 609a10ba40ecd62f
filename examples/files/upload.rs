//! An upload on its way to disk.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tiny_coro::fs::{self, File};
use tiny_coro::{Handle, spawn_blocking};

use crate::name::{Name, TEMPORARY};

/// Makes temporary names differ. A counter: it orders nothing.
static UPLOADS: AtomicU64 = AtomicU64::new(0);

/// A file under a temporary name, which goes away unless it is [finished](Upload::finish): a client that disappears
/// leaves nothing, whether its handler returns an error or is dropped where it waits.
#[derive(Debug)]
pub(crate) struct Upload {
    file: File,
    path: Temporary,
}

impl Upload {
    /// Creates the temporary file, in the directory where the whole file will be: a rename is atomic only within a
    /// file system.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the file goes away again, even one that is created after that.
    pub(crate) async fn begin(directory: &Path) -> io::Result<Self> {
        let directory = directory.to_owned();
        // The guard comes from the thread that creates the file: whatever drops it there or on the way removes the file.
        let (file, path) = spawn_blocking(move || create(&directory)).await??;
        Ok(Upload { file: File::from_std(file), path })
    }

    /// Adds to the file.
    pub(crate) async fn write(&mut self, piece: Bytes) -> io::Result<()> {
        self.file.write_chunk(piece).await
    }

    /// Gives the file its name, in place of what had it before.
    pub(crate) async fn finish(mut self, directory: &Path, name: &Name) -> io::Result<()> {
        self.file.sync_all().await?;
        fs::rename(self.path.get(), directory.join(name.as_str())).await?;
        self.path.keep();
        Ok(())
    }
}

/// Removes the file when it is dropped.
#[derive(Debug)]
struct Temporary(Option<PathBuf>);

impl Temporary {
    fn get(&self) -> PathBuf {
        self.0.clone().unwrap_or_default()
    }

    fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let Some(path) = self.0.take() else { return };
        let unlink = Unlink(path);
        // The blocks of a large file take the disk a while to free. A pool that ends drops the closure, and that unlinks.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(unlink)).detach();
        }
    }
}

/// Removes the file when it is dropped, wherever that is.
#[derive(Debug)]
struct Unlink(PathBuf);

impl Drop for Unlink {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Creates a file under a name that none has.
fn create(directory: &Path) -> io::Result<(std::fs::File, Temporary)> {
    loop {
        let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("{TEMPORARY}{}-{number}", process::id()));
        match std::fs::File::create_new(&path) {
            Ok(file) => return Ok((file, Temporary(Some(path)))),
            // Left by a process that had this number before.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
