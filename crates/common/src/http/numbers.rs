//! Whole numbers, however they are written.

use std::borrow::Cow;

/// More digits than any integer of 64 bits has.
const TOO_LONG: usize = 21;
/// The floating-point number that stands for all beyond it.
const GREATEST: &str = "1.7e308";

/// The JSON text with every whole number in plain digits: `1.0`, `10e-1` and `1` are one integer
/// (JSON Schema 2020-12, section 4.2.3; RFC 8259, section 6).
///
/// Works on the digits, never through a floating-point number, so nothing is rounded. Numbers
/// that are not whole or are longer than 64 bits stay as they are; those beyond all that a reader
/// takes become its greatest, which is no integer. Needs well-formed JSON.
pub(super) fn in_plain_digits(text: &str) -> Cow<'_, str> {
    let mut plain = String::new();
    let (mut copied, mut rest) = (0, 0);
    while let Some((start, end)) = next_number(text, rest) {
        let number = &text[start..end];
        if let Some(digits) = plain_digits(number).or_else(|| greatest(number)) {
            plain.push_str(&text[copied..start]);
            plain.push_str(&digits);
            copied = end;
        }
        rest = end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(&text[copied..]);
    Cow::Owned(plain)
}

/// The range of the first number from `from` on, outside of strings.
fn next_number(text: &str, from: usize) -> Option<(usize, usize)> {
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'-' | b'0'..=b'9' if !in_string => {
                let of_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
                let length = text[at..].bytes().take_while(|byte| of_number(*byte)).count();
                return Some((at, at + length));
            }
            _ => {}
        }
    }
    None
}

/// The greatest number with this sign, for one that no floating-point number reaches.
fn greatest(number: &str) -> Option<String> {
    let is_beyond = number.parse::<f64>().is_ok_and(f64::is_infinite);
    let sign = if number.starts_with('-') { "-" } else { "" };
    is_beyond.then(|| format!("{sign}{GREATEST}"))
}

/// A whole number in plain digits; `None` when it is not whole, is too long, or is plain already.
fn plain_digits(number: &str) -> Option<String> {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return (number != "0").then(|| "0".to_owned());
    }
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let shift = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let zeros = usize::try_from(shift.checked_add(zeros)?).ok()?;
    if zeros >= TOO_LONG || significant.len() + zeros >= TOO_LONG {
        return None;
    }
    let plain = format!("{sign}{significant}{}", "0".repeat(zeros));
    (plain != number).then_some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_number_is_plain_however_it_is_written() {
        for (text, plain) in [
            ("1.0", "1"),
            ("-1.000", "-1"),
            ("1e2", "100"),
            ("1.5E+1", "15"),
            ("10e-1", "1"),
            ("0.0", "0"),
            ("-0", "0"),
            ("-0.0e-9", "0"),
            ("0e99999999999999999999", "0"),
            ("9007199254740993.0", "9007199254740993"),
            ("-9223372036854775808.0", "-9223372036854775808"),
            (r#"{"a": [1.0, 2.5, "3.0"], "\"4.0": 5e0}"#, r#"{"a": [1, 2.5, "3.0"], "\"4.0": 5}"#),
        ] {
            assert_eq!(in_plain_digits(text), plain, "{text}");
        }
    }

    #[test]
    fn numbers_beyond_all_readers_are_the_greatest() {
        for (text, greatest) in [
            ("1e400", "1.7e308"),
            ("-1e999999999999999999999", "-1.7e308"),
            ("[1, 0.5e400]", "[1, 1.7e308]"),
            (&"1".repeat(400), "1.7e308"),
        ] {
            assert_eq!(in_plain_digits(text), greatest, "{text}");
        }
    }

    #[test]
    fn other_numbers_stay_as_they_are() {
        for text in
            ["1.5", "1e-1", "1e99", "1e-999999999999999999999", "0", "-7", "1230", "\"1.0\""]
        {
            assert!(matches!(in_plain_digits(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_integer_changes_by_its_form(number: i64, zeros in 0_usize..5) {
            let zeros = "0".repeat(zeros);
            for text in [format!("{number}.{zeros}0"), format!("{number}{zeros}e-{}", zeros.len())] {
                prop_assert_eq!(in_plain_digits(&text), number.to_string());
            }
        }
    }
}
