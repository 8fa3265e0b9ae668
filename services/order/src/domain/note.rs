//! What people write.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A few words: 1 to 500 characters, none of them a control character but line breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 500, example = "Arrived broken")]
pub struct Note(String);

/// A text that is no note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("1 to {} characters", Note::LONGEST)]
pub struct InvalidNote;

impl Note {
    /// The most characters.
    pub const LONGEST: usize = 500;
}

impl TryFrom<String> for Note {
    type Error = InvalidNote;

    fn try_from(text: String) -> Result<Self, InvalidNote> {
        let text = text.trim();
        let fits = (1..=Self::LONGEST).contains(&text.chars().count());
        let plain = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\r');
        if fits && plain { Ok(Self(text.to_owned())) } else { Err(InvalidNote) }
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_few_words() {
        for (text, fits) in [
            ("Too small", true),
            ("one\nother", true),
            (&"é".repeat(500), true),
            (&"x".repeat(501), false),
            (" \n", false),
            ("nul\0", false),
        ] {
            assert_eq!(Note::try_from(text.to_owned()).is_ok(), fits, "{text}");
        }
    }
}
