//! Telephone numbers.

use std::fmt;

use contracts::text::{TextRule, numerals};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A telephone number as people write it: 4 to 15 digits (ITU-T E.164), maybe with a `+` in front and
/// spaces, dots, slashes, hyphens and parentheses between them. Digits of every script are kept in
/// ASCII.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 4, max_length = 40, example = "+49 30 123456")]
pub struct Phone(String);

/// A text that is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a telephone number has 4 to 15 digits, such as +49 30 123456")]
pub struct InvalidPhone;

const RULE: TextRule = TextRule::line("a telephone number", 4, 40);

impl TryFrom<String> for Phone {
    type Error = InvalidPhone;

    fn try_from(text: String) -> Result<Self, InvalidPhone> {
        let text = numerals(&RULE.apply(&text).map_err(|_| InvalidPhone)?);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let number = text.strip_prefix('+').unwrap_or(&text);
        let plain = number.bytes().all(|b| b.is_ascii_digit() || b" -./()".contains(&b));
        if plain && (4..=15).contains(&digits) { Ok(Self(text)) } else { Err(InvalidPhone) }
    }
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
        for text in ["", "123", "+49", "call me", "1234567890123456", "49+30123456", "12\n3456"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }
}
