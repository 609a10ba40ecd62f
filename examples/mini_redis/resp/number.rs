//! Numbers as Redis reads and writes them.

/// Reads a 64-bit integer in its one canonical form: no sign but `-`, no leading zeros, no spaces.
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0'] => return (!negative).then_some(0),
        [b'0', ..] => return None,
        _ => {}
    }
    // 18 digits can't overflow, which is nearly every number: those skip the checks.
    let mut value: i64 = 0;
    if digits.len() <= 18 {
        for &digit in digits {
            value = value * 10 + i64::from(decimal(digit)?);
        }
        return Some(if negative { -value } else { value });
    }
    // Counted downwards, because i64::MIN has no positive twin.
    for &digit in digits {
        value = value.checked_mul(10)?.checked_sub(i64::from(decimal(digit)?))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

fn decimal(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// Reads a sorted set's score: a decimal number or an infinity, never NaN.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (!value.is_nan()).then_some(value)
}

/// Writes a score in the shortest form that reads back as the same number.
pub(crate) fn format_double(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e17).contains(&size) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_form_of_an_integer_is_read() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("123456789012345678", Some(123_456_789_012_345_678)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("+1", None),
            ("01", None),
            (" 1", None),
            ("1 ", None),
            ("1.0", None),
            ("0x1", None),
        ] {
            assert_eq!(parse_integer(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn scores_have_their_shortest_form() {
        for (value, text) in [
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (0.0, "0"),
            (1e20, "1e+20"),
            (1e-7, "1e-7"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_double(value), text);
        }
        assert_eq!(parse_double(b"nan"), None);
        assert_eq!(parse_double(b" 1"), None);
        assert_eq!(parse_double(b"+inf"), Some(f64::INFINITY));
    }

    proptest! {
        #[test]
        fn numbers_read_back_as_themselves(integer: i64, score: f64) {
            prop_assert_eq!(parse_integer(integer.to_string().as_bytes()), Some(integer));
            if !score.is_nan() {
                prop_assert_eq!(parse_double(format_double(score).as_bytes()), Some(score));
            }
        }
    }
}
