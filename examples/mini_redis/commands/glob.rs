//! Glob patterns, as `KEYS` and `CONFIG GET` take them.

/// Tells whether the whole of `text` matches: `?` is any byte, `*` any number of them, `[a-c]` and `[^a]` one of a
/// set, and a backslash takes the next byte as it is.
///
/// Only the last `*` is ever tried again, so that the time is at most the product of the two lengths.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, t));
        } else if let Some(len) = matches_one(&pattern[p..], text[t]) {
            p += len;
            t += 1;
        } else if let Some((after_star, start)) = retry {
            p = after_star;
            t = start + 1;
            retry = Some((after_star, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// The length of the pattern's first element, if `byte` matches it.
fn matches_one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ..] => {
            let (len, matched) = class(pattern, byte);
            matched.then_some(len)
        }
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// Reads a set in brackets: its length in the pattern, and whether `byte` is in it. A set that isn't closed ends
/// with the pattern.
fn class(pattern: &[u8], byte: u8) -> (usize, bool) {
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = 1 + usize::from(negated);
    let mut found = false;
    loop {
        match pattern[at.min(pattern.len())..] {
            [] => return (pattern.len(), found != negated),
            [b']', ..] => return (at + 1, found != negated),
            [b'\\', literal, ..] => {
                found |= literal == byte;
                at += 2;
            }
            [low, b'-', high, ..] => {
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*a*b*", "xxaxxbxx", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-c]llo", "hdllo", false),
            ("[a\\]]x", "]x", true),
            ("a\\*c", "a*c", true),
            ("a\\*c", "abc", false),
            ("[ab", "a", true),
            ("**x", "abx", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern:?} against {text:?}");
        }
        // A pattern that would take a matcher that tries every star again years.
        assert!(!matches(format!("{}b", "a*".repeat(64)).as_bytes(), "a".repeat(10_000).as_bytes()));
    }
}
