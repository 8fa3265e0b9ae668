//! What people are called.

use std::fmt;

use contracts::text::{InvalidText, TextRule, fold};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

const RULE: TextRule = TextRule::line("a name", 1, 100);

/// How a person wants to be called: 1 to 100 characters on one line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, example = "Alice")]
pub(crate) struct Name(String);

impl Name {
    /// The form in which names are compared.
    pub(crate) fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The form in which earlier versions compared names: accents count.
    pub(crate) fn folded_before(&self) -> String {
        self.0.nfkc().collect::<String>().to_lowercase()
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        RULE.apply(&text).map(Self)
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

    fn name(text: &str) -> Result<Name, InvalidText> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_name_is_in_any_script() {
        assert_eq!(name(" Ζωή 🌻 ").unwrap().0, "Ζωή 🌻");
        assert!(name(&"ä".repeat(100)).is_ok());
        assert_eq!(name("Zoe\u{308}").unwrap().0, "Zo\u{eb}");
    }

    #[test]
    fn what_nobody_is_called_is_refused() {
        let long = "a".repeat(101);
        for text in ["", "  ", "a\nb", "a\u{0}", "a\u{2028}b", "\u{3164}", "\u{202e}a", &long] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }
}
