//! No peer keeps a connection for ever, whatever it sends and however little it reads; nothing panics, nothing loops.
#![no_main]

use fuzz::{Choices, End, is_rid_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let window = choices.below(2_000);
    let end = [End::Eof, End::Reset, End::Silence][choices.below(3)];
    let step = 1 + choices.below(300);
    let bytes = choices.rest();
    // Its handler never answers, which no time-out of the server's is about.
    let waits = bytes.windows(6).any(|part| part == b"/never");
    assert!(is_rid_of(bytes.chunks(step), window, end) || waits, "the connection is still open");
});
