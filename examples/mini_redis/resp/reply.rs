//! Answers, written straight into the output buffer.

/// So long the items of one answer may be together, the last one not counted: a request of a few bytes can name a large
/// value a million times.
const MAX_ITEMS: usize = 64 * 1024 * 1024;

/// An answer has more items than can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Writes RESP2 answers to the end of a buffer.
#[derive(Debug)]
pub(crate) struct Reply<'a>(&'a mut Vec<u8>);

impl<'a> Reply<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Reply(out)
    }

    /// How much has been written: a place for [`truncate`](Self::truncate) to come back to.
    pub(crate) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Refuses a further item of the answer that began at `mark`, if there is no room for it.
    pub(crate) fn room_since(&self, mark: usize) -> Result<(), TooLong> {
        if self.0.len() - mark > MAX_ITEMS { Err(TooLong) } else { Ok(()) }
    }

    /// Takes back what was written after `mark`.
    pub(crate) fn truncate(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    /// A short text that has no line break.
    pub(crate) fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    pub(crate) fn ok(&mut self) {
        self.0.extend_from_slice(b"+OK\r\n");
    }

    /// An error; a line break in it would end it early, so it becomes a space.
    pub(crate) fn error(&mut self, text: &[u8]) {
        let start = self.0.len();
        self.line(b'-', text);
        let end = self.0.len() - 2;
        for byte in &mut self.0[start..end] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }

    pub(crate) fn integer(&mut self, value: i64) {
        self.line(b':', itoa::Buffer::new().format(value).as_bytes());
    }

    /// A size or a count. None of ours comes near `i64::MAX`.
    pub(crate) fn count(&mut self, value: usize) {
        self.integer(value as i64);
    }

    pub(crate) fn bulk(&mut self, bytes: &[u8]) {
        self.0.reserve(bytes.len() + 32);
        self.line(b'$', itoa::Buffer::new().format(bytes.len()).as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
    }

    pub(crate) fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// An integer where the client expects text.
    pub(crate) fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    pub(crate) fn null(&mut self) {
        self.0.extend_from_slice(b"$-1\r\n");
    }

    pub(crate) fn null_array(&mut self) {
        self.0.extend_from_slice(b"*-1\r\n");
    }

    /// Begins an array; the next `len` answers are its items.
    pub(crate) fn array(&mut self, len: usize) {
        self.line(b'*', itoa::Buffer::new().format(len).as_bytes());
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.0.push(kind);
        self.0.extend_from_slice(text);
        self.0.extend_from_slice(b"\r\n");
    }
}
