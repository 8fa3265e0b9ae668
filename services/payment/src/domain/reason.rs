//! Why money goes back.

use contracts::text::{InvalidText, TextRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const RULE: TextRule = TextRule::line("a reason", 1, 200);

/// Why a member of staff gives money back, in their own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200, example = "The mug was chipped")]
pub struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        RULE.apply(&text).map(Self)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}
