//! Inline requests: one line, split at spaces, with quotes as in a shell.

use super::args::Span;

/// A quote that never closes, or text that clings to a closing quote.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Splits `line` into arguments, whose text goes to `text` (escapes make it differ from the line) and whose places
/// go to `spans`.
pub(super) fn split(line: &[u8], text: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), Unbalanced> {
    let mut rest = line;
    loop {
        while let [first, tail @ ..] = rest
            && first.is_ascii_whitespace()
        {
            rest = tail;
        }
        // A NUL ends the line, as it does for Redis.
        if matches!(rest, [] | [0, ..]) {
            return Ok(());
        }
        let start = text.len();
        rest = word(rest, text)?;
        spans.push(Span { start: start as u32, len: (text.len() - start) as u32 });
    }
}

/// Takes one argument from the front of `rest`. Quotes may begin inside a word and must end it.
fn word<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] | [0, ..] => return Ok(rest),
            [space, ..] if space.is_ascii_whitespace() => return Ok(rest),
            [b'"', tail @ ..] => return double_quoted(tail, text),
            [b'\'', tail @ ..] => return single_quoted(tail, text),
            [byte, tail @ ..] => {
                text.push(*byte);
                tail
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] => return Err(Unbalanced),
            [b'"', tail @ ..] => return end_of_word(tail),
            [b'\\', b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                text.push(hex(*high) << 4 | hex(*low));
                tail
            }
            [b'\\', escaped, tail @ ..] => {
                text.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                tail
            }
            [byte, tail @ ..] => {
                text.push(*byte);
                tail
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] => return Err(Unbalanced),
            [b'\\', b'\'', tail @ ..] => {
                text.push(b'\'');
                tail
            }
            [b'\'', tail @ ..] => return end_of_word(tail),
            [byte, tail @ ..] => {
                text.push(*byte);
                tail
            }
        }
    }
}

fn end_of_word(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest {
        [] | [0, ..] => Ok(rest),
        [space, ..] if space.is_ascii_whitespace() => Ok(rest),
        _ => Err(Unbalanced),
    }
}

fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).map_or(0, |value| value as u8)
}
