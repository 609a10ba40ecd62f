//! Files whose operations are futures, carried out on the blocking pool.
//!
//! An operating system has no readiness for regular files: a read is either done or the thread sleeps. So each operation is a
//! closure on the runtime's blocking pool, and the task waits for its result like for any other event. No worker ever
//! blocks.
//!
//! # How a [`File`] works
//!
//! ```text
//!            poll_read / poll_write / poll_seek: start the closure
//!    Idle ───────────────────────────────────────────────────────▶ Busy(JoinHandle)
//!     ▲        buffer and result come back when it is done            │
//!     └───────────────────────────────────────────────────────────────┘
//! ```
//!
//! One operation is under way at a time. A read fills the file's buffer ([`CHUNK`] bytes) and hands it out in parts. A write
//! copies into the buffer and returns while the pool writes: the next operation, or `flush`, waits for it and reports its error.
//! Streams of [`Bytes`](bytes::Bytes) go in and out without a copy through [`File::read_chunk`] and [`File::write_chunk`].
//!
//! | ID | always true | kept by |
//! |----|-------------|---------|
//! | F1 | operations reach the file in the order they were called, unless the future of one was dropped | one operation under way (`Busy`) |
//! | F2 | the file's position is where the caller thinks it is: read-ahead is given back before a write or a seek | `give_back` |
//! | F3 | a write that was accepted is carried out, also if the runtime ends; a failed write is reported once, by the next operation on the file | `poll_settled` |
//!
//! # Example
//!
//! ```
//! # tiny_coro_sched::Runtime::new()?.block_on(async {
//! use futures_lite::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
//! use std::io::SeekFrom;
//! use tiny_coro_fs::{self as fs, File};
//!
//! let path = std::env::temp_dir().join(format!("tiny-coro-fs-{}", std::process::id()));
//! let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).await?;
//! file.write_all(b"hello").await?;
//! file.seek(SeekFrom::Start(1)).await?;
//! let mut text = String::new();
//! file.read_to_string(&mut text).await?;
//! assert_eq!(text, "ello");
//! fs::remove_file(&path).await?;
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limits and non-goals
//!
//! As many operations run at once as the blocking pool has threads. A closure that has started runs to its end, also if
//! the future that waits for it is dropped. No `io_uring`.

#![forbid(unsafe_code)]

mod buffer;
mod file;
mod open_options;
mod ops;

pub use buffer::CHUNK;
pub use file::File;
pub use open_options::OpenOptions;
pub use ops::{
    create_dir, create_dir_all, metadata, read, read_dir, read_to_string, remove_dir, remove_dir_all, remove_file,
    rename, try_exists, write,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
