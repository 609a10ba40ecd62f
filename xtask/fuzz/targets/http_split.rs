//! The cut of a whole connection, read and written, into pieces changes nothing that the peer sees.
//!
//! But for `Expect: 100-continue`: whether a body that nobody asked for is already there decides whether the connection can go
//! on (RFC 9110 section 10.1.1), so inputs with that are left out.
#![no_main]

use fuzz::{Choices, play};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let window = 1 + choices.below(500);
    let step = 1 + choices.below(60);
    // A fault is reported with the end of its line at the latest: here is one.
    let bytes = &[choices.rest(), b"\r\n"].concat()[..];
    if bytes.windows(6).any(|word| word.eq_ignore_ascii_case(b"expect")) {
        return;
    }
    let whole = play([bytes], usize::MAX);
    for (seen, how) in
        [(play(bytes.chunks(step), window), "in pieces"), (play(bytes.chunks(1), usize::MAX), "byte by byte")]
    {
        assert_eq!(
            (String::from_utf8_lossy(&whole.output), whole.ended),
            (String::from_utf8_lossy(&seen.output), seen.ended),
            "{how}"
        );
    }
});
