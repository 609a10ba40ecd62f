//! Lines of bounded length.

use std::io;

use futures_lite::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Reads a line of at most `limit` bytes, and returns it without its end; `None` at the end of the stream.
///
/// # Errors
///
/// Those of `reader`, and `InvalidData` for a line that is longer, or not UTF-8.
pub async fn read_line(reader: &mut (impl AsyncBufRead + Unpin), limit: u64) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.take(limit).read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line has more than {limit} bytes")));
    }
    let line = String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}
