//! The `Date` line.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and a line end.
pub(crate) const DATE_LINE: usize = 37;

/// Keeps the `Date` line, and formats it at most once a second.
///
/// The caller hands in the monotonic time that it has read for its deadlines anyway: the wall clock is asked only when
/// the second is over.
#[derive(Debug)]
pub(crate) struct DateCache {
    line: [u8; DATE_LINE],
    valid_until: Option<Instant>,
}

impl DateCache {
    pub(crate) const fn new() -> Self {
        Self { line: [0; DATE_LINE], valid_until: None }
    }

    /// Returns the whole line.
    #[inline]
    pub(crate) fn line(&mut self, now: Instant) -> &[u8; DATE_LINE] {
        if self.valid_until.is_none_or(|end| now >= end) {
            self.refresh(now);
        }
        &self.line
    }

    #[cold]
    fn refresh(&mut self, now: Instant) {
        let wall = SystemTime::now();
        let since_epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let into_second = Duration::from_nanos(u64::from(since_epoch.subsec_nanos()));
        let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs()));
        self.line[..6].copy_from_slice(b"Date: ");
        self.line[6..DATE_LINE - 2].copy_from_slice(text.as_bytes());
        self.line[DATE_LINE - 2..].copy_from_slice(b"\r\n");
        self.valid_until = Some(now + (Duration::from_secs(1) - into_second));
    }
}
