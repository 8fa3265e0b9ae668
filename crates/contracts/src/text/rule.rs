//! The rules that a text meets before it is stored.

use std::fmt;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, Script};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;

use crate::stored;

/// What a kind of text has to be like: how long, and on how many lines.
///
/// A text that meets its rule is in Unicode Normalization Form C (UAX #15), has no space around it,
/// no control character, no character that changes the reading direction and, unless it may be
/// empty, at least one character that can be seen. On one line, it has single spaces of one kind
/// between its words, and no characters without width that change nothing: texts that look the same
/// are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRule {
    name: &'static str,
    least: usize,
    most: usize,
    lines: Lines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// A text that does not meet its rule. It is not repeated: it may be personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidText {
    rule: TextRule,
    fault: Fault,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too short or too long.
    Length,
    /// More than one line where one is allowed.
    Lines,
    /// A control character.
    Control,
    /// A character that changes the reading direction of those after it (UAX #9, section 2).
    Direction,
    /// Nothing in it can be seen.
    Invisible,
}

impl TextRule {
    /// A text on one line of `least` to `most` characters; `name` has its article, as in `a title`.
    pub const fn line(name: &'static str, least: usize, most: usize) -> Self {
        Self { name, least, most, lines: Lines::One }
    }

    /// A text of `least` to `most` characters that may have several lines and tabs.
    pub const fn prose(name: &'static str, least: usize, most: usize) -> Self {
        Self { name, least, most, lines: Lines::Many }
    }

    /// Brings a text into the form in which it is stored. Of a record only the form is changed.
    pub fn apply(self, given: &str) -> Result<String, InvalidText> {
        let text: String = given.nfc().collect();
        let text = text.trim_matches(is_padding);
        let text = if self.lines == Lines::One { evened(text) } else { text.to_owned() };
        match self.fault(&text).filter(|_| !stored::is_read()) {
            Some(fault) => Err(InvalidText { rule: self, fault }),
            None => Ok(text),
        }
    }

    fn fault(self, text: &str) -> Option<Fault> {
        if !(self.least..=self.most).contains(&text.chars().count()) {
            return Some(Fault::Length);
        }
        let fault = text.chars().find_map(|c| self.fault_of(c));
        fault.or_else(|| (!text.is_empty() && !is_visible(text)).then_some(Fault::Invisible))
    }

    fn fault_of(self, c: char) -> Option<Fault> {
        match (c, self.lines) {
            ('\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}', Lines::Many) => None,
            ('\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}', Lines::One) => {
                Some(Fault::Lines)
            }
            _ if c.is_control() => Some(Fault::Control),
            _ if changes_direction(c) => Some(Fault::Direction),
            _ => None,
        }
    }
}

impl InvalidText {
    /// What is wrong.
    pub const fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TextRule { name, least, most, lines } = self.rule;
        let one = if lines == Lines::One { " on one line" } else { "" };
        match self.fault {
            Fault::Length | Fault::Lines if least == 0 => {
                write!(f, "{name} has at most {most} characters{one}")
            }
            Fault::Length | Fault::Lines => {
                write!(f, "{name} has {least} to {most} characters{one}")
            }
            Fault::Control => write!(f, "{name} has no control characters"),
            Fault::Direction => write!(
                f,
                "{name} has no characters that change the reading direction, such as U+202E"
            ),
            Fault::Invisible => write!(f, "{name} has at least one character that can be seen"),
        }
    }
}

/// Whether there is nothing in a text but white space and characters without width.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_padding)
}

/// White space, and characters without width that mean nothing at either end of a text. Joiners,
/// variation selectors and direction marks belong to the character before them and stay.
fn is_padding(c: char) -> bool {
    c.is_whitespace() || is_without_width(c)
}

/// Hints for breaking lines, and marks of a byte order: on one line they change nothing.
const fn is_without_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Makes one space of all that are next to each other, of whatever kind, and drops what has no width
/// where it changes nothing.
fn evened(text: &str) -> String {
    let mut evened = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_without_width(*c) && *c != '\u{200e}') {
        let before = evened.chars().next_back();
        match general_category(c) {
            GeneralCategory::SpaceSeparator if before == Some(' ') => {}
            GeneralCategory::SpaceSeparator => evened.push(' '),
            _ if is_joiner(c) && before.is_some_and(|before| !is_joined(before)) => {}
            _ => evened.push(c),
        }
    }
    // Form C depends on what stands next to each other.
    evened.trim().nfc().collect()
}

const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a joiner behind it can change what is seen: not behind a space or a letter of a script that
/// never joins its letters.
fn is_joined(c: char) -> bool {
    let script = CodePointMapData::<Script>::new().get(c);
    let stands_alone =
        [Script::Latin, Script::Greek, Script::Cyrillic, Script::Han].contains(&script);
    c != ' ' && !stands_alone
}

fn general_category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// The embeddings, overrides and isolates of the bidirectional algorithm (UAX #9, sections 2.1 to
/// 2.5): each can make a text read as another one, and what is around it, too. Pages isolate the texts
/// they show, so a text needs none. The marks of section 2.6, which people who write Arabic or Hebrew
/// need, only act like a letter at their place and are allowed.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Whether any character leaves something to see that readers agree on. U+2800 is the Braille pattern
/// without dots, U+FFFC stands for an object that is not there; a mark without a letter, characters of
/// private use and noncharacters (Unicode Standard, section 23.7) mean nothing by themselves.
fn is_visible(text: &str) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let is_seen = |c: char| match general_category(c) {
        GeneralCategory::NonspacingMark
        | GeneralCategory::EnclosingMark
        | GeneralCategory::PrivateUse => false,
        GeneralCategory::Unassigned => !is_noncharacter(c),
        _ => !c.is_whitespace() && !matches!(c, '\u{2800}' | '\u{fffc}') && !ignorable.contains(c),
    };
    text.chars().any(is_seen)
}

const fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || c as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TITLE: TextRule = TextRule::line("a title", 1, 10);
    const NOTE: TextRule = TextRule::prose("a note", 0, 10);

    fn fault(rule: TextRule, text: &str) -> Option<Fault> {
        rule.apply(text).err().map(|error| error.fault())
    }

    #[test]
    fn text_is_stored_composed_and_trimmed() {
        for (given, kept) in [
            ("Cafe\u{301}", "Caf\u{e9}"),
            ("\u{feff}  Mug\u{200b}\u{a0}", "Mug"),
            ("\u{2028}Mug\u{85}", "Mug"),
            ("A\u{30a}", "\u{c5}"),
            ("\u{212b}", "\u{c5}"),
            ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
            ("\u{2764}\u{fe0f}", "\u{2764}\u{fe0f}"),
            ("C++\u{200f}", "C++\u{200f}"),
            ("\u{645}\u{6cc}\u{200c}\u{62e}", "\u{645}\u{6cc}\u{200c}\u{62e}"),
        ] {
            assert_eq!(TITLE.apply(given).as_deref(), Ok(kept), "{given:?}");
        }
    }

    #[test]
    fn texts_on_one_line_that_look_the_same_are_the_same() {
        for given in [
            "a  b",
            "a\u{a0}b",
            "a \u{3000}\u{2009}b",
            "a\u{200b} b",
            "a \u{ad}b\u{2060}",
            "\u{200e}a\u{200e} \u{feff} b",
            "a\u{200d} \u{200c}b",
        ] {
            assert_eq!(TITLE.apply(given).as_deref(), Ok("a b"), "{given:?}");
        }
        assert_eq!(TITLE.apply("e\u{200b}\u{301}").as_deref(), Ok("\u{e9}"));
        for kept in
            ["\u{1f469}\u{200d}\u{1f680}", "\u{915}\u{94d}\u{200d}\u{937}", "می\u{200c}خواهم"]
        {
            assert_eq!(TITLE.apply(kept).as_deref(), Ok(kept), "{kept:?}");
        }
        assert_eq!(NOTE.apply("a  b\u{ad}c").as_deref(), Ok("a  b\u{ad}c"));
    }

    #[test]
    fn length_is_that_of_the_stored_form() {
        assert_eq!(fault(TITLE, &"e\u{301}".repeat(10)), None);
        assert_eq!(fault(TITLE, &"\u{958}".repeat(10)), Some(Fault::Length));
    }

    #[test]
    fn invisible_text_is_empty() {
        for hidden in [
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{200d}",
            "\u{200f}",
            "\u{61c}",
            "\u{34f}",
            "\u{fe0f}",
            "\u{e0020}",
            "\u{2062}",
            "\u{17b4}",
            "\u{1d173}",
            "\u{180b}",
            "\u{300}",
            "\u{300}\u{20dd}",
            "\u{fffc}",
            "\u{fdd0}",
            "\u{1ffff}",
            "\u{e000}\u{f8ff}\u{100000}",
        ] {
            assert_eq!(fault(TITLE, hidden), Some(Fault::Invisible), "{hidden:?}");
            assert_eq!(fault(NOTE, hidden), Some(Fault::Invisible), "{hidden:?}");
        }
        assert_eq!(fault(TITLE, "\u{200e}"), Some(Fault::Length));
        for padding in ["", " ", "\u{200b}", "\u{2060}\u{feff}", "\u{ad}", "\u{a0}\u{3000}"] {
            assert_eq!(fault(TITLE, padding), Some(Fault::Length), "{padding:?}");
            assert_eq!(NOTE.apply(padding).as_deref(), Ok(""), "{padding:?}");
        }
    }

    #[test]
    fn one_line_has_no_break_of_any_kind() {
        for c in ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'] {
            assert_eq!(fault(TITLE, &format!("a{c}b")), Some(Fault::Lines), "{c:?}");
        }
        for c in ['\n', '\r', '\t', '\u{2028}', '\u{2029}'] {
            assert_eq!(fault(NOTE, &format!("a{c}b")), None, "{c:?}");
        }
        for c in ['\0', '\u{b}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}'] {
            assert_eq!(fault(NOTE, &format!("a{c}b")), Some(Fault::Control), "{c:?}");
        }
        assert_eq!(fault(TITLE, "a\tb"), Some(Fault::Control));
    }

    #[test]
    fn reading_direction_is_not_changed() {
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            for rule in [TITLE, NOTE] {
                assert_eq!(fault(rule, &format!("a{c}b")), Some(Fault::Direction), "{c:?}");
            }
        }
    }

    #[test]
    fn records_stay_readable() {
        let read = stored::reading(|| TITLE.apply("a\u{202e}b\u{2028}c\u{301} and more than ten"));

        assert_eq!(read.as_deref(), Ok("a\u{202e}b\u{2028}\u{107} and more than ten"));
    }

    #[test]
    fn an_error_says_the_rule() {
        let said = |rule: TextRule, text| rule.apply(text).unwrap_err().to_string();

        assert_eq!(said(TITLE, ""), "a title has 1 to 10 characters on one line");
        assert_eq!(said(NOTE, "12345678901"), "a note has at most 10 characters");
        assert_eq!(said(TITLE, "\u{3164}"), "a title has at least one character that can be seen");
    }

    proptest! {
        #[test]
        fn stored_text_is_taken_unchanged(text in "\\PC{0,12}|.{0,12}") {
            for rule in [TITLE, NOTE] {
                if let Ok(kept) = rule.apply(&text) {
                    prop_assert_eq!(rule.apply(&kept), Ok(kept));
                }
            }
        }
    }
}
