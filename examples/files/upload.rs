//! An upload on its way to disk.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tiny_coro::fs::{self, File};

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
    pub(crate) async fn begin(directory: &Path) -> io::Result<Self> {
        loop {
            let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!("{TEMPORARY}{}-{number}", process::id()));
            match File::options().write(true).create_new(true).open(&path).await {
                Ok(file) => return Ok(Upload { file, path: Temporary(Some(path)) }),
                // Left by a process that had this number before.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
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
        if let Some(path) = self.0.take() {
            // A drop can't wait; taking a name out of a directory is quick.
            let _ = std::fs::remove_file(path);
        }
    }
}
