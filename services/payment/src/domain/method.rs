//! How somebody pays.

use common::is_card;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest name of a way to pay.
const LONGEST: usize = 64;

/// The provider's name for a way to pay, such as a card that it keeps; never a card's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "pm_card_visa")]
pub struct Method(String);

/// A text that cannot be the name of a way to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a method is named by 1 to 64 letters, digits, _ or -, such as pm_card_visa, and never by the \
    number of a card"
)]
pub struct InvalidMethod;

impl Method {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Method {
    type Error = InvalidMethod;

    fn try_from(text: String) -> Result<Self, InvalidMethod> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        if plain && (1..=LONGEST).contains(&text.len()) && !bears_card(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidMethod)
        }
    }
}

impl From<Method> for String {
    fn from(method: Method) -> Self {
        method.0
    }
}

/// Whether a card's number stands in it, in one piece or in groups.
fn bears_card(name: &str) -> bool {
    name.split(|c: char| c.is_ascii_alphabetic()).any(|digits| {
        let groups: Vec<&str> = digits.split(['_', '-']).filter(|it| !it.is_empty()).collect();
        let from = |first: usize| (first..groups.len()).map(move |last| first..=last);
        (0..groups.len()).flat_map(from).any(|some| is_card(&groups[some].concat()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_never_a_cards_number() {
        for name in [
            "card_4242424242424242",
            "4242424242424242",
            "4000056655665556_x",
            "pm4242424242424242card",
            "card_4242-4242-4242-4242",
            "card_12_3782_822463_10005",
        ] {
            assert_eq!(Method::try_from(name.to_owned()), Err(InvalidMethod), "{name}");
        }
    }

    #[test]
    fn other_names_are_methods() {
        for name in [
            "pm_card_visa",
            "pm_1N5Z2xLkdIwHu7ixO9s8u7yq",
            "card_4242424242424241",
            "cus-2026-01-31",
        ] {
            assert!(Method::try_from(name.to_owned()).is_ok(), "{name}");
        }
    }
}
