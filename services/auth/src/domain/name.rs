//! What people are called.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

const LONGEST: usize = 100;

/// How a person wants to be called: 1 to 100 characters, trimmed, on one line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, example = "Alice")]
pub(crate) struct Name(String);

/// A text that nobody is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 100 characters on one line")]
pub(crate) struct InvalidName;

impl Name {
    /// However it is written, it is found alike.
    pub(crate) fn folded(&self) -> String {
        self.0.nfkc().collect::<String>().to_lowercase()
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let name = text.trim();
        let fits = (1..=LONGEST).contains(&name.chars().count());
        let plain = !name.chars().any(char::is_control);
        if fits && plain { Ok(Self(name.to_owned())) } else { Err(InvalidName) }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// Nobody sees it by accident: it is personal.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<Name, InvalidName> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_name_is_in_any_script() {
        assert_eq!(name(" Ζωή 🌻 ").unwrap().0, "Ζωή 🌻");
        assert!(name(&"ä".repeat(100)).is_ok());
    }

    #[test]
    fn what_nobody_is_called_is_refused() {
        for text in ["", "  ", "a\nb", "a\u{0}", &"a".repeat(101)] {
            assert_eq!(name(text), Err(InvalidName), "{text:?}");
        }
    }
}
