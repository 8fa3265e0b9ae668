//! Telephone numbers.

use std::fmt;
use std::ops::RangeInclusive;

use contracts::text::{TextRule, numerals};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A telephone number as people write it: 4 to 15 digits (ITU-T E.164), maybe with a `+` in front and
/// spaces, dots, slashes, hyphens and parentheses between them, and with an extension such as `ext. 12`
/// behind it. Digits of every script are kept in ASCII, and a `tel:` in front is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 4, max_length = 40, example = "+49 30 123456")]
pub struct Phone(String);

/// A text that is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a telephone number has 4 to 15 digits, such as +49 30 123456")]
pub struct InvalidPhone;

const MOST: usize = 40;
const RULE: TextRule = TextRule::line("a telephone number", 4, MOST + 4);
const DIGITS: RangeInclusive<usize> = 4..=15;
/// The longest words first.
const EXTENSIONS: [&str; 6] = [";ext", "extension", "durchwahl", "ext", "x", "#"];
/// An extension has no more digits.
const EXTENSION: usize = 6;

impl TryFrom<String> for Phone {
    type Error = InvalidPhone;

    fn try_from(text: String) -> Result<Self, InvalidPhone> {
        let text = numerals(&RULE.apply(&text).map_err(|_| InvalidPhone)?);
        let text = strip_scheme(&text).trim_start();
        let (number, extension) = text.split_at(extension(text).unwrap_or(text.len()));
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let plain = number.strip_prefix('+').unwrap_or(number);
        let is_plain = plain.bytes().all(|b| b.is_ascii_digit() || b" -./()".contains(&b));
        if is_plain && DIGITS.contains(&digits) && text.len() <= MOST {
            Ok(Self([number, extension].concat()))
        } else {
            Err(InvalidPhone)
        }
    }
}

/// A number without the scheme of its address (RFC 3966).
fn strip_scheme(text: &str) -> &str {
    let (scheme, number) = text.split_at_checked(4).unwrap_or(("", text));
    if scheme.eq_ignore_ascii_case("tel:") { number } else { text }
}

/// Where an extension begins, such as `ext. 12` or `x12`: with a word of [`EXTENSIONS`], behind
/// which are a few digits and nothing else.
fn extension(text: &str) -> Option<usize> {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_short = (1..=EXTENSION).contains(&(text.len() - before.len()));
    let word = before.trim_end_matches([' ', '.', ':', '=']).to_ascii_lowercase();
    let word = EXTENSIONS.iter().find_map(|it| word.strip_suffix(it)).filter(|_| is_short)?;
    Some(word.trim_end().len())
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

/// Shows nothing: it is personal.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Option<String> {
        Phone::try_from(text.to_owned()).map(String::from).ok()
    }

    #[test]
    fn phones_are_taken_as_people_write_them() {
        for text in ["+49 30 123456", "0049 171 23456700", "(030) 12-34.56/7", "+1 (555) 010-9999"]
        {
            assert_eq!(phone(text).as_deref(), Some(text));
        }
        assert_eq!(phone(" ＋４９\u{a0}30 １２３４５６ ").as_deref(), Some("+49 30 123456"));
        for text in ["+49 30 123456 ext. 12", "030 123456 x12", "030 123456-7#8", "+49 30 1;ext=12"]
        {
            assert_eq!(phone(text).as_deref(), Some(text));
        }
        assert_eq!(phone("tel:+4930123456").as_deref(), Some("+4930123456"));
        assert_eq!(phone("Tel: 030 123456").as_deref(), Some("030 123456"));
        for text in
            ["x1234567", "1 ext. 12", "12345 ext.", "12345 ext 1234567", "12345 y 12", "tel:"]
        {
            assert_eq!(phone(text), None, "{text}");
        }
        for text in ["", "123", "+49", "call me", "1234567890123456", "49+30123456", "12\n3456"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }
}
