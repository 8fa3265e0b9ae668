//! How somebody pays.

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
#[error("a method is named by 1 to 64 letters, digits, _ or -, such as pm_card_visa")]
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
        if plain && (1..=LONGEST).contains(&text.len()) {
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
