//! The buffer that travels between a file and the thread that fills or empties it.

use std::fs;
use std::io::{self, Read, Write};

/// How much one operation moves at most, in bytes: 64 KiB. More would cost memory per open file, less a thread hop per byte.
pub const CHUNK: usize = 64 * 1024;

/// Bytes, of which those before `position` are used up.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    position: usize,
}

impl Buffer {
    /// The bytes that are left.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.position..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Moves as much as fits to `target`, and returns how much.
    pub(crate) fn move_to(&mut self, target: &mut [u8]) -> usize {
        let count = self.rest().len().min(target.len());
        target[..count].copy_from_slice(&self.rest()[..count]);
        self.position += count;
        count
    }

    /// Replaces the content by the start of `source`, and returns how much that is.
    pub(crate) fn fill_from(&mut self, source: &[u8]) -> usize {
        let count = source.len().min(CHUNK);
        self.clear();
        self.bytes.extend_from_slice(&source[..count]);
        count
    }

    /// Forgets the content.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.position = 0;
    }

    /// Replaces the content by up to [`CHUNK`] bytes of the file. Blocks.
    pub(crate) fn read_from(&mut self, mut file: &fs::File) -> io::Result<usize> {
        self.clear();
        self.bytes.resize(CHUNK, 0);
        let result = retry(|| file.read(&mut self.bytes));
        self.bytes.truncate(*result.as_ref().unwrap_or(&0));
        result
    }

    /// Writes the content to the file. Blocks.
    pub(crate) fn write_to(&mut self, mut file: &fs::File) -> io::Result<()> {
        let result = file.write_all(self.rest());
        self.clear();
        result
    }
}

/// Calls `operation` again for as long as a signal interrupts it.
pub(crate) fn retry<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
