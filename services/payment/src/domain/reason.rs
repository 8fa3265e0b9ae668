//! Why money goes back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest reason, in characters.
const LONGEST: usize = 200;

/// Why a member of staff gives money back, in their own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200, example = "The mug was chipped")]
pub struct Reason(String);

/// A text that is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason has 1 to 200 characters on one line")]
pub struct InvalidReason;

impl TryFrom<String> for Reason {
    type Error = InvalidReason;

    fn try_from(text: String) -> Result<Self, InvalidReason> {
        let trimmed = text.trim();
        let plain = !trimmed.is_empty() && !trimmed.chars().any(char::is_control);
        if plain && trimmed.chars().count() <= LONGEST {
            Ok(Self(trimmed.to_owned()))
        } else {
            Err(InvalidReason)
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}
