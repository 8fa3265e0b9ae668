//! What people write.

use contracts::text::{InvalidText, TextRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A few words: 1 to 500 characters on one or more lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 500, example = "Arrived broken")]
pub struct Note(String);

impl Note {
    /// The most characters.
    pub const LONGEST: usize = 500;
    const RULE: TextRule = TextRule::prose("this", 1, Self::LONGEST);

    /// The text, without space around it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::RULE.apply(&text).map(Self)
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
            ("one\u{2028}other", true),
            ("\u{2067}rehto\u{2069}", false),
            ("\u{2060}\u{feff}", false),
        ] {
            assert_eq!(Note::try_from(text.to_owned()).is_ok(), fits, "{text}");
        }
    }
}
