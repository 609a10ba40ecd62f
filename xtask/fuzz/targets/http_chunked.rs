//! The cut of a chunked body into reads decides nothing: not the data, not where it ends, not what is wrong with it.
#![no_main]

use fuzz::Choices;
use libfuzzer_sys::fuzz_target;
use tiny_coro_http::parse::{ChunkEvent, ChunkedDecoder, ParseError};

/// Decodes `input` as it arrives up to each cut. Returns the data, how many bytes were taken, and whether the end was seen.
fn decode(input: &[u8], cuts: impl IntoIterator<Item = usize>) -> Result<(Vec<u8>, usize, bool), ParseError> {
    let (mut decoder, mut data, mut taken) = (ChunkedDecoder::new(), Vec::new(), 0);
    for cut in cuts {
        loop {
            let (framing, event) = decoder.decode(&input[taken..cut])?;
            taken += framing;
            match event {
                ChunkEvent::NeedMore => break,
                ChunkEvent::End => return Ok((data, taken, true)),
                ChunkEvent::Data(len) => {
                    assert!(len > 0, "data without a byte makes no progress");
                    data.extend_from_slice(&input[taken..taken + len]);
                    taken += len;
                }
            }
        }
        assert_eq!(taken, cut, "what needs more has taken all");
    }
    Ok((data, taken, false))
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let steps: [usize; 4] = std::array::from_fn(|_| 1 + choices.below(40));
    let input = choices.rest();
    let whole = decode(input, [input.len()]);
    assert_eq!(whole, decode(input, 1..=input.len()), "byte by byte");
    let mut at = 0;
    let cuts = (0..).map_while(|step: usize| {
        let before = at;
        at = input.len().min(at + steps[step % 4]);
        (before < input.len()).then_some(at)
    });
    assert_eq!(whole, decode(input, cuts), "cut by {steps:?}");
});
